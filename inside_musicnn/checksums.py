"""Checksums of files and folders: of names and content, never of dates or places."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from io import BufferedReader
from pathlib import Path


def sha256(file: Path) -> str:
    """Checksum of a file's content; raises OSError."""
    with file.open("rb") as stream:
        return of_stream(stream)


def of_stream(stream: BufferedReader) -> str:
    """Checksum of what is still to be read of an open file."""
    return hashlib.file_digest(stream, "sha256").hexdigest()


def of_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files_of(folder: Path) -> list[Path]:
    """Files in a folder and below, sorted; hidden ones and compiled Python left out."""
    return sorted(
        file for file in folder.rglob("*") if file.is_file() and not any(
            part.startswith(".") or part == "__pycache__"
            for part in file.relative_to(folder).parts)
    )


def content(folder: Path, without: Sequence[str] = (),
            every: Iterable[Path] | None = None) -> str:
    """One checksum of names and content of the files in a folder.

    Args:
        without: endings of file names, or first parts of paths, that do not count.
        every: the files; all but hidden ones if None.
    """
    parts = {}
    for file in files_of(folder) if every is None else every:
        inside = file.relative_to(folder)
        if file.suffix not in without and inside.parts[0] not in without:
            parts[os.fsencode(inside.as_posix()).hex()] = sha256(file)
    return digest(parts)


def digest(parts: object) -> str:
    """One checksum of plain values."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return of_bytes(text.encode("utf-8", "surrogatepass"))
