"""What the weights alone say of a unit: whether it lives, its kernel, what it reads and feeds.

Explained in chapters 4 to 15; the pages of the units and `musicnn-book unit` tell it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import DENSE, FAMILIES, LAYERS, ROWS, SERIES, TAGS, UNITS
from inside_musicnn.network.live_layers import CONVOLUTIONS, SUMS
from inside_musicnn.network.live_weights import LiveWeights
from inside_musicnn.network.units import row_unit

U, OF_DENSE, OF_TAGS = "cnn_1/out", "dense/norm", "tags/logits"
SIZES = {U: ROWS} | dict.fromkeys((*CONVOLUTIONS, *SUMS), UNITS) | {OF_DENSE: DENSE, OF_TAGS: TAGS}
SUM_OF = {"cnn_3/sum": ("cnn_2/norm", "cnn_3/norm"), "cnn_4/sum": ("cnn_3/sum", "cnn_4/norm")}
BELOW = {"cnn_2/norm": U, "cnn_3/norm": "cnn_2/norm", "cnn_4/norm": "cnn_3/sum"}
POOLED = (U, "cnn_2/norm", *SUMS)  # in the order of the 753 series
TOLD = 8  # links in a record


@dataclass(frozen=True)
class Link:
    """A unit of another layer that is read, or reads.

    Attributes:
        layer, number: which.
        weights: as they are applied to the lower unit's normalised output: one for each frame of
            the kernel; into the dense layer, for the maximum and the mean over time, with the
            gain of their normalisation; in a sum, 1.
        strength: by how much the upper unit's input moves for one usual deviation of the lower
            unit: norm of the weights, each times that deviation. Into the dense layer it is that
            of the maximum and of the mean, which the network remembers; elsewhere the measured
            one, and None where nothing was measured.
    """

    layer: str
    number: int
    weights: tuple[float, ...]
    strength: float | None

    @property
    def size(self) -> float:
        """Norm of the weights."""
        return float(np.linalg.norm(self.weights))

    def as_dict(self) -> dict[str, Any]:
        """What is known of it."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class UnitFacts:
    """One unit, row or tag.

    Attributes:
        model, layer, number: which.
        name: what the book calls it; of a tag, the tag.
        symbol, chapter: of its layer.
        family, unit: of CNN_1, the family and the number within it.
        alive: whether it lives; a row of a sum does where a part of it does.
        norm: Frobenius norm of its kernel; of a sum's row, the largest of its parts'.
        threshold: the rule: a unit lives if the norm is above it; tags are never left out.
        gain, offset: of its normalisation; None for sums and tags.
        bias: what is added before; None for sums and tags.
        constant: what it gives whatever the music, if it does not live; else None.
        kernel: the released numbers: CNN_1, (frames, bands); CNN_2 to CNN_4, (frames, rows that
            vary below, rising); None elsewhere, and of units that do not live.
        reads, feeds: live units below and above, strongest first; where strengths are not known,
            largest first.
    """

    model: str
    layer: str
    number: int
    name: str
    symbol: str
    chapter: int
    family: str | None
    unit: int | None
    alive: bool
    norm: float
    threshold: float
    gain: float | None
    offset: float | None
    bias: float | None
    constant: float | None
    kernel: np.ndarray | None = field(repr=False)
    reads: tuple[Link, ...] = field(repr=False)
    feeds: tuple[Link, ...] = field(repr=False)

    @property
    def times_threshold(self) -> float:
        """Norm over threshold: the margin of the rule."""
        return self.norm / self.threshold

    @property
    def sense(self) -> str | None:
        """"correlation" where the gain is positive, else "anti-correlation"."""
        if self.gain is None:
            return None
        return "correlation" if self.gain > 0 else "anti-correlation"

    def record(self) -> dict[str, Any]:
        """The fields that `data/units/README.md` describes, of these the weights' part."""
        found = dict(vars(self)) | {
            "times_threshold": self.times_threshold, "sense": self.sense,
            "kernel": self.kernel if self.layer == U else None,
            "reads": [link.as_dict() for link in self.reads[:TOLD]],
            "feeds": [link.as_dict() for link in self.feeds[:TOLD]]}
        return {name: value for name, value in found.items() if value is not None}


def unit_facts(kept: LiveWeights, layer: str, number: int,
               deviations: Mapping[str, np.ndarray] | None = None) -> UnitFacts:
    """What is known of one unit: see `Facts`."""
    return Facts(kept, deviations).of(layer, number)


