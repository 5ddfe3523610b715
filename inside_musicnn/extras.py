"""What the library can do with more packages than it needs, and how to get these.

Extras are installed by name: pip install 'inside-musicnn[corpus]'.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from inside_musicnn.errors import InputError

MUSICNN = "pip install --no-deps musicnn==0.1.0"  # it pins libraries of its year


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Context in which a package that cannot be imported becomes one sentence.

    Args:
        extra: the name of the extra that brings it.
        what: what needs it, as the beginning of a sentence.

    Raises:
        InputError: something is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "inside_musicnn":
            raise
        raise InputError(missing(extra, what)) from error


def missing(extra: str, what: str) -> str:
    """The sentence that says which extra `what` needs."""
    further = f", and the package musicnn with: {MUSICNN}" if extra == "original" else ""
    return (f"{what} needs the extra '{extra}'; install it with: pip install "
            f"'inside-musicnn[{extra}]'{further}.")
