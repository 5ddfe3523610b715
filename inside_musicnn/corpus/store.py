"""The data set of a corpus on disk: what is in it, and changes that no kill can leave half done.

    DIR/patches/part-KEY.parquet   rows of the patches of one group of files
    DIR/files/part-KEY.parquet     rows of these files: the part counts once this is there
    DIR/failed.parquet, removed.parquet, metadata.json, README.md
    DIR/.work                      parts on their way

Only the command writes here, one at a time: workers write into `.work`. Explained in chapter 16.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from inside_musicnn import replacing
from inside_musicnn.corpus.files import Audio, State
from inside_musicnn.corpus.schema import schema
from inside_musicnn.corpus.worker import new_parquet
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import shown

METADATA, DROPPING, SEEN = "metadata.json", ".dropping.json", ".seen.json"
TABLES = ("patches", "files")  # in the order in which they are put in place


class Done(NamedTuple):
    """A file whose rows are in the data set.

    Attributes:
        part: name of the part that holds them.
        file: its name, as text.
        sha256: of its content.
        state: `Audio.state` when it was read.
    """

    part: str
    file: str
    sha256: str
    state: State


class Store:
    """The data set in one folder, locked for this process.

    Args:
        folder: where; it is made if need be.

    Raises:
        InputError: the folder cannot be made or written to, holds something else, or another
            command is writing there.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.work = self.folder / ".work"
        self.made: list[Path] = []  # folders that were not there before
        self.metadata = self._read_metadata()
        self.fresh = not self.metadata
        try:
            self._make()
        except OSError as error:
            self.undo()
            raise InputError(f"The output folder {shown(self.folder)} cannot be written: "
                             f"{error.strerror}.") from None
        self._recover()

    def _read_metadata(self) -> dict[str, Any]:
        where = shown(self.folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"The output {where} is a file; give a folder.")
        try:
            found = json.loads((self.folder / METADATA).read_text(encoding="utf-8"))
            if isinstance(found, dict) and "corpus" in found:
                return found
        except (OSError, ValueError):
            pass
        if self.folder.is_dir() and not self._is_bare():
            raise InputError(f"The output folder {where} holds something else than the data set "
                             "of a corpus; choose another, or an empty one.")
        return {}

    def _is_bare(self) -> bool:
        """Empty, or as a kill in the first moment leaves it."""
        ours = {*TABLES, ".work", ".lock"}
        return (all(file.name in ours or file.name.startswith(replacing.ON_ITS_WAY)
                    for file in self.folder.iterdir())
                and not any(any(self.folder.glob(f"{name}/*")) for name in TABLES))

    def _make(self) -> None:
        for folder in [*reversed(self.folder.parents), self.folder]:
            if not folder.exists():
                folder.mkdir()
                self.made.append(folder)
        self._lock = (self.folder / ".lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # gone with this process
        except BlockingIOError:
            raise InputError(f"Another command is writing to {shown(self.folder)}; wait for its "
                             "end, or choose another output folder.") from None
        for name in (*TABLES, ".work"):
            (self.folder / name).mkdir(exist_ok=True)

    def undo(self) -> None:
        """Take away what was made, if nothing was there before."""
        if self.folder in self.made:
            shutil.rmtree(self.folder, ignore_errors=True)
        elif self.fresh and self.folder.is_dir():
            for file in self.folder.iterdir():  # it was empty
                shutil.rmtree(file) if file.is_dir() else file.unlink()
        for folder in reversed([each for each in self.made if each != self.folder]):
            folder.rmdir()

    def close(self) -> None:
        """Remove what was on its way, and let others write."""
        try:
            self._remove_halves()
            shutil.rmtree(self.work, ignore_errors=True)
        finally:
            self._lock.close()

    def _recover(self) -> None:
        """Finish or take back what a kill left half done."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(exist_ok=True)
        for rest in (f"{replacing.ON_ITS_WAY}*", f"*/{replacing.ON_ITS_WAY}*"):
            for folder in self.folder.glob(rest):
                shutil.rmtree(folder, ignore_errors=True)
        if (self.folder / DROPPING).exists():
            self._drop(json.loads((self.folder / DROPPING).read_text()))
        self._remove_halves()

    def _remove_halves(self) -> None:
        """Parts that a stop left with their patches alone."""
        for file in self._parts("patches"):
            if not (self.folder / "files" / file.name).exists():
                file.unlink()

    def _parts(self, table: str) -> list[Path]:
        return sorted((self.folder / table).glob("part-*.parquet"))

    def done(self) -> dict[str, Done]:
        """What is in the data set, by the file's id."""
        found = {}
        columns = ["id", "file", "sha256", "size", "modified", "changed"]
        for part in self._parts("files"):
            for row in pq.read_table(part, columns=columns).to_pylist():
                state = (row["size"], row["modified"], row["changed"])
                found[row["id"]] = Done(part.name, row["file"], row["sha256"], state)
        return found

    def publish(self, key: str) -> None:
        """Put a part of `.work` in its place: all of its files, or none."""
        name, number = f"part-{key}.parquet", 1
        while (self.folder / "files" / name).exists():
            number += 1
            name = f"part-{key}-{number}.parquet"
        files = {table: self.work / f"{key}.{table}" for table in TABLES}
        for file in files.values():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
        for table, file in files.items():  # one after the other without delay
            os.replace(file, self.folder / table / name)

    def drop(self, ids: Iterable[str], done: Mapping[str, Done]) -> None:
        """Remove the rows of these files; `done` is what `done()` returned."""
        parts: dict[str, list[str]] = {}
        for each in ids:
            parts.setdefault(done[each].part, []).append(each)
        if parts:
            replacing.write(self.folder / DROPPING, json.dumps(parts))
            self._drop(parts)

    def _drop(self, parts: Mapping[str, Sequence[str]]) -> None:
        for name, ids in parts.items():
            for table in TABLES:
                file = self.folder / table / name
                if file.exists():
                    without(file, ids)
        (self.folder / DROPPING).unlink()

    def seen(self) -> dict[str, State]:
        """States under which files were found to have the content that is in the data set."""
        try:
            found = json.loads((self.folder / SEEN).read_text())
            return {each: tuple(state) for each, state in found.items()}
        except (OSError, ValueError):
            return {}

    def note(self, table: str, rows: list[dict[str, str]]) -> None:
        """Write `failed.parquet` or `removed.parquet` anew."""
        with replacing.new_version(self.folder / f"{table}.parquet") as place:
            pq.write_table(pa.Table.from_pylist(rows, schema(table)), place, compression="zstd")

    def totals(self) -> dict[str, Any]:
        """Files, patches and seconds of audio in the data set."""
        files = [pq.read_table(part, columns=["patches", "duration"])
                 for part in self._parts("files")]
        return {"files": sum(map(len, files)),
                "patches": sum(sum(table["patches"].to_pylist()) for table in files),
                "seconds": round(sum(sum(table["duration"].to_pylist()) for table in files), 3)}

    def write_metadata(self, metadata: dict[str, Any]) -> None:
        replacing.write(self.folder / METADATA, json.dumps(metadata, indent=2) + "\n")
        self.metadata = metadata

    def write_seen(self, files: Iterable[Audio]) -> None:
        replacing.write(self.folder / SEEN, json.dumps({each.id: each.state for each in files}))


def without(file: Path, ids: Sequence[str]) -> None:
    """Rewrite a part without the rows of these files; remove it if none is left."""
    kept = 0
    with replacing.new_version(file) as place:
        with pq.ParquetFile(file) as old, new_parquet(place, old.schema_arrow) as new:
            for group in range(old.num_row_groups):
                table = old.read_row_group(group)
                gone = pc.is_in(table["id"], value_set=pa.array(ids, pa.string()))
                table = table.filter(pc.invert(gone))
                kept += len(table)
                if len(table):
                    new.write_table(table, row_group_size=len(table))
        if not kept:
            place.unlink()
    if not kept:
        file.unlink()
