"""Folders of runs: made aside, put in place in one step, kept when they failed."""

import shutil
import tempfile
from pathlib import Path

from helpers.errors import BookError

WHY = "why.txt"
TRIES = 10


def new_folder(output: Path) -> Path:
    """A temporary folder beside the run's place, so that moving it there is one step."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=f".{output.name}.building-", dir=output.parent)
    except OSError as error:
        raise BookError(f"The output folder {shown(output)} cannot be made: "
                        f"{error.strerror}.") from None
    return Path(folder)


def publish(folder: Path, output: Path) -> None:
    """Put the finished run in its place; an older one goes away at the same moment."""
    folder.chmod(0o755)  # mkdtemp's own mode would hide the site from a web server
    for attempt in range(TRIES):
        old = Path(tempfile.mkdtemp(prefix=f".{output.name}.old-", dir=output.parent))
        try:
            if output.exists():
                output.rename(old / "run")
            folder.rename(output)
            return
        except OSError:  # another run took the older one away, or was faster by a moment
            if (old / "run").exists() and not output.exists():
                (old / "run").rename(output)
            if attempt == TRIES - 1:
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)


def _failed(output: Path) -> Path:
    return output.with_name(output.name + ".failed")


def keep_failed(folder: Path, output: Path, why: str) -> Path:
    """Move an unfinished run to `<output>.failed`, so that its chapters and logs can be read."""
    place = _failed(output)
    remove_failed(output)
    if place.exists():
        place = place.with_name(folder.name.lstrip(".").replace("building", "failed"))
    (folder / WHY).write_text(why + "\n", encoding="utf-8")
    for hidden in (".jupyter", ".site"):
        shutil.rmtree(folder / hidden, ignore_errors=True)
    folder.chmod(0o755)
    folder.rename(place)
    return place


def remove_failed(output: Path) -> None:
    """Remove what an earlier failure left, and nothing that is not ours."""
    if (_failed(output) / WHY).is_file():
        shutil.rmtree(_failed(output), ignore_errors=True)


def shown(path: Path) -> str:
    """A path as short as it can be told from where the reader stands."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
