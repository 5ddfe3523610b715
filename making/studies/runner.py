"""Runs a study: recording after recording, where it was stopped it goes on.

    DATA/studies/NAME-MODEL.parquet    one row for each recording (or excerpt); of those that the
                                       study `keeps`, where it says so
    DATA/studies/NAME.json             what the columns mean, versions, checksums, seeds
    PLACE/studies/NAME/KEY/            results on their way, one file for each row
    PLACE/studies/patches/             the sampled patches of each recording, cut once for all

KEY is a checksum of everything that decides a result: the study's source, the weights, the sample.
"""

import hashlib
import importlib
import json
import os
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import making.studies
from helpers.evidence.corpus import EXCERPT, FACTS, WHOLE
from helpers.evidence.studies import FOLDER
from inside_musicnn import load_clip
from inside_musicnn.checksums import digest, sha256
from inside_musicnn.cores import one_thread
from inside_musicnn.errors import InputError
from inside_musicnn.network.weights import MODELS, checksums_of_weights
from inside_musicnn.sound.spectrogram import cut_patches, db_mel
from inside_musicnn.versions import everything
from making.recordings.catalogue import SEED, Work, read_works
from making.recordings.excerpts import ROOT
from making.recordings.excerpts import listed as listed_excerpts
from making.recordings.numbers import MOST_PATCHES, sample
from making.recordings.packages import PLACE
from making.recordings.sound import listen_file
from making.studies.subject import Subject

MACHINERY = ("runner", "subject", "__main__")


@dataclass(frozen=True)
class Row:
    """A recording or an excerpt to be measured."""

    group: str
    id: str
    work: Work | None = None

    def patches(self, place: Path) -> np.ndarray:
        """Its sampled patches, or all of an excerpt, shape (n, 187, 96)."""
        if self.work is None:
            entry = next(entry for entry in listed_excerpts() if entry["name"] == self.id)
            return load_clip(ROOT / "data" / entry["file"]).patches()
        kept = place / "studies" / "patches" / f"{self.id}-{self.work.sha256[0][:12]}.npy"
        if not kept.is_file():
            clip = load_clip(listen_file(self.work, place))
            patches = cut_patches(db_mel(clip.samples))
            _write(kept, patches[sample(self.id, len(patches))])
        return np.load(kept)


def studies() -> dict[str, ModuleType]:
    """Every study by its name."""
    names = [info.name for info in pkgutil.iter_modules(making.studies.__path__)
             if info.name not in MACHINERY]
    return {name: importlib.import_module(f"making.studies.{name}") for name in names}


def run(name: str, place: Path = PLACE, output: Path = FOLDER, only: Sequence[str] | None = None,
        say: Callable[[str], None] = print) -> list[Path] | None:
    """Measure what is missing, and write the study's table when nothing is.

    Args:
        name: of the study.
        place: where the packages are, and where results wait.
        output: where the table goes.
        only: ids to measure, for a trial; then no table is written.

    Returns:
        the tables' files, one for each network, or None where `only` is given.

    Raises:
        InputError: there is no such study, or the packages are not there.
    """
    if name not in studies():
        raise InputError(f"There is no study '{name}'; choose one of {', '.join(studies())}.")
    study = studies()[name]
    results = place / "studies" / name / key_of(study)[:16]
    rows = rows_of(study)
    wanted = [(model, row) for row in rows if only is None or row.id in only for model in MODELS]
    missing = [(model, row) for model, row in wanted if not _result(results, model, row).is_file()]
    for number, (model, row) in enumerate(missing, 1):
        values = measured(study, model, row, place)
        _write(_result(results, model, row), values)
        if number % 10 == 0 or number == len(missing):
            say(f"[{number}/{len(missing)}] {name}: {model} {row.id}")
    if only is not None:
        return None
    kept = study.keeps(rows) if hasattr(study, "keeps") else rows
    return _write_tables(study, name, kept, results, output)


