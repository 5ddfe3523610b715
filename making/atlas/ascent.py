"""What a unit above CNN_1 would hear best: ascent through the live network.

Between its ReLUs and maxima the network is linear. So each step goes to the input of the given
energy that is best for the linear piece at hand (`Energy.reached` of the slope), or as far in that
direction as the value grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage, sparse

from inside_musicnn.network.above_u import AboveU, correlate
from inside_musicnn.network.folding import OverBands
from inside_musicnn.network.layers import BANDS, FAMILIES, FRAMES
from inside_musicnn.network.live_layers import live_layers
from inside_musicnn.network.weights import Weights
from making.atlas.energy import Energy

HALF = 3  # frames that a kernel of the second stage reaches on both sides
DEPTHS = {"cnn_1/out": 0, "cnn_2/norm": 1, "cnn_3/norm": 2, "cnn_3/sum": 2, "cnn_4/norm": 3,
          "cnn_4/sum": 3}
WHOLE = ("dense/norm", "tags/logits")  # layers whose units hear a whole patch
BEFORE, AFTER = 63, 64  # frames that the longest kernels of CNN_1 reach
STEPS = 24  # slopes at most
IN_CACHE = 512  # windows of sound that a processor's cache holds with their products
ENOUGH = 2e-3  # a full step that gains less, relative to the value, is the last
SMOOTH = (1.0, 1.0)  # frames and bands by which slopes are smoothed


class Network:
    """The live network, forwards to one unit and back to the input.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        energy: of its inputs.
    """

    def __init__(self, model: str, energy: Energy) -> None:
        self.weights, self.energy = Weights(model), energy
        self.above = AboveU(self.weights)
        self.folded = self.above.folded
        self.layers = live_layers(self.folded, self.weights.block("pool")["mean"])
        self.families = [_Family(name, each) for name, each in self.folded.families.items()
                         if len(each.live)]

    def frames(self, layer: str) -> int:
        """How many frames of sound a unit of the layer sees."""
        return FRAMES if layer in WHOLE else self.rows_seen(layer) + BEFORE + AFTER

    def rows_seen(self, layer: str) -> int:
        """How many frames of U."""
        return FRAMES if layer in WHOLE else 2 * HALF * DEPTHS[layer] + 1

    def live(self, layer: str) -> np.ndarray:
        if layer == "tags/logits":
            return np.arange(self.folded.dense.kernel_tags.shape[1])
        return self.folded.dense.live if layer == "dense/norm" else self.layers[layer].live

    def first_stage(self, layer: str, inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """What varies in U, (live, n, frames of U), and where in frequency it was found.

        Args:
            inputs: distances from the remembered mean, (n, frames that the layer sees, 96).
        """
        sounds = inputs.astype(np.float32) + np.float32(self.energy.mean)
        if layer in WHOLE:
            sounds = np.pad(sounds, ((0, 0), (BEFORE, AFTER), (0, 0)),
                            constant_values=np.float32(self.folded.silence))
        found = [family.forwards(sounds) for family in self.families]
        return np.concatenate([u for u, _ in found]), [where for _, where in found]

    def second_stage(self, layer: str, u: np.ndarray) -> dict[str, np.ndarray]:
        """What varies in each layer up to `layer` of the second stage, of CNN_2 to 4 before the
        ReLU. Windows become shorter as each kernel uses up its ends; whole patches do not."""
        depth = DEPTHS.get(layer, 3)
        if depth == 0:
            return {"cnn_1/out": u}
        found = {"cnn_2/norm": self._above(2, u, layer)}
        first = _on(found["cnn_2/norm"])
        if depth > 1:
            found["cnn_3/norm"] = self._above(3, first, layer)
            found["cnn_3/sum"] = self._sum(0, first, _on(found["cnn_3/norm"]))
        if depth > 2:
            found["cnn_4/norm"] = self._above(4, found["cnn_3/sum"], layer)
            found["cnn_4/sum"] = self._sum(1, found["cnn_3/sum"], _on(found["cnn_4/norm"]))
        return found

    def _above(self, number: int, below: np.ndarray, layer: str) -> np.ndarray:
        values = correlate(below, self.above._kernels[number - 2])
        added = self.above.added(number, FRAMES)
        if layer in WHOLE:
            return values + added
        return values[..., HALF:-HALF] + added[..., [FRAMES // 2]]

    def _sum(self, place: int, below: np.ndarray, passed: np.ndarray) -> np.ndarray:
        """The first or second sum; what comes from below loses the ends that are used up."""
        folded, into = self.folded, self.above._into
        gain = self.above._gains
        total = np.zeros((len(folded.below[(4, "sum")[place]]), *passed.shape[1:]), np.float32)
        cut = (below.shape[2] - passed.shape[2]) // 2
        middle = below[..., cut : below.shape[2] - cut]
        total[into[2 * place]] = middle * gain[0] if place == 0 else middle
        total[into[2 * place + 1]] += passed * gain[place + 1]
        return total

    def values(self, layers: Sequence[str], inputs: np.ndarray) -> dict[str, np.ndarray]:
        """What is maximised of all live units of some layers that see as many frames, each
        (live, n): of CNN_2 to 4 and of dense units before the ReLU, of sums without their
        constants."""
        u, _ = self.first_stage(layers[0], inputs)
        found = self.second_stage(layers[0], u)
        if layers[0] not in WHOLE:
            return {layer: found[layer][..., 0] for layer in layers}
        pooled = self._pooled(u, found)
        return {layer: self._final(layer, *pooled)[0] for layer in layers}

    def _pooled(self, u: np.ndarray, found: dict[str, np.ndarray]
                ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Maximum, mean and place of the maximum of all rows, each (rows, n)."""
        series = np.concatenate([u, _on(found["cnn_2/norm"]), found["cnn_3/sum"],
                                 found["cnn_4/sum"]])
        signs = np.where(self.folded.dense.gain < 0, -1, 1).astype(np.float32)[:, None, None]
        place = (series * signs).argmax(axis=2)
        return (np.take_along_axis(series, place[..., None], 2)[..., 0], series.mean(axis=2), place)

    def _final(self, layer: str, largest: np.ndarray, mean: np.ndarray, place: np.ndarray
               ) -> tuple[np.ndarray, np.ndarray]:
        """Values of dense units before the ReLU or of logits, (units, n); which units are on."""
        dense = self.folded.dense
        bias = dense.kernel_max.T @ largest + dense.kernel_mean.T @ mean + dense.bias[:, None]
        if layer == "dense/norm":
            return bias, bias > 0
        return dense.kernel_tags.T @ _on(bias) + dense.bias_tags[:, None], bias > 0

    def told(self, layer: str, place: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values as the network has them, from those that are maximised.

        Args:
            place: of each unit among the live ones, (n,).
            values: shape (n,) or (n, m).
        """
        wide = (slice(None), *(None,) * (values.ndim - 1))
        if layer == "tags/logits":
            return values
        if layer == "dense/norm":
            block, live = self.weights.block("dense"), self.live(layer)[place]
            return _on(values) * block["gain"][live][wide] + block["offset"][live][wide]
        one, passed = self.layers[layer], values if layer.endswith("sum") else _on(values)
        return passed * one.gain[place][wide] + one.steady[place][wide]

    def slope(self, layer: str, inputs: np.ndarray, units: np.ndarray
              ) -> tuple[np.ndarray, np.ndarray]:
        """What is maximised of one unit for each input, (n,), and its slope, of the inputs' shape.

        Args:
            units: places of the units among the live ones, (n,).
        """
        u, where = self.first_stage(layer, inputs)
        found = self.second_stage(layer, u)
        each = np.arange(len(units))
        back = {name: np.zeros_like(values) for name, values in found.items()}
        of_u, first = np.zeros_like(u), np.zeros_like(found["cnn_2/norm"])
        if layer in WHOLE:
            pooled = self._pooled(u, found)
            value, on = self._final(layer, *pooled)
            value = value[units, each]
            parts = self._back_from_dense(layer, units, on, pooled[2], u.shape[2])
            of_u += parts[0]
            first += parts[1]
            back["cnn_3/sum"] += parts[2]
            back["cnn_4/sum"] += parts[3]
        else:
            value = found[layer][units, each, 0]
            back[layer][units, each, 0] = 1
        self._back(layer, found, back, first)
        of_u += self._below(2, back["cnn_2/norm"], layer)
        of_u *= u > 0
        slope, row = np.zeros((len(units), u.shape[2] + BEFORE + AFTER, BANDS), np.float32), 0
        for family, places in zip(self.families, where, strict=True):
            family.backwards(of_u[row : row + len(places)], places, slope)
            row += len(places)
        return value, slope[:, BEFORE:-AFTER] if layer in WHOLE else slope

    def _back(self, layer: str, found: dict[str, np.ndarray], back: dict[str, np.ndarray],
              first: np.ndarray) -> None:
        """Fill in slopes from the layers that have some down to CNN_2 before its ReLU."""
        into, gains = self.above._into, self.above._gains
        if "cnn_4/sum" in back:
            three = back["cnn_4/sum"]
            _put(back["cnn_3/sum"], three[into[2]])
            back["cnn_4/norm"] += three[into[3]] * gains[2] * (found["cnn_4/norm"] > 0)
            back["cnn_3/sum"] += self._below(4, back["cnn_4/norm"], layer)
        if "cnn_3/sum" in back:
            two = back["cnn_3/sum"]
            _put(first, two[into[0]] * gains[0])
            back["cnn_3/norm"] += two[into[1]] * gains[1] * (found["cnn_3/norm"] > 0)
            first += self._below(3, back["cnn_3/norm"], layer)
        back["cnn_2/norm"] += first * (found["cnn_2/norm"] > 0)

    def _below(self, number: int, slope: np.ndarray, layer: str) -> np.ndarray:
        kernel = self.above._kernels[number - 2]
        if layer not in WHOLE:
            slope = np.pad(slope, ((0, 0), (0, 0), (HALF, HALF)))
        return correlate(slope, np.ascontiguousarray(kernel[::-1].transpose(0, 2, 1)))

    def _back_from_dense(self, layer: str, units: np.ndarray, on: np.ndarray, place: np.ndarray,
                         frames: int) -> list[np.ndarray]:
        """Slopes of the series of all four parts, each (rows, n, frames)."""
        dense = self.folded.dense
        through = (np.eye(on.shape[0])[:, units] if layer == "dense/norm" else
                   dense.kernel_tags[:, units] * on)
        slope = np.repeat((dense.kernel_mean @ through / frames)[..., None], frames, axis=2)
        np.put_along_axis(slope, place[..., None], np.take_along_axis(
            slope, place[..., None], 2) + (dense.kernel_max @ through)[..., None], 2)
        return np.split(slope.astype(np.float32), self.above._ends)


class _Family:
    """One family of CNN_1 on windows whose ends no kernel reaches beyond."""

    def __init__(self, name: str, family: OverBands) -> None:
        self.length, self.bands, *_ = FAMILIES[name]
        self.positions = BANDS - self.bands + 1
        self.late = BEFORE - (self.length - 1) // 2
        self.sign = family.sign.astype(np.float32)[:, None, None]
        self.bias = family.bias.astype(np.float32)[:, None, None]
        self.kernel = family.kernel.astype(np.float32)  # (length, bands, live)
        self.live = self.kernel.shape[2]

    def forwards(self, sounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From (n, frames of U + 127, 96) to (live, n, frames of U), and where it was found."""
        count, frames = len(sounds), sounds.shape[1] - BEFORE - AFTER
        used = sounds[:, self.late : self.late + frames + self.length - 1]
        flat = self.kernel.transpose(2, 1, 0).reshape(self.live, -1)
        seen = np.lib.stride_tricks.sliding_window_view(used, self.length, axis=1)
        every = seen.transpose(2, 3, 0, 1).reshape(BANDS * self.length, -1)
        largest = np.empty((self.live, every.shape[1]), np.float32)
        places = np.zeros(largest.shape, np.int8)
        for first in range(0, every.shape[1], IN_CACHE):
            some = slice(first, first + IN_CACHE)
            rows = np.ascontiguousarray(every[:, some])  # a kernel's bands stand together
            most, where = flat @ rows[: flat.shape[1]], places[:, some].copy()
            here = np.empty_like(most)
            for position in range(1, self.positions):
                start = position * self.length
                np.matmul(flat, rows[start : start + flat.shape[1]], out=here)
                np.copyto(where, position, where=here > most)
                np.maximum(most, here, out=most)
            largest[:, some], places[:, some] = most, where
        shape = (self.live, count, frames)
        return _on(largest.reshape(shape) * self.sign + self.bias), places.reshape(shape)

    def backwards(self, slope: np.ndarray, places: np.ndarray, below: np.ndarray) -> None:
        """Add to `below`, (n, frames of U + 127, 96), from slopes of rows, (live, n, frames)."""
        _, count, frames = slope.shape
        values = (slope * self.sign).transpose(1, 2, 0)
        places = places.transpose(1, 2, 0)
        if self.bands > 1:
            row = np.repeat(np.arange(count * frames), self.live)
            column = np.arange(self.live) * self.positions + places
            chosen = sparse.csr_matrix(
                (values.ravel(), (row, column.ravel())),
                shape=(count * frames, self.live * self.positions))
            chosen.eliminate_zeros()
            laid = (chosen @ self._moved_in_frequency).reshape(count, frames, self.length, BANDS)
            for late in range(self.length):
                below[:, self.late + late : self.late + late + frames] += laid[:, :, late]
            return
        number = np.arange(count)[:, None, None]
        row = number * BANDS + places
        column = np.arange(frames)[:, None] * self.live + np.arange(self.live) + 0 * number
        chosen = sparse.csr_matrix((values.ravel(), (row.ravel(), column.ravel())),
                                   shape=(count * BANDS, frames * self.live))
        chosen.eliminate_zeros()
        laid = (chosen @ self._moved_in_time(frames)).reshape(count, BANDS, -1)
        below[:, self.late : self.late + laid.shape[2]] += laid.transpose(0, 2, 1)

    @cached_property
    def _moved_in_frequency(self) -> np.ndarray:
        """Each kernel at each position, (live x positions, length x 96)."""
        found = np.zeros((self.live, self.positions, self.length, BANDS), np.float32)
        for position in range(self.positions):
            found[:, position, :, position : position + self.bands] = self.kernel.transpose(2, 0, 1)
        return found.reshape(self.live * self.positions, -1)

    def _moved_in_time(self, frames: int) -> np.ndarray:
        """Each kernel at each frame, (frames x live, frames + length - 1)."""
        if frames not in self._in_time:
            found = np.zeros((frames, self.live, frames + self.length - 1), np.float32)
            for late in range(frames):
                found[late, :, late : late + self.length] = self.kernel[:, 0].T
            self._in_time[frames] = found.reshape(frames * self.live, -1)
        return self._in_time[frames]

    @cached_property
    def _in_time(self) -> dict[int, np.ndarray]:
        return {}


def _on(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0)


def _put(into: np.ndarray, middle: np.ndarray) -> None:
    """Add what is shorter in time around the middle."""
    cut = (into.shape[2] - middle.shape[2]) // 2
    into[..., cut : into.shape[2] - cut] += middle


@dataclass(frozen=True, eq=False)
class Climbed:
    """What ascents came to, one for each unit and start.

    Attributes:
        inputs: distances from the remembered mean, (n, frames, 96).
        values: what is maximised, (n,).
        steps: how many slopes each took, (n,).
    """

    inputs: np.ndarray
    values: np.ndarray
    steps: np.ndarray


def climb(network: Network, layer: str, units: np.ndarray, starts: np.ndarray,
          smooth: tuple[float, float] = SMOOTH, most: int = STEPS) -> Climbed:
    """Climb from some inputs, each towards its own unit; the value never falls.

    Args:
        units: places among the live units of the layer, (n,).
        starts: inputs that have the energy, (n, frames, 96).
        smooth: standard deviations in frames and bands by which slopes are smoothed.
        most: slopes at most.
    """
    inputs = np.array(starts, np.float64)
    values, slopes = network.slope(layer, inputs, units)
    values = values.astype(np.float64)
    parts, steps = np.ones(len(units)), np.ones(len(units), int)
    going = np.arange(len(units))
    for _ in range(most - 1):
        if not len(going):
            break
        aims = network.energy.reached(ndimage.gaussian_filter(
            slopes[going], (0, *smooth), mode="constant"))
        here = parts[going, None, None]
        tried = network.energy.reached((1 - here) * inputs[going] + here * aims)
        found, new = network.slope(layer, tried, units[going])
        steps[going] += 1
        better = found > values[going]
        enough = ~(found - values[going] > ENOUGH * np.abs(found)) & better & (parts[going] == 1)
        up = going[better]
        inputs[up], values[up], slopes[up] = tried[better], found[better], new[better]
        parts[going] = np.where(better, np.minimum(2 * parts[going], 1), parts[going] / 2)
        going = going[~enough & (parts[going] > 1 / 40)]
    return Climbed(inputs, values, steps)
