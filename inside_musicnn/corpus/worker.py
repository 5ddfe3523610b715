"""What one worker does for a corpus: a group of files in, one part of the data set out.

The same code runs in this process, in the processes of one machine, and on a cluster. Explained
in chapter 16.
"""

import os
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from inside_musicnn.corpus.files import Audio, fingerprint, key_of
from inside_musicnn.corpus.schema import LAYERS_KEPT, schema, vectors
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import as_text
from inside_musicnn.network.layers import DENSE, TAGS
from inside_musicnn.network.musicnn import MusiCNN
from inside_musicnn.sound.recordings import open_recording
from inside_musicnn.sound.spectrogram import PATCH_SECONDS

ROWS_TOGETHER = 2048  # rows of a row group: 14 MB
IN_MEMORY = 2**24  # bytes of one file's rows that are held back in memory, then on disk
_alone = threading.Lock()  # a worker with several threads still has one network


@dataclass(frozen=True)
class Task:
    """What all groups of one run have in common.

    Attributes:
        folder: of the audio.
        work: folder for the parts, until they are put in their place.
        model: "MSD_musicnn" or "MTT_musicnn".
        original: the original graph in place of the compact network.
        one_thread: compute with a single thread, which makes results equal to the last bit.
        facts: written into each part.
        damaged: read damaged files too.
    """

    folder: str
    work: str
    model: str
    original: bool
    one_thread: bool
    facts: dict[str, Any]
    damaged: bool = False


@dataclass(frozen=True)
class Part:
    """What became of a group: the files that are in the part, and those that could not be read.

    Attributes:
        key: its name, or None if no file could be read.
        done: dict from id to Audio.
        failed: dict from name to reason.
        patches, seconds: of the files that are in it.
        notes: dict from name to sentences on what is lost or doubtful in a file that is in it.
    """

    key: str | None
    done: dict[str, Audio]
    failed: dict[str, str]
    patches: int
    seconds: float
    notes: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def open_network(model: str, original: bool, threads: int | None) -> MusiCNN:
    """The network of this process: the one place where the corpus opens one."""
    return MusiCNN(model, compact=not original, threads=threads)


def describe(task: Task, group: Sequence[Audio]) -> Part:
    """Compute one group of files and write its part into `task.work`; returns a `Part`.

    Written under a temporary name first: a part that is there is complete, and one that is
    computed twice is the same.

    Raises:
        OSError: the part cannot be written.
    """
    threads = 1 if task.one_thread else None
    if threads:  # TensorFlow reads these when it opens its first session
        os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    with _alone, threadpool_limits(threads):
        net = open_network(task.model, task.original, threads)
        with PartWriter(task, key_of(group)) as writer:
            for audio in group:
                try:
                    writer.add(*_describe_file(task, net, audio))
                except InputError as error:
                    writer.failed[audio.name] = str(error)
        return writer.result


def _describe_file(task: Task, net: MusiCNN, audio: Audio
                   ) -> tuple[Audio, dict[str, Any], SpooledTemporaryFile[bytes]]:
    """One file: its Audio as it was read, its row in `files`, and its rows in `patches`, held
    back in a temporary file until the last patch is known to be good."""
    path = Path(task.folder) / audio.name
    digest, state = fingerprint(path, audio.name)
    spool = SpooledTemporaryFile(IN_MEMORY)
    count, damaged, sums = 0, 0, {"tags": np.zeros(TAGS), "embedding": np.zeros(DENSE)}
    try:
        recording = open_recording(path, damaged=task.damaged)
        with pa.ipc.new_stream(spool, schema("patches")) as rows:
            for patches in recording.patch_batches():
                found = net.activations(patches, list(LAYERS_KEPT.values()))
                values = {name: found[layer] for name, layer in LAYERS_KEPT.items()}
                marks = recording.damaged_patches(count, len(patches))
                rows.write_batch(_rows(audio, count, marks, values))
                count, damaged = count + len(patches), damaged + int(marks.sum())
                for name in sums:
                    sums[name] = sums[name] + values[name].sum(axis=0, dtype=np.float64)
    except InputError as error:
        raise InputError(error.args[0].replace(str(path), as_text(audio.name))) from None
    notes = " ".join(recording.notes).replace(str(path), as_text(audio.name))
    if fingerprint(path, audio.name) != (digest, state):
        raise InputError(f"The file '{as_text(audio.name)}' changed while it was read; run the "
                         "command again.")
    ends = [damage.start for damage in recording.damages if damage.at_end]
    row = {"id": audio.id, "file": as_text(audio.name), "sha256": digest,
           **dict(zip(("size", "modified", "changed"), state, strict=True)),
           "duration": min([recording.length or recording.seconds_read, *ends]), "patches": count,
           "damaged_patches": damaged, "notes": as_text(notes),
           **{name: (total / count).astype(np.float32) for name, total in sums.items()}}
    return Audio(audio.name, *state), row, spool


