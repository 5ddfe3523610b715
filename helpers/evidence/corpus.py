"""The stored corpus: what both networks answered for real recordings.

`data/corpus/MODEL/part-*.parquet` hold, for a seeded sample of patches of each recording, the 50
scores, the 200 values of `dense/bias`, and maximum and mean over time of the live series; and for
the excerpts in `data/recordings/` the same of all their patches. The numbers were made by
`python -m making.recordings numbers` with the compact network. Explained in chapter 16.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.evidence.basis import Basis, basis_of
from helpers.evidence.intervals import by_recording
from inside_musicnn.errors import InputError
from inside_musicnn.network.weights import Weights, check_model
from inside_musicnn.sound.shipped import DATA

FOLDER = DATA / "corpus"
WHOLE, EXCERPT = "recording", "excerpt"  # groups of rows
VECTORS = ("scores", "dense", "maximum", "mean")
PART = 2200  # rows of one file
FACTS = b"inside-musicnn"  # key of what is told about the numbers in the file


@dataclass(frozen=True, eq=False)
class StoredCorpus:
    """The answers of one network. All arrays have a row for each patch.

    Attributes:
        model: "MSD_musicnn" or "MTT_musicnn".
        labels: the 50 tags.
        series: numbers of the live series among the 753 of "stage_2/out", rising, shape (live,).
        recordings: DataFrame with a row for each recording: id, title, author, album, source,
            package, version, licence, ship, people, voice, style, seconds, ...
        patches: DataFrame with id, patch (its number in the recording) and start in seconds.
        scores: float32, shape (patches, 50).
        dense: the 200 values before the ReLU, "dense/bias", rounded to float16, as float32.
        maximum, mean: over time, of the live series, rounded to float16, as float32.
        facts: how the numbers were made: versions, checksum of the weights, seed.
    """

    model: str
    labels: list[str]
    series: np.ndarray
    recordings: pd.DataFrame
    patches: pd.DataFrame
    scores: np.ndarray
    dense: np.ndarray
    maximum: np.ndarray
    mean: np.ndarray
    facts: dict[str, Any]

    def __repr__(self) -> str:
        return f"StoredCorpus('{self.model}', {self.basis})"

    @property
    def ids(self) -> np.ndarray:
        """The recording of each patch."""
        return self.patches["id"].to_numpy()

    @cached_property
    def sources(self) -> np.ndarray:
        """Whose recording each patch is of: the clusters for intervals over patches."""
        return self.patches["id"].map(self.recordings.set_index("id")["source"]).to_numpy()

    @property
    def basis(self) -> Basis:
        return basis_of(self.ids, self.sources, len(self.patches))

    @cached_property
    def embedding(self) -> np.ndarray:
        """The penultimate layer, "dense/norm", shape (patches, 200)."""
        block = Weights(self.model).block("dense")
        return np.maximum(self.dense, 0) * block["gain"] + block["offset"]

    @cached_property
    def logits(self) -> np.ndarray:
        """What the sigmoid got, shape (patches, 50), from the scores."""
        with np.errstate(divide="ignore"):
            return np.log(self.scores) - np.log1p(-self.scores)

    def column(self, tag: str) -> int:
        """The number of a tag.

        Raises:
            InputError: the network has no such tag.
        """
        if tag not in self.labels:
            raise InputError(f"{self.model} has no tag '{tag}'; choose one of "
                             f"{', '.join(self.labels)}.")
        return self.labels.index(tag)

    def place(self, series: int) -> int:
        """The column of a series in `maximum` and `mean`.

        Raises:
            InputError: it is none of the live ones.
        """
        found = np.flatnonzero(self.series == series)
        if not len(found):
            raise InputError(f"Series {series} is a constant of {self.model}, and not stored.")
        return int(found[0])

    def where(self, chosen: np.ndarray) -> "StoredCorpus":
        """The same with some of the patches, given as truth values or numbers of rows."""
        patches = self.patches.iloc[np.arange(len(self.patches))[chosen]].reset_index(drop=True)
        mine = self.recordings["id"].isin(patches["id"].unique())
        vectors = {name: getattr(self, name)[chosen] for name in VECTORS}
        return replace(self, patches=patches, **vectors,
                       recordings=self.recordings[mine].reset_index(drop=True))

    def by_recording(self, values: np.ndarray, how: str = "mean"
                     ) -> tuple[pd.DataFrame, np.ndarray]:
        """One row for each recording, from rows of patches.

        Returns:
            the rows of `recordings`, and an array of shape (recordings, ...) in the same order.
        """
        ids, rows = by_recording(values, self.ids, how)
        return self.recordings.set_index("id").loc[ids].reset_index(), rows


@cache
def stored_corpus(model: str = "MSD_musicnn", group: str = WHOLE, folder: Path = FOLDER
                  ) -> StoredCorpus:
    """The stored answers of one network.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        group: "recording" for the sample of all recordings, "excerpt" for the excerpts that come
            with the book, whose patches anybody can compute again.

    Raises:
        InputError: another model or group, or nothing is stored.
    """
    check_model(model)
    if group not in (WHOLE, EXCERPT):
        raise InputError(f"There is no group '{group}'; choose '{WHOLE}' or '{EXCERPT}'.")
    try:
        table = read_parts(Path(folder) / model)
        recordings = read_recordings(folder)
    except OSError:
        raise InputError(f"There are no stored numbers of {model} in '{folder}'.") from None
    table = table.filter(pa.compute.equal(table["group"], group))
    facts = json.loads(table.schema.metadata[FACTS])
    patches = table.select(["id", "patch", "start"]).to_pandas()
    patches["id"] = patches["id"].astype(object)
    mine = recordings["id"].isin(patches["id"].unique())
    return StoredCorpus(model, facts["labels"], np.array(facts["series"]),
                        recordings[mine].reset_index(drop=True), patches,
                        **{name: matrix(table[name]) for name in VECTORS}, facts=facts)


def read_recordings(folder: Path = FOLDER) -> pd.DataFrame:
    """All recordings of the corpus, one in a row, as `data/corpus/recordings.json` has them."""
    text = (Path(folder) / "recordings.json").read_text(encoding="utf-8")
    return pd.DataFrame(json.loads(text))


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    """A column of lists of numbers as a float32 matrix."""
    values = column.combine_chunks()
    width = values.type.list_size
    return np.asarray(values.flatten().to_numpy(zero_copy_only=False),
                      np.float32).reshape(-1, width)


def vectors(values: np.ndarray, half: bool = True) -> pa.FixedSizeListArray:
    """A matrix as a column of lists, in float16 or float32."""
    flat = np.ascontiguousarray(values, np.float16 if half else np.float32).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), values.shape[1])


def write_parts(table: pa.Table, folder: Path, wide: Sequence[str] = VECTORS) -> None:
    """Write a table so that it is small: bytes of the numbers by their place, then compressed; in
    files of at most `PART` rows, so that none is large."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("part-*.parquet"):
        file.unlink()
    for number, first in enumerate(range(0, len(table), PART)):
        pq.write_table(
            table.slice(first, PART), folder / f"part-{number}.parquet", compression="zstd",
            compression_level=15, row_group_size=2**20, data_page_size=2**24,
            use_dictionary=[name for name in table.column_names if name not in wide],
            column_encoding={f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in wide})


def read_parts(folder: Path) -> pa.Table:
    """The table of which `write_parts` made the files.

    Raises:
        OSError: there are none.
    """
    files = sorted(folder.glob("part-*.parquet"), key=lambda file: int(file.stem.split("-")[1]))
    if not files:
        raise FileNotFoundError(folder)
    return pa.concat_tables([pq.read_table(file) for file in files])
