"""The audio files of a folder: found, named, told apart, and put into batches.

Explained in chapter 16.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from inside_musicnn.checksums import of_bytes, of_stream
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import as_text

# Bytes per second, roughly, by extension: only to guess how long the work will take.
_UNCOMPRESSED, _LOSSLESS, _LOSSY = 176_400, 90_000, 20_000
EXTENSIONS: dict[str, int] = {
    **dict.fromkeys((".wav", ".wave", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64", ".rf64",
                     ".caf"), _UNCOMPRESSED),
    ".flac": _LOSSLESS,
    **dict.fromkeys((".ape", ".wv"), _LOSSLESS),
    **dict.fromkeys((".ogg", ".oga", ".opus", ".spx", ".mp3", ".mp2", ".m4a", ".m4b", ".mp4",
                     ".aac", ".wma", ".webm", ".mka"), _LOSSY),
}
SHORTEST_BATCH = 60  # seconds of audio, estimated
BATCHES = 1000  # of a large corpus: each becomes one part of the data set
BATCHES_PER_WORKER = 8  # of a small one, so that no worker waits long for the last
State = tuple[int, int, int]  # of a file: bytes, and when it was modified and changed


class Audio(NamedTuple):
    """One audio file of a corpus.

    Attributes:
        name: path below the corpus's folder, with "/"; bytes that are not UTF-8 are kept as
            Python keeps them (surrogates), so that the file can be opened.
        size, modified, changed: of `os.stat`; bytes, and nanoseconds.
    """

    name: str
    size: int
    modified: int
    changed: int

    @property
    def id(self) -> str:
        """A short name that is the same on every machine: from the bytes of the path."""
        return of_bytes(os.fsencode(self.name))[:16]

    @property
    def seconds(self) -> float:
        """How long it may last: a guess from its size."""
        return self.size / EXTENSIONS[Path(self.name).suffix.lower()]

    @property
    def state(self) -> State:
        """What changes with the file, as long as nobody wants to deceive."""
        return self.size, self.modified, self.changed


def find_audio(folder: str | Path) -> tuple[list[Audio], dict[str, str]]:
    """All audio files below `folder` by their extension, sorted by name.

    Hidden files and folders are left out. Links are followed; a folder that is reached twice,
    as in a loop of links, is read once.

    Returns:
        list of Audio, and a dict from the name of each folder or file that cannot be looked at
        to the reason.
    """
    found: list[Audio] = []
    failed: dict[str, str] = {}
    seen = set()

    def unreadable(error: OSError) -> None:
        name = os.path.relpath(error.filename, folder)
        failed[name] = f"The folder '{as_text(name)}' cannot be opened: {error.strerror}."

    for where, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        status = os.stat(where)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS:
                path = os.path.join(where, name)
                _add(path, Path(os.path.relpath(path, folder)).as_posix(), found, failed)
    return sorted(found, key=lambda audio: os.fsencode(audio.name)), failed


def _add(path: str, name: str, found: list[Audio], failed: dict[str, str]) -> None:
    try:
        status = os.stat(path)
    except OSError as error:  # a link that leads nowhere, for example
        failed[name] = f"The file '{as_text(name)}' cannot be opened: {error.strerror}."
        return
    if stat.S_ISREG(status.st_mode):  # a pipe would never end
        found.append(Audio(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


def fingerprint(path: Path, name: str) -> tuple[str, State]:
    """SHA-256 of a file and its `Audio.state`.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            digest = of_stream(file)
    except OSError as error:
        raise InputError(f"The file '{as_text(name)}' cannot be opened: "
                         f"{error.strerror}.") from None
    return digest, (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def batches(files: Sequence[Audio], workers: int) -> list[list[Audio]]:
    """Files in groups of about the same estimated length, those that take longest first.

    A large corpus gives about a thousand groups, however many files it has: so there are never
    too many parts, and a stop loses little work.
    """
    total = sum(audio.seconds for audio in files)
    wanted = max(total / (BATCHES_PER_WORKER * workers), SHORTEST_BATCH)
    wanted = max(min(wanted, 3600), total / BATCHES)
    groups: list[list[Audio]] = []
    filled = 0.0
    for audio in files:
        if not groups or filled >= wanted:
            groups.append([])
            filled = 0.0
        groups[-1].append(audio)
        filled += audio.seconds
    return sorted(groups, key=lambda group: -sum(audio.seconds for audio in group))


def key_of(group: Iterable[Audio]) -> str:
    """A name for a group that depends on its files alone."""
    parts = (f"{audio.id} {audio.size} {audio.modified}" for audio in group)
    return of_bytes("\n".join(parts).encode())[:16]
