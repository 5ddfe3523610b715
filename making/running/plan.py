"""What a run will do, made of inputs that have been checked; nothing is written here."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inside_musicnn.checksums import of_bytes
from inside_musicnn.cores import workers_that_fit
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import shown
from inside_musicnn.network.weights import check_model
from inside_musicnn.sound.clips import Clip
from inside_musicnn.sound.spectrogram import PATCH_SECONDS
from making.running import manifest as notes
from making.running.audio import check_audio
from making.running.chapters import Page, choose, read_pages, shared_defaults

BYTES_PER_CHAPTER = 2 * 2**30  # a kernel with TensorFlow and the tensors of a few layers


@dataclass(frozen=True)
class Recording:
    """One piece of music, and what the chapters are told about it."""

    name: str  # a folder name, different for each recording of a run
    title: str  # what pages call it; empty if the book has no parameter `audio`
    file: Path | None
    seconds: float  # how much of it the chapters look at
    parameters: dict  # all, with their values in this run
    injected: dict  # chapter's name -> those that differ from its own
    silent: bool = False  # in all that the chapters look at
    notes: tuple[str, ...] = ()  # sentences on what is lost or doubtful there

    @property
    def file_name(self) -> str:
        return self.file.name if self.file else ""


@dataclass(frozen=True)
class Plan:
    """A run whose inputs have been checked."""

    root: Path
    output: Path
    pages: list[Page]
    chapters: list[Page]
    recordings: list[Recording]
    own: dict  # chapter's name -> its parameters and their defaults
    jobs: int
    fresh: bool  # take nothing from earlier work

    @property
    def is_several(self) -> bool:
        return len(self.recordings) > 1


def make_plan(root: Path, given: dict, *, chapters: str | None = None, jobs: int | None = None,
              output: str | Path | None = None, fresh: bool = False,
              corpus: str | Path | None = None, damaged: bool = False) -> Plan:
    """Check every input before anything is written; raises InputError.

    `given` holds values of parameters; its `audio` may be one or a list. Recordings in which sound
    is lost are refused unless `damaged`.
    """
    pages = read_pages(root)
    chosen = choose(pages, chapters)
    own, defaults = shared_defaults(root, [page for page in pages if page.is_chapter])
    values = defaults | {name: value for name, value in given.items() if value is not None}
    _check_numbers(values, jobs)
    _check_model(values.get("model"))
    if corpus is not None:
        values["corpus"] = _check_corpus(corpus, [own[page.name] for page in chosen])
    elif values.get("corpus") is None:
        values.pop("corpus", None)
    recordings = _recordings(values, own, damaged)
    jobs = jobs or workers_that_fit(BYTES_PER_CHAPTER, len(chosen) * len(recordings))
    return Plan(root, _output(root, output, recordings, values.get("model")), pages, chosen,
                recordings, own, jobs, fresh)


def _check_numbers(values: dict, jobs: int | None) -> None:
    start, segments = values.get("start", 0.0), values.get("segments", 1)
    if not math.isfinite(start) or start < 0:
        raise InputError(f"The start is {start:g} s; it must be 0 or more.")
    if segments < 1:
        raise InputError(f"The number of segments is {segments}; it must be 1 or more.")
    if jobs is not None and jobs < 1:
        raise InputError(f"The number of jobs is {jobs}; it must be 1 or more.")


def _check_model(model: str | None) -> None:
    if model is not None:
        check_model(model)


def _check_corpus(corpus: str | Path, chosen: list[dict]) -> str:
    """The folder of a data set, as the chapters will be told it; raises InputError."""
    if not any("corpus" in own for own in chosen):
        raise InputError("None of the chapters that would run reads a corpus; choose one that "
                         "does, or leave the corpus out.")
    folder = Path(corpus).expanduser().absolute()
    if not folder.is_dir():
        raise InputError(f"There is no folder '{corpus}'; the corpus is the folder of a data set "
                         "that `musicnn-book corpus` has made.")
    return str(folder)


def _recordings(values: dict, own: dict, damaged: bool) -> list[Recording]:
    """One recording for each `audio`; raises InputError."""
    audio = values.get("audio")
    wanted = audio if isinstance(audio, list | tuple) else [audio]
    if not wanted:
        raise InputError("No audio is named; name at least one recording, or leave the list out.")
    found: list[Recording] = []
    names: set[str] = set()
    titles: set[str] = set()
    files: set[Path | None] = set()
    for each in wanted:
        mine = dict(values)
        clip = None
        if each is not None:
            mine["audio"], clip = check_audio(each, values.get("start", 0.0),
                                              values.get("segments", 1), damaged)
            if clip.path in files:
                raise InputError(f"The recording '{each}' is given twice; give each one once.")
            files.add(clip.path)
        name = apart(_plain_name(Path(str(each)).stem if each else "book"), names, "-{}")
        title = apart(clip.title, titles) if clip else ""
        injected = {
            chapter: {key: mine[key] for key in its if key in mine and mine[key] != its[key]}
            for chapter, its in own.items()
        }
        file, silent = (clip.path, not clip.samples.any()) if clip else (None, False)
        found.append(Recording(name, title, file, _seconds(clip, values), mine, injected, silent,
                               _notes(clip)))
    return found


def _notes(clip: Clip | None) -> tuple[str, ...]:
    """What is lost or doubtful, with the file's name in place of its path."""
    if clip is None or clip.path is None:
        return ()
    return tuple(note.replace(str(clip.path), clip.path.name) for note in clip.notes)


def _seconds(clip: Clip | None, values: dict) -> float:
    return PATCH_SECONDS * len(clip.patches()[: values.get("segments")]) if clip else 0.0


def apart(text: str, taken: set[str], form: str = " ({})") -> str:
    """`text`, with a number if it is taken already; added to `taken`."""
    different, number = text, 1
    while different in taken:
        number += 1
        different = text + form.format(number)
    taken.add(different)
    return different


def _plain_name(stem: str) -> str:
    """A folder name of plain characters only, whatever the audio file is called."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60]
    if plain != stem:  # odd names that look alike once made plain stay apart
        mark = of_bytes(stem.encode("utf-8", "surrogateescape"))[:6]
        plain = f"{plain or 'clip'}-{mark}"
    return plain


def run_name(audio: Any, model: str | None) -> str:
    """The name of a run's folder: plain characters, of bounded length.

    Args:
        audio: a name or path, or several; None for a book without recordings.
        model: the network's name, or None.
    """
    every = audio if isinstance(audio, list | tuple) else [audio]
    names = [_plain_name(Path(str(each)).stem if each else "book") for each in every]
    name = names[0]
    if len(names) > 1:
        mark = of_bytes("/".join(map(str, every)).encode("utf-8", "surrogateescape"))[:6]
        name = f"{name[:40]}-and-{len(names) - 1}-more-{mark}"
    return f"{name}-{model}" if model else name


def _output(root: Path, output: str | Path | None, recordings: list[Recording],
            model: str | None) -> Path:
    """The run's folder; never one that holds anything but an earlier run."""
    if output is None:
        audio = [recording.parameters.get("audio") for recording in recordings]
        folder = root / "_runs" / run_name(audio, model)
    else:
        folder = Path(output).expanduser().resolve()
    if folder.is_relative_to(root / "book") or root.is_relative_to(folder):
        raise InputError(f"The output folder {shown(folder)} would overwrite the book's sources; "
                         "choose another.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The output {shown(folder)} is a file; give a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not notes.read(folder):
        raise InputError(f"The output folder {shown(folder)} holds something else than an earlier "
                         "run; choose another, or an empty one.")
    return folder
