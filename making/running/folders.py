"""Folders of runs: made aside, put in place in one step, kept when they failed."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inside_musicnn.errors import InputError
from inside_musicnn.file_names import shown
from inside_musicnn.replacing import put_in_place

WHY = "why.txt"
LOCK = ".in-use"  # locked while the run lives; the system unlocks it when the run ends, or dies


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """A temporary folder beside the run's place, so that moving it there is one step.

    What a run that was killed left beside it is removed.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(output)
        folder = Path(tempfile.mkdtemp(prefix=_building(output), dir=output.parent))
    except OSError as error:
        raise InputError(f"The output folder {shown(output)} cannot be made: "
                         f"{error.strerror}.") from None
    try:
        with (folder / f"{LOCK}.new").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            Path(lock.name).rename(folder / LOCK)  # it appears locked
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _building(output: Path) -> str:
    return f".{output.name}.building-"


def _remove_dead(output: Path) -> None:
    """Remove folders of runs that were killed: nobody holds their lock."""
    for folder in output.parent.glob("*"):
        if not folder.name.startswith(_building(output)):
            continue
        try:
            with (folder / LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # alive, or just being made
            continue
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, output: Path) -> None:
    """Put the finished run in its place; an older one goes away at the same moment."""
    folder.chmod(0o755)  # mkdtemp's own mode would hide the site from a web server
    (folder / LOCK).unlink(missing_ok=True)
    put_in_place(folder, output)


def _failed(output: Path) -> Path:
    return output.with_name(output.name + ".failed")


def keep_failed(folder: Path, output: Path, why: str) -> Path:
    """Move an unfinished run to `<output>.failed`, so that its chapters and logs can be read."""
    place = _failed(output)
    remove_failed(output)
    if place.exists():
        place = place.with_name(folder.name.lstrip(".").replace("building", "failed"))
    (folder / WHY).write_text(why + "\n", encoding="utf-8")
    (folder / LOCK).unlink(missing_ok=True)
    for name in (".jupyter", ".site"):
        for hidden in [folder / name, *folder.glob(f"*/*/{name}")]:
            shutil.rmtree(hidden, ignore_errors=True)
    folder.chmod(0o755)
    folder.rename(place)
    return place


def remove_failed(output: Path) -> None:
    """Remove what an earlier failure left, and nothing that is not ours."""
    if (_failed(output) / WHY).is_file():
        shutil.rmtree(_failed(output), ignore_errors=True)
