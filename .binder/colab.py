"""Adds what the chapters need to a Python that has most of it, such as Colab's.

Called by the set-up cell of each chapter. What is installed stays as it is: replacing NumPy or
TensorFlow under a running notebook would ask for a restart.
"""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What the chapters and the helpers behind them import: distribution names.
NEEDED = ("numpy", "scipy", "tensorflow", "tf_keras", "librosa", "soundfile", "soxr", "av",
          "threadpoolctl", "google-crc32c", "matplotlib", "matplotlib-inline", "pillow", "psutil",
          "ipython", "pandas", "pyarrow", "dask", "distributed", "jinja2",
          "markupsafe", "pyyaml", "rich")
ROOT = Path(__file__).resolve().parent.parent


def installed(name):
    """The installed version, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def missing():
    """Requirements for what is not there; tf_keras in the version of the TensorFlow that is."""
    wanted = [name for name in NEEDED if installed(name) is None]
    tensorflow = installed("tensorflow")
    if "tf_keras" in wanted and tensorflow:
        minor = ".".join(tensorflow.split(".")[:2])
        wanted[wanted.index("tf_keras")] = f"tf_keras=={minor}.*"
    return wanted


def commands():
    """The calls of pip that are needed, each a list of arguments."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    calls = [pip + missing()] if missing() else []
    if installed("musicnn") is None:  # it pins libraries of its year, which it does not need
        calls.append(pip + ["--no-deps", "--requirement", str(ROOT / "requirements-nodeps.txt")])
    return calls


if __name__ == "__main__":
    for call in commands():
        subprocess.run(call, check=True)
