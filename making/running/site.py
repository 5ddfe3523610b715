"""Build the website of a run with Jupyter Book; nothing is executed here."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from inside_musicnn.errors import RunError
from making.running.lighter_site import lighten_site

COMMAND = ("from making.running.lighter_imports import skip_grammar; skip_grammar(); "
           "from jupyter_book.cli.main import main; main()")
SHOWN = 10


def build_site(folder: Path) -> float:
    """Build `folder`/site from the pages in `folder`; return the seconds it took.

    What Jupyter Book says goes to logs/site.log. Warnings are errors.

    Raises:
        RunError: the site has warnings or could not be built; the message shows the lines.
    """
    begin = time.perf_counter()
    work = folder / ".site"
    log = folder / "logs" / "site.log"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-P", "-c", COMMAND, "build", str(folder), "-W", "--keep-going",
               "--path-output", str(work)]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            env=os.environ | {"NO_COLOR": "1", "PYTHONUTF8": "1"}, start_new_session=True,
        )
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    html = work / "_build" / "html"
    if code or not (html / "index.html").exists():
        raise RunError("The site has warnings, which count as errors:\n"
                         + "\n".join(complaints(log, folder)))
    lighten_site(html)
    shutil.move(html, folder / "site")
    shutil.rmtree(work)
    return round(time.perf_counter() - begin, 2)


def complaints(log: Path, folder: Path) -> list[str]:
    """The lines of Jupyter Book's log that say what is wrong; its end if none does."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(encoding="utf-8", errors="replace"))
    text = text.replace(f"{folder}/", "")
    # In a notebook, Sphinx counts 10000 lines to a cell.
    text = re.sub(r"\.ipynb:(\d+)\d{4}:", r".ipynb, cell \1:", text)
    lines = [line.rstrip() for line in text.splitlines()]
    found = [line for line in lines if re.search(r"WARNING:|ERROR:|CRITICAL:|Error\b", line)]
    if len(found) > SHOWN:
        found = found[:SHOWN] + [f"... and {len(found) - SHOWN} more in {log.name}"]
    return found or [line for line in lines if line][-SHOWN:]
