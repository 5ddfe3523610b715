"""The environment of the optional peers: .venv-bench, on top of the book's own packages."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from inside_musicnn.checksums import of_bytes
from making.benchmarks.peers import REQUIREMENTS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-bench"


def python_of(folder):
    """The Python of an environment, or this one if there is none."""
    found = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return str(found) if found.exists() else sys.executable


def sections():
    """What the requirements file asks for, by competitor: dict from name to a list of lines."""
    found, name = {}, None
    for line in (ROOT / REQUIREMENTS).read_text().splitlines():
        heading = re.fullmatch(r"# \[(\w+)\]", line)
        if heading:
            name = heading[1]
            found[name] = []
        elif line and not line.startswith("#"):
            found[name].append(line)
    return found


def install(folder, say):
    """Make the environment and install each section, unless that is done.

    What the book has already is kept in the book's version, so that all peers share it. A section
    that cannot be installed is told and left out.
    """
    folder = Path(folder)
    stamp = folder / "installed.json"
    done = json.loads(stamp.read_text()) if stamp.exists() else {}
    if done.get("base") != _digest(sys.prefix, sys.version):
        say(f"Setting up {folder.name} ...")
        venv.create(folder, with_pip=True, clear=True)
        _see_the_book(folder)
        done = {"base": _digest(sys.prefix, sys.version)}
    for name, wanted in sections().items():
        if done.get(name) == _digest(*wanted):
            continue
        say(f"Installing {', '.join(wanted)} into {folder.name} ...")
        command = [python_of(folder), "-m", "pip", "install", "--quiet", "--constraint",
                   str(ROOT / "requirements.txt"), *wanted]
        failed = subprocess.run(command, capture_output=True, text=True)
        if failed.returncode:
            errors = [line for line in failed.stderr.splitlines() if line.startswith("ERROR")]
            say(f"{name} cannot be installed: {(errors or ['unknown reason'])[-1]}")
        else:
            done[name] = _digest(*wanted)
        stamp.write_text(json.dumps(done, indent=1))


def _see_the_book(folder):
    """The book's packages stand behind the environment's own on its path."""
    told = subprocess.run(
        [python_of(folder), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True)
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (Path(told.stdout.strip()) / "book.pth").write_text(line)


def _digest(*texts):
    return of_bytes("\n".join(texts).encode())
