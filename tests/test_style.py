"""The sources are clean: the linter's rules, and nothing of anyone's machine."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 5_000_000  # bytes of a file in the repository


def test_linter():
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "."], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_lock_names_versions_and_no_host():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert all(re.match(r"[A-Za-z0-9._-]+==[^ ]+( ;.*)?$", line) for line in lines)
    locked = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    direct = {re.split(r"[=<>~!]", line)[0].strip().lower().replace("_", "-")
              for line in (ROOT / "requirements.in").read_text().splitlines()
              if line and not line.startswith("#")}
    assert direct <= locked


def test_no_file_is_large():
    """What is stored stays in files that a repository carries with ease."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if done.returncode:
        pytest.skip("this copy of the book is no Git repository")
    files = [ROOT / name.decode() for name in done.stdout.split(b"\0") if name]
    assert not [file for file in files if file.is_file() and file.stat().st_size > LARGEST]


def test_alternative_texts_are_no_wider_than_code():
    for file in (ROOT / "book").glob("*.ipynb"):
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.source.startswith("%%alt"):
                assert max(map(len, cell.source.split("\n"))) <= 100, (file.name, cell.source)
