"""The sources are clean: the linter's rules, and nothing of anyone's machine."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


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
