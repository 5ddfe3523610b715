"""Types are right: mypy finds nothing, and would find a mistake."""

import subprocess
import sys

import pytest
from conftest import ROOT


def mypy(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "mypy", *arguments], capture_output=True,
                          text=True, **options)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


def test_the_packages_are_well_typed(cache):
    done = mypy("--cache-dir", cache, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


WRONG = {
    'load_clip(7)': "arg-type",
    'load_clip("disco", segment=1)': "call-arg",
    'MusiCNN("MSD_musicnn").tags("disco").top()': "attr-defined",
    'extractor("disco", extract_features=False)[2]': "misc",
    'read_corpus("here").matrix(0)': "arg-type",
}


def test_who_uses_the_library_is_told_of_mistakes(cache, tmp_path):
    """What is imported from the package itself has types, although it is imported late."""
    lines = ["from inside_musicnn import MusiCNN, extractor, load_clip, read_corpus", *WRONG]
    (tmp_path / "user.py").write_text("\n".join(lines) + "\n")
    done = mypy("--cache-dir", cache, tmp_path / "user.py", cwd=ROOT)
    found = [line for line in done.stdout.splitlines() if ": error:" in line]
    for number, code in enumerate(WRONG.values(), start=2):
        assert any(f"user.py:{number}:" in line and line.endswith(f"[{code}]")
                   for line in found), done.stdout