class Facts:
    """One network, ready to be asked.

    Args:
        kept: its live weights.
        deviations: from each layer that is read to the standard deviation of its live units over
            some music; None where nothing was measured.
    """

    def __init__(self, kept: LiveWeights, deviations: Mapping[str, np.ndarray] | None = None
                 ) -> None:
        self.kept, self._deviations = kept, deviations

    def live(self, layer: str) -> np.ndarray:
        """Numbers of the live units of a layer, rising."""
        kept = self.kept
        if layer == U:
            return kept.rows_of_u()
        if layer in SUMS:
            return kept.rows_below(4 if layer == "cnn_3/sum" else 5)
        return kept.live[layer.split("/")[0]]

    def of(self, layer: str, number: int) -> UnitFacts:
        """What is known of one unit.

        Args:
            layer: a name from SIZES.
            number: of the unit, row or tag, from 0.

        Raises:
            InputError: no such layer or unit.
        """
        if layer not in SIZES:
            raise InputError(f"There are no units of a layer '{layer}'; choose one of "
                             f"{', '.join(SIZES)}.")
        if not 0 <= number < SIZES[layer]:
            raise InputError(f"'{layer}' has no unit {number}; its units are 0 to "
                             f"{SIZES[layer] - 1}.")
        kept, alive = self.kept, bool((self.live(layer) == number).any())
        name = kept.labels[number] if layer == OF_TAGS else f"{layer} {number}"
        family = unit = None
        if layer == U:
            family, unit = row_unit(number)
            name = f"{family} unit {unit}"
        bias = gain = offset = constant = None
        if layer not in (*SUMS, OF_TAGS):
            block, place = self.block(layer, number)
            bias, gain, offset = (float(kept.block(block)[each][place])
                                  for each in ("bias", "gain", "offset"))
        if not alive:
            constant = float(self._steady[layer][number])
        return UnitFacts(
            kept.model, layer, int(number), name, LAYERS[layer].symbol, LAYERS[layer].chapter,
            family, unit, alive, float(self.norms(layer)[number]), kept.threshold, gain, offset,
            bias, constant, self._kernel(layer, number) if alive else None,
            *((self._reads(layer, number), self._feeds(layer, number)) if alive else ((), ())))

    def norms(self, layer: str) -> np.ndarray:
        """Kernel norm of each unit, shape (units,); of a sum's row, the largest of its parts'."""
        norms = self.kept.norms
        if layer in SUM_OF:
            return np.maximum(*(self.norms(part) for part in SUM_OF[layer]))
        if layer == U:
            return np.concatenate([norms[f"cnn_1/{name}"] for name in FAMILIES])
        return norms[layer.split("/")[0]]

    @staticmethod
    def block(layer: str, number: int) -> tuple[str, int]:
        """The parameters behind a unit, and its number among them."""
        if layer == U:
            family, unit = row_unit(number)
            return f"cnn_1/{family}", unit
        return layer.split("/")[0], number

    def _kernel(self, layer: str, number: int) -> np.ndarray | None:
        if not layer.startswith("cnn") or layer in SUMS:
            return None
        block, unit = self.block(layer, number)
        return self.kept.kernels[block][..., np.searchsorted(self.kept.live[block], unit)]

    @cached_property
    def _steady(self) -> dict[str, np.ndarray]:
        """What does not vary in each unit of each layer."""
        kept = self.kept
        found = {name: kept.steady(name.split("/")[0]) for name in (*CONVOLUTIONS, OF_DENSE)}
        parts = np.split(kept.steady_series(), ROWS + UNITS * np.arange(3))
        return found | dict(zip(POOLED, parts, strict=True))

    def _reads(self, layer: str, number: int) -> tuple[Link, ...]:
        place = int(np.searchsorted(self.live(layer), number))
        return _links((lower, self.live(lower), weights[:, :, place], strengths[:, place])
                      for (lower, upper), (weights, strengths) in self._between.items()
                      if upper == layer)

    def _feeds(self, layer: str, number: int) -> tuple[Link, ...]:
        place = int(np.searchsorted(self.live(layer), number))
        return _links((upper, self.live(upper), weights[:, place], strengths[place])
                      for (lower, upper), (weights, strengths) in self._between.items()
                      if lower == layer)

    @cached_property
    def _between(self) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
        """Of each two layers of which one reads the other: the weights as they are applied,
        (frames or kinds of pooling, live below, live above), and the strengths, (below, above)."""
        kept, found = self.kept, {}
        for upper, lower in BELOW.items():
            found[lower, upper] = self._strong(lower, kept.kernels[upper.split("/")[0]])
        for upper, parts in SUM_OF.items():
            for lower in parts:
                same = (self.live(lower)[:, None] == self.live(upper)).astype(float)
                found[lower, upper] = self._strong(lower, same[None])
        pool, series = kept.block("pool"), kept.series()
        gain, variance = (pool[name].astype(np.float64).reshape(SERIES, 2)[series]
                          for name in ("gain", "variance"))
        into = np.moveaxis(kept.kernels["dense"].astype(np.float64) * gain[..., None], 1, 0)
        usual = np.sqrt(variance).T[..., None]
        first = 0
        for lower in POOLED:
            rows = slice(first, first := first + len(self.live(lower)))
            weights = into[:, rows]
            found[lower, OF_DENSE] = weights, np.linalg.norm(weights * usual[:, rows], axis=0)
        found[OF_DENSE, OF_TAGS] = self._strong(OF_DENSE, kept.kernels["tags"][None])
        return found

    def _strong(self, lower: str, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self._deviations is None:
            return weights, np.full(weights.shape[1:], np.nan)
        usual = np.asarray(self._deviations[lower], float)
        return weights, np.linalg.norm(weights.astype(np.float64), axis=0) * usual[:, None]


def _links(of: Any) -> tuple[Link, ...]:
    """Those that are not zero, strongest first."""
    found = [Link(layer, int(number), tuple(float(str(each)) for each in weights[:, place]),
                  None if np.isnan(strengths[place]) else float(strengths[place]))
             for layer, numbers, weights, strengths in of
             for place, number in enumerate(numbers) if weights[:, place].any()]
    known = all(link.strength is not None for link in found)
    return tuple(sorted(found, key=lambda link: -(link.strength or 0 if known else link.size)))
