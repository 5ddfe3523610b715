"""What the weights alone say of a unit: whether it lives, its kernel, what it reads and feeds."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from inside_musicnn.network.compact import Compact
from inside_musicnn.network.layers import FAMILIES, ROWS, SERIES, UNITS
from inside_musicnn.network.live_layers import CONVOLUTIONS, SUMS, live_layers
from inside_musicnn.network.units import THRESHOLD, row_unit
from inside_musicnn.network.weights import Weights

DENSE, TAG = "dense/norm", "tags/logits"
SIZES = {"cnn_1/out": ROWS} | dict.fromkeys((*CONVOLUTIONS, *SUMS), UNITS) | {
    DENSE: 200, TAG: 50}
SYMBOLS = {"cnn_1/out": r"\mathbf{U}", "cnn_2/norm": r"\hat{\mathbf{V}}_1",
           "cnn_3/norm": r"\hat{\mathbf{V}}_2", "cnn_4/norm": r"\hat{\mathbf{V}}_3",
           "cnn_3/sum": r"\hat{\mathbf{V}}_1+\hat{\mathbf{V}}_2",
           "cnn_4/sum": r"\hat{\mathbf{V}}_1+\hat{\mathbf{V}}_2+\hat{\mathbf{V}}_3",
           DENSE: "", TAG: ""}
CHAPTERS = {"cnn_1/out": 8, "cnn_2/norm": 10, "cnn_3/norm": 11, "cnn_4/norm": 12,
            "cnn_3/sum": 11, "cnn_4/sum": 12, DENSE: 14, TAG: 14}
SUM_OF = {"cnn_3/sum": ("cnn_2/norm", "cnn_3/norm"),
          "cnn_4/sum": ("cnn_3/sum", "cnn_4/norm")}
MOST = 8  # links told of each unit


@dataclass(frozen=True)
class Link:
    """A connection between two units, `strength` of it for one usual deviation of the lower one.

    Attributes:
        lower, upper: layer and number.
        strength: size of the weights times the deviation of the lower unit over the corpus.
        weights: one for each frame of the kernel; of dense units those of maximum and mean.
    """

    lower: tuple[str, int]
    upper: tuple[str, int]
    strength: float
    weights: tuple[float, ...]


class Facts:
    """One network, read for the atlas.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        deviations: from each layer to the standard deviation of its live units over the corpus.
    """

    def __init__(self, model: str, deviations: dict[str, np.ndarray]) -> None:
        self.model, self.weights = model, Weights(model)
        self.folded = Compact(self.weights, threads=1).folded
        self.layers = live_layers(self.folded, self.weights.block("pool")["mean"])
        self.deviations = deviations

    def live(self, layer: str) -> np.ndarray:
        """Numbers of the live units of a layer."""
        if layer == TAG:
            return np.arange(SIZES[TAG])
        return self.folded.dense.live if layer == DENSE else self.layers[layer].live

    @cache  # noqa: B019 (there are two of these in a run)
    def norms(self, layer: str) -> np.ndarray:
        """Kernel norm of each unit, shape (units,); of a sum's row, the larger of its parts'."""
        if layer in SUM_OF:
            return np.maximum(*(self.norms(part) for part in SUM_OF[layer]))
        blocks = [f"cnn_1/{name}" for name in FAMILIES] if layer == "cnn_1/out" else [
            layer.split("/")[0]]
        kernels = [self.weights.block(block)["kernel"].astype(np.float64) for block in blocks]
        return np.concatenate([np.sqrt((each**2).sum(axis=tuple(range(each.ndim - 1))))
                               for each in kernels])

    def record(self, layer: str, number: int) -> dict[str, Any]:
        """What the weights say of one unit."""
        norms, live = self.norms(layer), self.live(layer)
        alive = number in live
        found: dict[str, Any] = {
            "model": self.model, "layer": layer, "number": number,
            "symbol": SYMBOLS[layer], "chapter": CHAPTERS[layer], "name": f"{layer} {number}",
            "alive": alive, "norm": norms[number], "threshold": THRESHOLD,
            "times_threshold": norms[number] / THRESHOLD}
        if layer == TAG:
            found["name"] = self.weights.labels[number]
        if layer == "cnn_1/out":
            family, unit = row_unit(number)
            found |= {"family": family, "unit": unit, "name": f"{family} unit {unit}"}
        if layer not in (*SUMS, TAG):
            block, unit = self.block(layer, number)
            found |= {name: block[name][unit] for name in ("gain", "offset", "bias")}
            found["sense"] = ("correlation" if block["gain"][unit] > 0 else "anti-correlation")
        if layer == "cnn_1/out" and alive:
            found["kernel"] = block["kernel"][..., unit].tolist()
        below, above = self.links
        here = (layer, int(number))
        found["reads"] = [told(link, link.lower) for link in strongest(below.get(here, []))]
        found["feeds"] = [told(link, link.upper) for link in strongest(above.get(here, []))]
        return found

    def block(self, layer: str, number: int) -> tuple[dict[str, np.ndarray], int]:
        """The parameters behind a unit, and its number among them."""
        if layer == "cnn_1/out":
            family, unit = row_unit(number)
            return self.weights.block(f"cnn_1/{family}"), unit
        return self.weights.block(layer.split("/")[0]), number

    def kernel(self, layer: str, number: int) -> np.ndarray:
        """A unit's kernel, float64."""
        block, unit = self.block(layer, number)
        return block["kernel"][..., unit].astype(np.float64)

    @cached_property
    def links(self) -> tuple[dict[tuple[str, int], list[Link]], dict[tuple[str, int], list[Link]]]:
        """All connections between live units of neighbouring layers: by their upper end, and by
        their lower."""
        below, above = defaultdict(list), defaultdict(list)
        for link in self._links():
            below[link.upper].append(link)
            above[link.lower].append(link)
        return below, above

    def _links(self) -> list[Link]:
        found = [link for upper, lower in zip(CONVOLUTIONS, (
            "cnn_1/out", "cnn_2/norm", "cnn_3/sum"), strict=True)
            for link in self._convolution(upper, lower)]
        for upper, parts in SUM_OF.items():
            found += [Link((part, int(number)), (upper, int(number)), float(deviation), (1.0,))
                      for part in parts for number, deviation in zip(
                          self.live(part), self.deviations[part], strict=True)]
        return found + self._dense() + self._tags()

    def _convolution(self, upper: str, lower: str) -> list[Link]:
        kernel = self.weights.block(upper.split("/")[0])["kernel"]
        return [Link((lower, int(row)), (upper, int(unit)),
                     float(np.linalg.norm(kernel[:, row, unit]) * deviation),
                     tuple(map(float, kernel[:, row, unit])))
                for row, deviation in zip(self.live(lower), self.deviations[lower], strict=True)
                for unit in self.live(upper)]

    def _dense(self) -> list[Link]:
        """From the series that leave the second stage. Their pooled values are normalised, so that
        the weights themselves are the strengths."""
        kernel = self.weights.block("dense")["kernel"].reshape(SERIES, 2, -1)
        starts = {"cnn_1/out": 0} | {name: ROWS + UNITS * place for place, name in enumerate(
            ("cnn_2/norm", *SUMS))}
        return [Link((lower, int(row)), (DENSE, int(unit)),
                     float(np.linalg.norm(kernel[start + row, :, unit])),
                     tuple(map(float, kernel[start + row, :, unit])))
                for lower, start in starts.items() for row in self.live(lower)
                for unit in self.live(DENSE)]

    def _tags(self) -> list[Link]:
        kernel = self.weights.block("tags")["kernel"]
        return [Link((DENSE, int(unit)), (TAG, tag),
                     float(abs(kernel[unit, tag]) * deviation), (float(kernel[unit, tag]),))
                for unit, deviation in zip(self.live(DENSE), self.deviations[DENSE], strict=True)
                for tag in range(SIZES[TAG])]


def strongest(links: list[Link]) -> list[Link]:
    return sorted(links, key=lambda link: -link.strength)[:MOST]


def told(link: Link, end: tuple[str, int]) -> dict[str, Any]:
    return {"layer": end[0], "number": end[1], "strength": link.strength,
            "weights": list(link.weights)}
