"""The stored corpus of recordings as a data set, read as those that `musicnn-book corpus` makes.

Chapter 16 reads either: the reader's own, or this one where none is given.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.evidence.corpus import EXCERPT, WHOLE, StoredCorpus, stored_corpus
from inside_musicnn.network.folding import fold
from inside_musicnn.network.layers import SERIES
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound.shipped import clip_file


class StoredDataSet:
    """What chapter 16 asks of `inside_musicnn.corpus.Corpus`, from the stored corpus.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        group: "recording": a seeded sample of patches of whole recordings; "excerpt": every patch
            of the excerpts in data/recordings, whose sound is at hand.

    Attributes:
        model, labels: as of a Corpus.
        stored: the StoredCorpus.
        metadata: counts, network, complete.
        files: DataFrame with id, file, sha256, part, patches, source.
        failed: none.
    """

    def __init__(self, model: str, group: str = WHOLE):
        stored = self.stored = stored_corpus(model, group)
        self.group, self.model, self.labels = group, stored.model, stored.labels
        facts = stored.recordings.set_index("id")
        ids = stored.patches["id"].unique()
        counts = stored.patches.groupby("id", sort=False).size()
        self.files = pd.DataFrame({
            "id": ids, "file": [f"{facts.author[each]}: {facts.title[each]}".removeprefix(": ")
                                for each in ids],
            "sha256": "", "part": "", "patches": [int(counts[each]) for each in ids],
            "source": [facts.source[each] for each in ids]})
        self.failed = self.files[:0]
        seconds = facts.loc[ids, "seconds"].sum() if group == WHOLE else 30.0 * len(ids)
        self.metadata: dict[str, Any] = {
            "network": stored.facts["network"], "complete": True, "counts": {
                "files": len(ids), "patches": len(stored.patches), "seconds": float(seconds)}}

    def patches(self, columns: Iterable[str] = ("tags",), limit: int | None = None,
                ids: Sequence[str] | None = None) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """Rows of patches and their vectors by column, in the same order: as `Corpus.patches`."""
        rows = self.stored.patches
        if ids is not None:
            rows = rows[rows["id"].isin(set(ids))]
        if limit is not None and len(rows) > limit:
            rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, limit).astype(int))]
        names = self.files.set_index("id")["file"]
        index = rows.assign(file=rows["id"].map(names)).reset_index(drop=True)
        return index, {name: self._vectors(name)[rows.index] for name in columns}

    def matrix(self, column: str) -> np.ndarray:
        """One vector for each file, the mean of its patches: (files, width)."""
        return self.stored.by_recording(self._vectors(column))[1]

    def audio_path(self, identity: str) -> Path | None:
        """The excerpt's file; None for whole recordings, which do not come with the book."""
        return clip_file(identity) if self.group == EXCERPT else None

    def _vectors(self, column: str) -> np.ndarray:
        if column == "tags":
            return self.stored.scores
        if column == "embedding":
            return self.stored.embedding
        return _all_series(self.stored, {"pool_max": "maximum", "pool_mean": "mean"}[column])


def _all_series(stored: StoredCorpus, kind: str) -> np.ndarray:
    """Maximum or mean of all 753 series: the stored live ones, and the constants of the others."""
    steady = fold(Weights(stored.model)).dense.steady.astype(np.float32)
    values = np.repeat(steady[None], len(stored.patches), axis=0)
    values[:, stored.series] = getattr(stored, kind)
    assert values.shape[1] == SERIES
    return values


__all__ = ["EXCERPT", "WHOLE", "StoredDataSet"]
