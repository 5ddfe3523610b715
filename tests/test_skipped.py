"""Who runs the tests without a browser is told what was left out, and what to install."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDS_ONE = "tests/test_timeline.py::test_a_tap_seeks"


def test_the_last_lines_say_what_to_install(tmp_path):
    nowhere = {key: value for key, value in os.environ.items() if key != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", NEEDS_ONE], cwd=ROOT,
        env=nowhere | {"PATH": str(tmp_path)}, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    assert done.returncode == 0, done.stdout
    assert lines[-3].startswith("Not run, as there is no browser: tests/test_timeline.py (1);")
    assert "apt-get install chromium" in lines[-2] and "tests/test_timeline.py" in lines[-2]
    assert "1 skipped" in lines[-1]
