"""A corpus: tags, pooled values and embeddings of every patch of every recording in a folder.

`make_corpus` is the command `musicnn-book corpus`; `read_corpus` reads what it made. Explained in
chapter 16.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from inside_musicnn import replacing
from inside_musicnn.corpus.cluster import NOT_WRITTEN, check_workers, open_client, run
from inside_musicnn.corpus.files import EXTENSIONS, Audio, batches, find_audio, fingerprint
from inside_musicnn.corpus.progress import CorpusProgress
from inside_musicnn.corpus.schema import FORMAT, MEANINGS, README, versions
from inside_musicnn.corpus.store import Done, Store
from inside_musicnn.corpus.worker import Task
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import as_text, shown
from inside_musicnn.network.weights import Weights, checksums_of_weights

if TYPE_CHECKING:
    from distributed import Client


@dataclass
class Report:
    """What a run did.

    Attributes:
        output: the data set's folder.
        before: files whose rows were there already.
        done: files whose rows are new.
        failed: dict from name to reason.
        noted: dict from name to sentences on what is lost or doubtful in a new file.
        removed: names of files that are gone from the folder; their rows are kept, or dropped
            with `prune`.
        totals: files, patches and seconds of audio in the data set.
        notes: sentences that a reader should see.
        complete: whether every file was tried.
    """

    output: Path | None = None
    before: int = 0
    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    totals: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    complete: bool = False


class NothingRead(InputError):
    """No file could be read; the reasons are kept in the data set's folder."""


def make_corpus(folder: str | Path, output: str | Path, model: str = "MSD_musicnn", *,
                original: bool = False, scheduler: str | None = None, jobs: int | None = None,
                prune: bool = False, damaged: bool = False, stream: TextIO | None = None,
                report: Report | None = None) -> Report:
    """Compute the data set of all audio below `folder`, or complete it.

    Files that are in it already with the same content are left alone; changed ones are computed
    again. With worker processes, the rows are the same to the last bit whatever computes them, on
    the same kind of processor with the same packages.

    Args:
        folder: searched for audio files, with all folders below.
        output: folder of the data set; new, empty, or one that this function made.
        model: "MSD_musicnn" or "MTT_musicnn".
        original: use the original graph; else the compact network of chapter 17.
        scheduler: address of a Dask scheduler; None for this machine.
        jobs: worker processes on this machine; as many as it has cores and memory for if None; 0
            works in this very process.
        prune: drop the rows of files that are no longer there.
        damaged: read damaged files too: what is lost is silence, and patches with it are marked.
        stream: where progress is printed; standard output if None.
        report: a `Report` to fill, for who wants to know how far an interrupted run came.

    Returns:
        the `Report`.

    Raises:
        InputError: an input is wrong, and nothing has been written; or the disk is full, and what
            is done is kept.
        NothingRead: no file could be read; `failed.parquet` has the reasons.
        RunError: the workers are gone; what is done is kept.
    """
    folder, output = _check_folders(folder, output)
    facts = _facts(model, original)
    if jobs is not None and (jobs < 0 or scheduler is not None):
        raise InputError("The number of jobs must be 0 or more, and is given without a scheduler, "
                         "whose workers are already there.")
    files, unreadable = find_audio(folder)
    if not files:
        raise InputError(f"There is no audio in {shown(folder)}: no file there, or in a folder "
                         f"below, ends in {', '.join(EXTENSIONS)}.")
    report = report or Report(output)
    report.output, report.failed = output, dict(unreadable)
    with open_client(scheduler, jobs) as client:
        store = Store(output)
        try:
            task = Task(str(folder), str(store.work), model, original, client is not None, facts,
                        damaged)
            _update(store, task, files, client, prune, stream, report)
        except NothingRead:
            raise
        except InputError:
            store.undo()
            raise
        except OSError as error:
            raise InputError(NOT_WRITTEN.format(error.strerror or error)) from None
        finally:
            store.close()
    return report


def _check_folders(folder: str | Path, output: str | Path) -> tuple[Path, Path]:
    folder, output = Path(folder).expanduser(), Path(output).expanduser().resolve()
    if not folder.exists():
        raise InputError(f"There is no folder '{folder}'; give one that holds audio files.")
    if not folder.is_dir():
        raise InputError(f"'{folder}' is a file; give a folder that holds audio files.")
    folder = folder.resolve()
    if output.is_relative_to(folder):
        raise InputError(f"The output folder {shown(output)} lies inside the folder of the audio; "
                         "choose one outside of it.")
    return folder, output


def _facts(model: str, original: bool) -> dict[str, Any]:
    """What decides the numbers, as it is written into the data set."""
    return {"corpus": FORMAT, "model": model, "network": "original" if original else "compact",
            "weights": checksums_of_weights(model), "labels": Weights(model).labels}


