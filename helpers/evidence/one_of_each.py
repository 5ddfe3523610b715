"""One patch of each recording that comes with the book: what a chapter can compute in every run."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from helpers.evidence.basis import Basis, basis_of
from inside_musicnn.sound.clips import load_clip
from inside_musicnn.sound.shipped import RECORDING, clip_facts, clip_names
from inside_musicnn.sound.spectrogram import PATCH_SECONDS

SECOND = 15.0  # where in an excerpt of half a minute the patch begins


@dataclass(frozen=True, eq=False)
class OneOfEach:
    """One patch of each recording.

    Attributes:
        names: of the recordings.
        sources: whose each is: the clusters for intervals, shape (n,).
        patches: shape (n, 187, 96).
    """

    names: tuple[str, ...]
    sources: np.ndarray
    patches: np.ndarray

    @property
    def basis(self) -> Basis:
        return basis_of(self.names, self.sources, len(self.patches))


@cache
def one_of_each(second: float = SECOND) -> OneOfEach:
    """A patch of each recording, from this second on."""
    names = tuple(clip_names(RECORDING))
    patches = [load_clip(name, offset=second, duration=PATCH_SECONDS + 0.01).patches()[0]
               for name in names]
    sources = [clip_facts(name)["source"] for name in names]
    return OneOfEach(names, np.array(sources), np.stack(patches))
