"""Files and folders made aside: an older one is replaced at once, when the new one is complete."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inside_musicnn.errors import InputError
from inside_musicnn.file_names import shown

ON_ITS_WAY = ".new-"  # begins the names of temporary folders; what a kill leaves of them is rest
TRIES = 10


@contextmanager
def new_version(output: Path) -> Iterator[Path]:
    """A place for the new version of a file or folder, in a temporary folder beside `output`.

    When the body ends well, what it made there takes the place of `output`; when it ends with an
    error, nothing is left of it. If it made nothing, nothing is replaced.

    Raises:
        OSError: the place cannot be written to, the disk is full, or a folder stands where the
            new version is a file.
    """
    folder = Path(tempfile.mkdtemp(prefix=ON_ITS_WAY, dir=output.parent))
    try:
        new = folder / output.name
        yield new
        if new.exists():
            put_in_place(new, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(file: Path, content: bytes | str) -> None:
    """Write a file anew in one step; text as UTF-8. Raises OSError."""
    with new_version(file) as place:
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def put_in_place(new: Path, output: Path) -> None:
    """Move a finished file or folder to its place; an older one goes away at the same moment.

    A file replaces only a file, a folder only a folder: nothing else is lost. Several commands may
    do the same at once, and the last one stays.

    Raises:
        OSError: something of another kind stands there, or the place cannot be written to.
    """
    if not new.is_dir():
        os.replace(new, output)
        return
    for attempt in range(TRIES):
        old = Path(tempfile.mkdtemp(prefix=ON_ITS_WAY, dir=output.parent))
        try:
            if output.is_dir():
                output.rename(old / "old")
            new.rename(output)
            return
        except OSError:  # another command took the older one away, or was faster by a moment
            if (old / "old").exists() and not output.exists():
                (old / "old").rename(output)
            if attempt == TRIES - 1:
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def aside(output: str | Path) -> Iterator[Path]:
    """As `new_version`, for an output that a reader named.

    Raises:
        InputError: the place cannot be written to, holds something of another kind, or the disk
            is full.
    """
    output = Path(output).expanduser().resolve()
    if output.exists() and not (output.is_file() or output.is_dir()):
        raise InputError(f"The output {shown(output)} is not a file; give the name of one.")
    try:
        with new_version(output) as place:
            yield place
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"The output {shown(output)} cannot be written: {why}.") from error