def _rows(audio: Audio, first: int, damaged: np.ndarray, values: Mapping[str, np.ndarray]
          ) -> pa.RecordBatch:
    """Rows of `patches` for consecutive patches of one file, the first of them number `first`."""
    numbers = np.arange(first, first + len(values["tags"]))
    columns = {"id": pa.array([audio.id] * len(numbers)),
               "file": pa.array([as_text(audio.name)] * len(numbers)),
               "patch": pa.array(numbers, pa.int32()), "start": pa.array(numbers * PATCH_SECONDS),
               "damaged": pa.array(damaged)}
    columns |= {name: vectors(array) for name, array in values.items()}
    return pa.record_batch(list(columns.values()), schema=schema("patches"))


class PartWriter:
    """Writes the part of one group; nothing of it remains if that fails."""

    result: Part  # there at the end

    def __init__(self, task: Task, key: str) -> None:
        self.task, self.key = task, key
        self.temporary = Path(task.work) / f"{key}-{uuid.uuid4().hex}"
        self.done: dict[str, Audio] = {}
        self.failed: dict[str, str] = {}
        self.files: list[dict[str, Any]] = []
        self.waiting: list[pa.RecordBatch] = []
        self.rows = 0
        self.writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, audio: Audio, row: dict[str, Any], spool: SpooledTemporaryFile[bytes]) -> None:
        """Take in one file: see `_describe_file`."""
        with spool:
            spool.seek(0)
            for batch in pa.ipc.open_stream(spool):
                self.waiting.append(batch)
                if sum(map(len, self.waiting)) >= ROWS_TOGETHER:
                    self._write()
        self.done[audio.id] = audio
        self.files.append(row)

    def _write(self) -> None:
        facts = schema("patches", self.task.facts)
        if self.writer is None:
            self.writer = new_parquet(f"{self.temporary}.patches", facts)
        table = pa.Table.from_batches(self.waiting).cast(facts)
        self.writer.write_table(table, row_group_size=len(table))
        self.rows += len(table)
        self.waiting = []

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self.writer:
                self.writer.close()
            for table in ("patches", "files"):
                Path(f"{self.temporary}.{table}").unlink(missing_ok=True)

    def _finish(self) -> None:
        seconds = sum(row["duration"] for row in self.files)
        if self.files:
            if self.waiting:
                self._write()
            if self.writer:
                self.writer.close()
            facts = schema("files", self.task.facts)
            with new_parquet(f"{self.temporary}.files", facts) as writer:
                writer.write_table(pa.Table.from_pylist(self.files, facts))
            for table in ("patches", "files"):
                os.replace(f"{self.temporary}.{table}", f"{self.task.work}/{self.key}.{table}")
        key = self.key if self.files else None
        notes = {row["file"]: row["notes"] for row in self.files if row["notes"]}
        self.result = Part(key, self.done, self.failed, self.rows, seconds, notes)


def new_parquet(path: str | Path, facts: pa.Schema) -> pq.ParquetWriter:
    """A writer of one part: only short repeated strings are worth a dictionary."""
    return pq.ParquetWriter(path, facts, compression="zstd", use_dictionary=["id", "file"])
