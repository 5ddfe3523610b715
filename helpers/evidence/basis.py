"""What a statement rests on: how many recordings of how many authors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Basis:
    """Counts behind a statement about music.

    Attributes:
        recordings: how many recordings were looked at.
        sources: of how many authors; where none is known, a package counts as one.
        patches: how many patches of 3 s, or 0 where that is beside the point.
        kind: "recording" or "synthesised".
    """

    recordings: int
    sources: int
    patches: int = 0
    kind: str = "recording"

    @property
    def words(self) -> str:
        """Such as "5,800 patches of 250 recordings by 85 authors"."""
        what = "recording" if self.kind == "recording" else "synthesised clip"
        text = f"{_counted(self.recordings, what)} by {_counted(self.sources, 'author')}"
        return f"{_counted(self.patches, 'patch', 'patches')} of {text}" if self.patches else text

    def __str__(self) -> str:
        return self.words


def basis_of(ids: Iterable[str], sources: Iterable[str], patches: int = 0) -> Basis:
    """The basis of rows that belong to these recordings and sources, one of each for a row."""
    return Basis(len(set(ids)), len(set(sources)), patches)


def numbers_of(labels: Sequence[object] | np.ndarray) -> np.ndarray:
    """Labels as whole numbers from 0 in the order of their first appearance, shape (n,)."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(label, len(known)) for label in labels], int)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
