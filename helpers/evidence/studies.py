"""Results of studies: what was costly to measure, kept small in `data/studies/`.

`python -m making.studies` made them. A chapter that shows one computes some rows again from the
excerpts at hand: group "excerpt".
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.evidence.basis import Basis, basis_of
from helpers.evidence.corpus import EXCERPT, FACTS, WHOLE, read_recordings
from inside_musicnn.errors import InputError
from inside_musicnn.network.weights import check_model
from inside_musicnn.sound.shipped import DATA

FOLDER = DATA / "studies"


@dataclass(frozen=True, eq=False)
class StoredStudy:
    """What a study measured with one network. All arrays have a row for each recording.

    Attributes:
        name, model: of the study and the network.
        recordings: DataFrame, as `StoredCorpus.recordings`, with `patches`: how many were measured.
        values: from column to its array, shape (recordings, ...).
        meanings: from column to what it holds.
        facts: versions, checksums, seeds.
    """

    name: str
    model: str
    recordings: pd.DataFrame
    values: dict[str, np.ndarray]
    meanings: dict[str, str]
    facts: dict[str, Any]

    def __getitem__(self, column: str) -> np.ndarray:
        if column not in self.values:
            raise InputError(f"The study '{self.name}' has no column '{column}'; choose one of "
                             f"{', '.join(self.values)}.")
        return self.values[column]

    def of(self, name: str) -> dict[str, np.ndarray]:
        """One recording's row.

        Raises:
            InputError: the recording is not in the study.
        """
        found = np.flatnonzero(self.recordings["id"] == name)
        if not len(found):
            raise InputError(f"The recording '{name}' is not in the study '{self.name}'.")
        return {column: array[found[0]] for column, array in self.values.items()}

    @cached_property
    def sources(self) -> np.ndarray:
        """Whose each recording is: the clusters for intervals."""
        return self.recordings["source"].to_numpy()

    @property
    def basis(self) -> Basis:
        return basis_of(self.recordings["id"], self.sources, int(self.recordings["patches"].sum()))


@cache
def stored_study(name: str, model: str = "MSD_musicnn", group: str = WHOLE, folder: Path = FOLDER
                 ) -> StoredStudy:
    """The stored results of a study.

    Args:
        name: of the study, such as "edges_and_places".
        model: "MSD_musicnn" or "MTT_musicnn".
        group: "recording", or "excerpt" for the excerpts that come with the book.

    Raises:
        InputError: another model or group, or no such study.
    """
    check_model(model)
    if group not in (WHOLE, EXCERPT):
        raise InputError(f"There is no group '{group}'; choose '{WHOLE}' or '{EXCERPT}'.")
    file = Path(folder) / f"{name}-{model}.parquet"
    if not file.is_file():
        known = sorted(each.stem for each in Path(folder).glob("*.json"))
        raise InputError(f"There is no study '{name}'; choose one of {', '.join(known)}.")
    table = pq.read_table(file, filters=[("group", "=", group)])
    facts = json.loads(table.schema.metadata[FACTS])
    counts = table.select(["id", "patches"]).to_pandas()
    recordings = read_recordings().merge(counts.astype({"id": object}), on="id")
    order = pd.Index(recordings["id"]).get_indexer(counts["id"])
    recordings = recordings.iloc[order].reset_index(drop=True)
    values = {column: _array(table[column], facts["shapes"][model][column])
              for column in facts["meanings"]}
    return StoredStudy(name, model, recordings, values, facts["meanings"], facts)


def _array(column: pa.ChunkedArray, shape: list[int]) -> np.ndarray:
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, *shape)
