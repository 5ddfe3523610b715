"""What a study looks at: one network, and some patches of one recording."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from inside_musicnn import MusiCNN
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.weights import Weights


@dataclass(frozen=True, eq=False)
class Subject:
    """One network, and a sample of the patches of one recording.

    Attributes:
        model: "MSD_musicnn" or "MTT_musicnn".
        patches: shape (n, 187, 96).
        seed: of this recording, for whatever is drawn by lot; the same on every machine.
    """

    model: str
    patches: np.ndarray
    seed: int = 0

    @property
    def net(self) -> MusiCNN:
        """The compact network, opened once."""
        return _net(self.model)

    @property
    def engine(self) -> Compact:
        """The folded network behind it, for what is no named layer."""
        return _engine(self.model)

    @property
    def original(self) -> MusiCNN:
        """The original graph, opened once."""
        return _original(self.model)

    @property
    def weights(self) -> Weights:
        return Weights(self.model)

    @cached_property
    def random(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


@cache
def _net(model: str) -> MusiCNN:
    return MusiCNN(model, compact=True, threads=1)


@cache
def _engine(model: str) -> Compact:
    return Compact(Weights(model), threads=1)


@cache
def _original(model: str) -> MusiCNN:
    return MusiCNN(model)