def _update(store: Store, task: Task, files: Sequence[Audio], client: "Client | None",
            prune: bool, stream: TextIO | None, report: Report) -> None:
    """Bring the data set up to date."""
    done = store.done()
    _check_same(store, task, files, done)
    if client is not None:
        check_workers(client, task)
    _write_metadata(store, task, report)
    kept, changed = _compare(store, task, files, done)
    present = {audio.id for audio in files}
    gone = [each for each in done if each not in present]
    report.before, report.removed = len(kept), sorted(done[each].file for each in gone)
    store.drop([*changed, *(gone if prune else [])], done)
    known = {audio.id for audio in kept}
    todo = [audio for audio in files if audio.id not in known]
    try:
        _compute(store, task, todo, client, stream, report)
        report.complete = True
        if not store.totals()["files"]:
            name, reason = next(iter(report.failed.items()))
            count = len(report.failed)
            which = "The only audio file" if count == 1 else f"None of the {count} audio files"
            how = "cannot" if count == 1 else "can"
            raise NothingRead(
                f"{which} in {shown(Path(task.folder))} {how} be read; all reasons are in "
                f"{shown(store.folder / 'failed.parquet')}, and that of '{as_text(name)}' is: "
                f"{reason}")
    finally:
        store.note("failed", _named(report.failed))
        store.note("removed", [] if prune else [
            {"id": each, "file": done[each].file} for each in gone])
        store.write_seen(kept)
        report.totals = store.totals()
        _write_metadata(store, task, report)


def _compute(store: Store, task: Task, todo: Sequence[Audio], client: "Client | None",
             stream: TextIO | None, report: Report) -> None:
    """Compute files that are not there yet, and put each part in its place as it comes."""
    if not todo:
        return
    workers = len(client.nthreads()) if client is not None else 1
    groups = batches(todo, workers)
    seconds = sum(audio.seconds for audio in todo)
    with CorpusProgress(len(todo), seconds, stream) as progress:
        for group, part in run(client, task, groups, progress.tick):
            if part.key:
                store.publish(part.key)
            report.done += len(part.done)
            report.failed |= part.failed
            report.noted |= part.notes
            progress.finished(group, part)


def _check_same(store: Store, task: Task, files: Sequence[Audio], done: Mapping[str, Done]
                ) -> None:
    """The data set must be of this model, these weights and this folder."""
    old, where = store.metadata, shown(store.folder)
    for name, what in (("corpus", "format"), ("model", "model"), ("network", "network"),
                       ("weights", "weights")):
        if old and old.get(name) != task.facts[name]:
            value = "another one" if name == "weights" else f"'{old.get(name)}'"
            raise InputError(f"The data set in {where} was made with another {what}, {value}; "
                             "choose another output folder.")
    if done and old["folder"] != task.folder and not any(audio.id in done for audio in files):
        raise InputError(f"The data set in {where} is of another folder of audio, with no file in "
                         "common; choose another output folder.")


def _compare(store: Store, task: Task, files: Sequence[Audio], done: Mapping[str, Done]
             ) -> tuple[list[Audio], list[str]]:
    """Files whose rows are there with the same content, and ids of those that have changed."""
    kept, changed, seen = [], [], store.seen()
    for audio in files:
        if audio.id not in done:
            continue
        known = done[audio.id]
        if (audio.state in (known.state, seen.get(audio.id))
                or _digest(task, audio) == known.sha256):
            kept.append(audio)
        else:
            changed.append(audio.id)
    return kept, changed


def _digest(task: Task, audio: Audio) -> str | None:
    try:
        return fingerprint(Path(task.folder) / audio.name, audio.name)[0]
    except InputError:
        return None


def _named(failed: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"id": Audio(name, 0, 0, 0).id, "file": as_text(name), "reason": reason}
            for name, reason in sorted(failed.items())]


def _write_metadata(store: Store, task: Task, report: Report) -> None:
    """Write what the data set is; first of all, so that a kill leaves one that can go on."""
    old = store.metadata
    known = old.get("versions", [])
    now = versions()
    if known and known[-1] != now:
        report.notes.append("Some rows were computed with other versions of the packages: see "
                            "metadata.json. An empty output folder gives all of them anew.")
    store.write_metadata({
        **task.facts, "folder": task.folder, "complete": report.complete,
        "versions": known if now in known else [*known, now],
        "counts": {**report.totals, "failed": len(report.failed), "removed": len(report.removed)},
        "tables": MEANINGS,
    })
    if report.totals:
        replacing.write(store.folder / "README.md",
                        README.format(model=task.model, **report.totals))
