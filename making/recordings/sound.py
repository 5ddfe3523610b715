"""The sound of a recording of the packages, whole and at its own rate; several files mixed."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from inside_musicnn.errors import InputError
from inside_musicnn.quiet import quiet_stderr
from making.recordings.catalogue import Work
from making.recordings.packages import PLACE


def read_whole(work: Work, place: Path = PLACE) -> np.ndarray:
    """All samples of a recording, float32, shape (n, channels).

    Files that are one recording are added; where their sum goes beyond the limits, all of it is
    made quieter by the same factor.
    """
    parts = [_decoded(path, work) for path in work.paths(place)]
    total = parts[0]
    for part in parts[1:]:
        shorter = min(len(total), len(part))  # they differ by a few samples at the end
        total = total[:shorter] + part[:shorter]
    peak = float(np.abs(total).max())
    return total / np.float32(peak) if len(parts) > 1 and peak > 1 else total


def _decoded(path: Path, work: Work) -> np.ndarray:
    with quiet_stderr(), soundfile.SoundFile(path) as sound:
        if sound.samplerate != work.rate:
            raise InputError(f"The files of '{work.title}' have different rates.")
        return sound.read(dtype="float32", always_2d=True)


def listen_folder(works: Sequence[Work], place: Path = PLACE) -> Path:
    """A folder with one file for each recording, named by its id: links, and mixes as WAV."""
    folder = place / "corpus" / "audio"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {file_name(work) for work in works}
    for old in folder.iterdir():
        if old.name not in wanted:
            old.unlink()
    for work in works:
        listen_file(work, place)
    return folder


def listen_file(work: Work, place: Path = PLACE) -> Path:
    """One file with the sound of a recording: a link, or a mix as WAV."""
    file = place / "corpus" / "audio" / file_name(work)
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        return file
    if len(work.files) == 1:
        file.unlink(missing_ok=True)
        file.symlink_to(os.path.relpath(work.paths(place)[0].resolve(), file.parent.resolve()))
    else:
        aside = file.with_name(f".{os.getpid()}-{file.name}")
        soundfile.write(aside, read_whole(work, place), work.rate, format="WAV", subtype="FLOAT")
        aside.rename(file)
    return file


def file_name(work: Work) -> str:
    """What the recording's file is called in `listen_folder`."""
    ending = Path(work.files[0]).suffix if len(work.files) == 1 else ".wav"
    return f"{work.id}{ending}"
