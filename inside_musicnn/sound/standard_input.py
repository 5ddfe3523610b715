"""The standard input as a file, for who names "-" as a recording."""

import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from inside_musicnn.errors import InputError

NAME, TITLE = "-", "standard input"
_KEPT: list[TemporaryDirectory[str]] = []  # folders that go with the process


@cache
def standard_input() -> Path:
    """A temporary file with all that comes; it is there as long as this process.

    Raises:
        InputError: nothing comes, or nobody sends anything.
    """
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or sys.stdin.isatty():
        raise InputError("The standard input is no file or pipe; send it audio, or give the path "
                         "of an audio file.")
    _KEPT.append(TemporaryDirectory(prefix="inside-musicnn-"))
    file = Path(_KEPT[-1].name) / TITLE
    try:
        with file.open("wb") as target:
            shutil.copyfileobj(stream, target, 2**20)
    except OSError as error:
        raise InputError(f"The standard input cannot be read: {error.strerror}.") from None
    if not file.stat().st_size:
        raise InputError("The standard input is empty; send it audio.")
    return file
