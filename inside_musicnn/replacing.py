"""Answers written aside: an older file or folder is replaced when the new one is complete."""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from inside_musicnn.errors import InputError
from inside_musicnn.file_names import shown


@contextmanager
def aside(output):
    """A place for the new answer: a path in a temporary folder beside `output`.

    The body makes a file or a folder there. When it ends well, that takes the place of `output`;
    when it ends with an error, nothing is left of it. If it made nothing, nothing is replaced.

    Raises:
        InputError: the place cannot be written to, or the disk is full.
    """
    output = Path(output).expanduser().resolve()
    if output.exists() and not (output.is_file() or output.is_dir()):
        raise InputError(f"The output {shown(output)} is not a file; give the name of one.")
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".musicnn-book-", dir=output.parent))
        yield folder / "new"
        if (folder / "new").exists():
            _publish(folder, output)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"The output {shown(output)} cannot be written: {why}.") from error
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _publish(folder, output):
    """Put folder/new in its place; what stands there goes to folder/old or is overwritten."""
    if output.is_dir():
        output.rename(folder / "old")
    try:
        (folder / "new").rename(output)
    except OSError:
        if (folder / "old").exists():
            (folder / "old").rename(output)
        raise