def measured(study: ModuleType, model: str, row: Row, place: Path = PLACE) -> dict[str, np.ndarray]:
    """One row of a study, computed."""
    patches = row.patches(place)
    with one_thread():  # equal to the last bit, and as fast on a machine with other work
        values = study.measure(Subject(model, patches, seed_of(row.id)))
    if set(values) != set(study.MEANINGS) or set(values) != set(study.DTYPES):
        raise InputError(f"The study gave {', '.join(values)} and promised "
                         f"{', '.join(study.MEANINGS)}.")
    return {"count": np.array(len(patches))} | {
        column: np.asarray(array, study.DTYPES[column]) for column, array in values.items()}


def all_rows() -> Iterator[Row]:
    """All recordings of the corpus, and all excerpts."""
    for work in read_works():
        yield Row(WHOLE, work.id, work)
    for entry in listed_excerpts():
        yield Row(EXCERPT, entry["name"])


def rows_of(study: ModuleType) -> list[Row]:
    """All rows, or those that a costly study takes: its `takes`, given all of them."""
    rows = list(all_rows())
    return study.takes(rows) if hasattr(study, "takes") else rows


def seed_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"study {SEED} {name}".encode()).digest()[:8])


def key_of(study: ModuleType) -> str:
    """A checksum of all that decides a study's results, but for the recordings."""
    assert study.__file__
    return digest({"source": sha256(Path(study.__file__)), "seed": SEED, "most": MOST_PATCHES,
                   "weights": {model: checksums_of_weights(model) for model in MODELS}})


def _result(results: Path, model: str, row: Row) -> Path:
    return results / f"{model}-{row.group}-{row.id}.npz"


def _write(file: Path, values: np.ndarray | dict[str, np.ndarray]) -> None:
    """Write a file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{os.getpid()}-{file.name}")  # several studies may run at once
    with aside.open("wb") as stream:
        if isinstance(values, dict):
            np.savez_compressed(stream, **values)
        else:
            np.save(stream, values)
    aside.rename(file)


def _write_tables(study: ModuleType, name: str, rows: Sequence[Row], results: Path, output: Path
                  ) -> list[Path]:
    output.mkdir(parents=True, exist_ok=True)
    tables, shapes = {}, {}
    for model in MODELS:
        found = [dict(np.load(_result(results, model, row))) for row in rows]
        shapes[model] = {column: list(found[0][column].shape) for column in study.MEANINGS}
        tables[model] = _table(study, model, rows, found)
    facts = {"study": name, "about": study.__doc__, "meanings": study.MEANINGS, "shapes": shapes,
             "key": key_of(study), "seed": SEED, "most_patches": MOST_PATCHES,
             "weights": {model: checksums_of_weights(model) for model in MODELS},
             "versions": everything(("pyarrow", "scipy"))}
    files = [write_table(table.replace_schema_metadata({FACTS: json.dumps(facts)}),
                         output / f"{name}-{model}.parquet") for model, table in tables.items()]
    (output / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return files


def write_table(table: pa.Table, file: Path) -> Path:
    """Write the rows of one network in one step, small."""
    apart = {f"{column}.list.element": "BYTE_STREAM_SPLIT" for column in table.column_names[4:]}
    aside = file.with_name(f".{file.name}")
    pq.write_table(table, aside, compression="zstd", compression_level=19, column_encoding=apart,
                   use_dictionary=["model", "group", "id"], data_page_size=2**24)
    aside.rename(file)
    return file


def _table(study: ModuleType, model: str, rows: Sequence[Row],
           found: Iterable[dict[str, np.ndarray]]) -> pa.Table:
    found = list(found)
    columns = {"model": pa.array([model] * len(rows)),
               "group": pa.array([row.group for row in rows]),
               "id": pa.array([row.id for row in rows]),
               "patches": pa.array([int(values["count"]) for values in found], pa.int16())}
    for column in study.MEANINGS:
        kind = pa.list_(pa.from_numpy_dtype(np.dtype(study.DTYPES[column])))
        columns[column] = pa.array([values[column].ravel() for values in found], kind)
    return pa.table(columns)
