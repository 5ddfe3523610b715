"""Reading the data set of a corpus into pandas and NumPy, a bounded part of it at a time.

Explained in chapter 16.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from inside_musicnn.corpus.files import Audio
from inside_musicnn.corpus.schema import FORMAT, WIDTHS, completed, schema
from inside_musicnn.errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

ROWS_OF_A_GROUP = 128  # at least so many patches are taken of each place that a sample looks at


@dataclass(frozen=True, eq=False)
class Corpus:
    """The data set that `make_corpus` made.

    Attributes:
        path: its folder.
        metadata: of metadata.json: model, network, labels, counts, versions, columns.
        files: DataFrame with a row for each file, sorted by name; without the vectors, and with
            the name of the part that holds its patches.
        failed: DataFrame of files that could not be read, with the reason.
        removed: DataFrame of files that are gone since.
    """

    path: Path
    metadata: dict[str, Any]
    files: "DataFrame"
    failed: "DataFrame"
    removed: "DataFrame"

    @property
    def model(self) -> str:
        return self.metadata["model"]

    @property
    def labels(self) -> list[str]:
        return self.metadata["labels"]

    def __repr__(self) -> str:
        return f"Corpus('{self.path}', {len(self.files)} files, {self.model})"

    def patches(self, columns: Iterable[str] = ("tags",), limit: int | None = None,
                ids: Iterable[str] | None = None) -> tuple["DataFrame", dict[str, np.ndarray]]:
        """Rows of patches, sorted by file and time.

        Args:
            columns: which vectors: "tags", "pool_max", "pool_mean", "embedding".
            limit: about how many rows at most: then some of each of many places in the data
                set, the same ones each time; None for all of them.
            ids: only of these files; None for all.

        Returns:
            DataFrame with id, file, patch, start and damaged; and a dict from column to its
            float32 array, shape (rows, width), in the same order.
        """
        columns = list(columns)
        for name in columns:
            if name not in WIDTHS:
                raise InputError(f"There is no column '{name}' of vectors; choose from "
                                 f"{', '.join(WIDTHS)}.")
        index = ["id", "file", "patch", "start", "damaged"]
        names = [*index, *columns]
        if ids is not None:
            parts = self.files.loc[self.files["id"].isin(ids), "part"].unique()
            places = [self.path / "patches" / part for part in parts]
            table = ds.dataset(places, schema("patches")).to_table(
                columns=names, filter=ds.field("id").isin(list(ids)))
        elif limit is None or limit >= self.files["patches"].sum():
            table = ds.dataset(self.path / "patches", schema("patches")).to_table(columns=names)
        else:
            table = self._sample(names, limit)
        table = table.take(np.lexsort([table["patch"].to_numpy(), table["file"].to_numpy()]))
        vectors = {name: _array(table[name]) for name in columns}
        return completed(table.select(index)).to_pandas(), vectors

    def matrix(self, column: str, table: str = "files") -> np.ndarray:
        """One column of vectors, shape (rows, width): rows as in `files`, or all patches."""
        if table == "patches":
            return self.patches([column])[1][column]
        rows = ds.dataset(self.path / "files").to_table(columns=["file", "id", column])
        order = np.lexsort([rows["id"].to_numpy(), rows["file"].to_numpy()])
        return _array(rows[column])[order]

    def audio_path(self, id: str) -> Path | None:
        """Where the recording is, or None if it is not there (any more)."""
        name = self.files.loc[self.files["id"] == id, "file"].item()
        path = self.path / self.metadata["folder"] / name  # a relative one begins here
        return path if path.is_file() and Audio(name, 0, 0, 0).id == id else None

    def _sample(self, names: Sequence[str], limit: int) -> pa.Table:
        """About `limit` rows, evenly from as many places as are worth a visit."""
        files = [pq.ParquetFile(part) for part in sorted((self.path / "patches").iterdir())]
        places = [(file, group) for file in files for group in range(file.num_row_groups)]
        wanted = max(1, min(len(places), limit // ROWS_OF_A_GROUP))
        places = [places[i] for i in np.linspace(0, len(places) - 1, wanted).astype(int)]
        total = sum(file.metadata.row_group(group).num_rows for file, group in places)
        found = []
        for file, group in places:
            table = file.read_row_group(group, columns=names)
            if "damaged" not in table.schema.names:
                table = table.append_column("damaged", pa.nulls(len(table), pa.bool_()))
            table = table.select(names)
            count = max(1, min(len(table), round(len(table) * limit / total)))
            found.append(table.take(np.linspace(0, len(table) - 1, count).astype(int)))
        return pa.concat_tables(found)


def read_corpus(folder: str | Path) -> Corpus:
    """Open the data set in `folder`.

    Raises:
        InputError: there is none.
    """
    path = Path(folder).expanduser()
    try:
        metadata = json.loads((path / "metadata.json").read_text(encoding="utf-8"))
        if metadata["corpus"] != FORMAT:
            raise InputError(f"The data set in '{folder}' has another format; make it anew with "
                             "musicnn-book corpus.")
        rows = ds.dataset(path / "files", schema("files"))
        names = [name for name in rows.schema.names if name not in WIDTHS]
        files = completed(rows.to_table(columns=[*names, "__filename"])).to_pandas()
        failed, removed = (pq.read_table(path / f"{name}.parquet").to_pandas()
                           for name in ("failed", "removed"))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"There is no data set of a corpus in '{folder}'; make one with "
                         "musicnn-book corpus.") from None
    files["part"] = [Path(name).name for name in files.pop("__filename")]
    files = files.sort_values(["file", "id"], ignore_index=True)
    return Corpus(path, metadata, files, failed, removed)


def _array(column: pa.ChunkedArray) -> np.ndarray:
    """A column of lists as a matrix."""
    column = column.combine_chunks()
    width = column.type.list_size
    return np.asarray(column.flatten(), np.float32).reshape(-1, width)
