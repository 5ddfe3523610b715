"""What the weights alone say of a unit: whether it lives, its kernel, what it reads and feeds.

Explained in chapters 4 to 15; `musicnn-book unit` prints it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import DENSE, LAYERS, ROWS, TAGS, UNITS
from inside_musicnn.network.live_layers import CONVOLUTIONS
from inside_musicnn.network.live_weights import LiveWeights
from inside_musicnn.network.units import row_unit
from inside_musicnn.network.whole_shapes import InWholeShapes

LAYERS_WITH_UNITS = {"cnn_1/out": ROWS, "cnn_2/norm": UNITS, "cnn_3/norm": UNITS,
                     "cnn_4/norm": UNITS, "dense/norm": DENSE, "tags/logits": TAGS}


@dataclass(frozen=True)
class Link:
    """A unit of another layer that is read, or reads.

    Attributes:
        layer, unit: which.
        weight: norm of the weights between the two, as they are applied to the normalised outputs.
    """

    layer: str
    unit: int
    weight: float


@dataclass(frozen=True)
class UnitFacts:
    """One unit.

    Attributes:
        model, layer, unit: which.
        family: of CNN_1, the family and the unit's number within it; of a tag, its name; else "".
        norm: Frobenius norm of its kernel.
        threshold: the rule: a unit lives if the norm is above it; tags are never left out.
        alive: whether it does.
        bias, gain, offset: its numbers; gain and offset of its normalisation, None for tags.
        constant: what it gives whatever the music, if it does not live; else None.
        kernel: the released numbers: CNN_1, (frames, bands); CNN_2 to CNN_4, (frames, rows that
            vary below, rising); None elsewhere, and of units that do not live.
        reads: live units of the layers below, strongest first.
        feeds: live units of the layers above, strongest first.
    """

    model: str
    layer: str
    unit: int
    family: str
    norm: float
    threshold: float
    alive: bool
    bias: float
    gain: float | None
    offset: float | None
    constant: float | None
    kernel: np.ndarray | None = field(repr=False)
    reads: tuple[Link, ...] = field(repr=False)
    feeds: tuple[Link, ...] = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        found = {name: value for name, value in vars(self).items() if value is not None}
        for name in ("reads", "feeds"):
            found[name] = [vars(link) for link in found[name]]
        if self.kernel is not None:
            found["kernel"] = [[float(str(value)) for value in row] for row in self.kernel]
        return found


def unit_facts(kept: LiveWeights, layer: str, unit: int) -> UnitFacts:
    """What is known of one unit.

    Args:
        kept: the live weights of a network.
        layer: a name from LAYERS_WITH_UNITS.
        unit: its number, from 0; of cnn_1/out, the row of U.

    Raises:
        InputError: no such layer or unit.
    """
    if layer not in LAYERS_WITH_UNITS:
        raise InputError(f"There are no units of a layer '{layer}'; choose one of "
                         f"{', '.join(LAYERS_WITH_UNITS)}.")
    if not 0 <= unit < LAYERS_WITH_UNITS[layer]:
        raise InputError(f"'{layer}' has no unit {unit}; its units are 0 to "
                         f"{LAYERS_WITH_UNITS[layer] - 1}.")
    block, number, family = LAYERS[layer].block, unit, ""
    if layer == "cnn_1/out":
        name, number = row_unit(unit)
        block, family = f"cnn_1/{name}", f"{name}, {number}"
    values = kept.block(block)
    norm = float(kept.norms[block][number])
    alive = bool((kept.live[block] == number).any())
    gain = offset = constant = None
    if layer == "tags/logits":
        family = kept.labels[unit]
    else:
        gain, offset = float(values["gain"][number]), float(values["offset"][number])
    if not alive:
        constant = float(kept.steady(block)[number])
    place = int(np.searchsorted(kept.live[block], number))
    kernel = None
    if alive and layer.startswith("cnn"):
        kernel = kept.kernels[block][..., place]
    weights = _Between(kept)
    return UnitFacts(kept.model, layer, unit, family, norm, kept.threshold, alive,
                     float(values["bias"][number]), gain, offset, constant, kernel,
                     weights.reads(layer, unit) if alive else (),
                     weights.feeds(layer, unit) if alive else ())


class _Between:
    """Norms of the weights between the units of two layers, as applied to normalised outputs."""

    def __init__(self, kept: LiveWeights) -> None:
        self._kept, self._whole = kept, InWholeShapes(kept, 1)

    def reads(self, layer: str, unit: int) -> tuple[Link, ...]:
        if layer == "tags/logits":
            return _links([("dense/norm", np.abs(self._whole.weights("tags")["kernel"][:, unit]))])
        if layer == "dense/norm":
            return _links([(each, strengths[:, unit])
                           for each, strengths in self._into_dense().items()])
        return _links([(below, self._kernel(layer, below)[:, unit]) for below in _below(layer)])

    def feeds(self, layer: str, unit: int) -> tuple[Link, ...]:
        if layer == "tags/logits":
            return ()
        if layer == "dense/norm":
            return _links([("tags/logits", np.abs(self._whole.weights("tags")["kernel"][unit]))])
        above = [(each, self._kernel(each, layer)[unit]) for each in CONVOLUTIONS
                 if layer in _below(each)]
        return _links([*above, ("dense/norm", self._into_dense()[layer][unit])])

    def _kernel(self, layer: str, below: str) -> np.ndarray:
        """Norm over the frames of the kernel, shape (units below, units)."""
        kernel = self._whole.weights(LAYERS[layer].block)["kernel"]
        return self._of_live(below, np.sqrt((kernel**2).sum(axis=0)))

    def _into_dense(self) -> dict[str, np.ndarray]:
        """From each layer of series, by way of all sums that hold it, (rows, dense units)."""
        kernel = self._whole.weights("dense")["kernel"]
        kernel = kernel * self._whole.weights("pool")["gain"][:, None]
        kernel = kernel.reshape(-1, 2, DENSE)
        u, one, two, three = np.split(kernel, ROWS + UNITS * np.arange(3))
        parts = {"cnn_1/out": u, "cnn_2/norm": np.concatenate([one, two, three], axis=1),
                 "cnn_3/norm": np.concatenate([two, three], axis=1), "cnn_4/norm": three}
        return {layer: self._of_live(layer, np.sqrt((part**2).sum(axis=1)))
                for layer, part in parts.items()}

    def _of_live(self, layer: str, norms: np.ndarray) -> np.ndarray:
        """Without units that do not live: the row of a sum moves by its other parts, too."""
        if layer in CONVOLUTIONS:
            norms[np.setdiff1d(np.arange(UNITS), self._kept.live[LAYERS[layer].block])] = 0
        return norms


def _below(layer: str) -> tuple[str, ...]:
    """What a layer of CNN_2 to CNN_4 reads; CNN_4 reads a sum."""
    return {"cnn_2/norm": ("cnn_1/out",), "cnn_3/norm": ("cnn_2/norm",),
            "cnn_4/norm": ("cnn_2/norm", "cnn_3/norm")}.get(layer, ())


def _links(of: list[tuple[str, np.ndarray]]) -> tuple[Link, ...]:
    """Those that are not zero, strongest first."""
    found = [Link(layer, int(unit), float(strengths[unit])) for layer, strengths in of
             for unit in np.flatnonzero(strengths)]
    return tuple(sorted(found, key=lambda link: -link.weight))
