"""Versions of Python and of installed packages."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

NUMBERS = ("musicnn", "tensorflow", "numpy", "librosa", "soundfile", "soxr")  # they decide numbers


def installed(names: Iterable[str]) -> dict[str, str]:
    """Version of each of the packages that is installed, by name."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def everything(further: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python and of the packages that decide numbers, and of `further` ones."""
    return {"python": platform.python_version()} | installed((*NUMBERS, *further))
