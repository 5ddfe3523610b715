"""Versions of installed packages."""

from importlib.metadata import PackageNotFoundError, version


def installed(names) -> dict[str, str]:
    """Version of each of the packages that is installed, by name."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
