"""What is left of MusiCNN when every unit that is a constant is replaced by that constant.

A dead unit's kernel is practically zero, so its output is its bias, rectified and normalised,
whatever the music. Here such units go, what they added to the layer above becomes part of that
layer's bias, and each normalisation moves into the kernels above it. Explained in chapter 17;
articles, parts 9 and 12.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inside_musicnn.network.layers import FAMILIES, ROWS, SERIES, UNITS
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.network.weights import Weights

Parameters = Mapping[str, np.ndarray]  # of one block, in float64


@dataclass(frozen=True)
class Convolution:
    """The live units of one convolution, in float64.

    A unit's normalised output is gain x relu(z) + offset.

    Attributes:
        live: numbers of the units that are left, rising.
        kernel: shape (frames, rows or bands, live).
        bias, gain, offset: shape (live,).
        resting: shape (units,): the normalised output of each unit were its kernel zero.
    """

    live: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    gain: np.ndarray
    offset: np.ndarray
    resting: np.ndarray

    def steady(self) -> np.ndarray:
        """The part of each unit's output that does not vary, shape (units,)."""
        steady = self.resting.copy()
        steady[self.live] = self.offset
        return steady


@dataclass(frozen=True)
class OverBands(Convolution):
    """A family of CNN_1: z = sign x m + bias, with m the largest correlation over frequency of
    the dB mel spectrogram with the kernel, in which the normalisation of the input and the sign
    of the gain are folded.

    Attributes:
        sign: shape (live,), -1 where the gain is negative.
    """

    sign: np.ndarray


@dataclass(frozen=True)
class OverRows(Convolution):
    """CNN_2, CNN_3 or CNN_4: z = correlation of what varies below + bias + what the constants
    below add.

    Attributes:
        constants: shape (frames, live): what the constants below add through each frame of the
            kernel, where that frame lies inside the patch.
    """

    constants: np.ndarray


@dataclass(frozen=True)
class Dense:
    """The final stage for what varies, in float64.

    Attributes:
        rows: rows of the 753 that vary, shape (varying,).
        steady: the part of each of the 753 rows that does not vary.
        gain: factor of what varies, shape (varying,); negative: its maximum is a minimum below.
        kernel_max, kernel_mean: from the pooled varying rows to the live dense units.
        bias: of the live dense units, with all constants, shape (live,).
        live: numbers of the dense units that are left.
        kernel_tags, bias_tags: from the rectified dense units to the 50 logits.
        resting: what each of the 200 dense units is before ReLU were its kernel zero.
    """

    rows: np.ndarray
    steady: np.ndarray
    gain: np.ndarray
    kernel_max: np.ndarray
    kernel_mean: np.ndarray
    bias: np.ndarray
    live: np.ndarray
    kernel_tags: np.ndarray
    bias_tags: np.ndarray
    resting: np.ndarray


@dataclass(frozen=True)
class Folded:
    """The whole network, folded.

    Attributes:
        silence: the value of the dB mel spectrogram that the first normalisation maps to zero:
            what the zeros around a patch are before it.
        families: CNN_1, by name.
        cnn_2, cnn_3, cnn_4: the second stage.
        below: for 3 and 4, the numbers of the 64 rows that vary below; "sum": those of the last
            sum.
        dense: the final stage.
    """

    silence: float
    families: dict[str, OverBands]
    cnn_2: OverRows
    cnn_3: OverRows
    cnn_4: OverRows
    below: dict[int | str, np.ndarray]
    dense: Dense


def fold(weights: Weights, threshold: float = THRESHOLD) -> Folded:
    """Fold one network.

    Args:
        weights: the learned parameters.
        threshold: units of a smaller kernel norm go; 0 keeps all but exact zeros, which is exact.
    """
    def block(name: str) -> Parameters:
        return {key: value.astype(np.float64) for key, value in weights.block(name).items()}

    entry = block("input")
    gain, offset = entry["gain"].item(), entry["offset"].item()
    families = {name: _family(block(f"cnn_1/{name}"), gain, offset, threshold)
                for name in FAMILIES}
    steady_u = np.concatenate([family.steady() for family in families.values()])
    gain_u = np.concatenate([family.gain for family in families.values()])
    rows_u = live_rows(families)
    cnn_2 = _convolution(block("cnn_2"), rows_u, gain_u, steady_u, threshold)
    steady_1 = cnn_2.steady()
    cnn_3 = _convolution(block("cnn_3"), cnn_2.live, cnn_2.gain, steady_1, threshold)
    steady_2 = steady_1 + cnn_3.steady()
    below_4 = np.union1d(cnn_2.live, cnn_3.live)
    cnn_4 = _convolution(block("cnn_4"), below_4, np.ones(len(below_4)), steady_2, threshold)
    steady_3 = steady_2 + cnn_4.steady()
    last = np.union1d(below_4, cnn_4.live)
    starts = ROWS + UNITS * np.arange(3)
    rows = np.concatenate([rows_u, *(start + varying for start, varying in zip(
        starts, (cnn_2.live, below_4, last), strict=True))])
    gains = np.concatenate([gain_u, cnn_2.gain, np.ones(len(below_4) + len(last))])
    steady = np.concatenate([steady_u, steady_1, steady_2, steady_3])
    dense = _dense(block("pool"), block("dense"), block("tags"), rows, gains, steady, threshold)
    return Folded(-offset / gain, families, cnn_2, cnn_3, cnn_4,
                  {3: cnn_2.live, 4: below_4, "sum": last}, dense)


def live_rows(families: Mapping[str, Convolution]) -> np.ndarray:
    """Rows of U whose unit is left, rising."""
    rows, first = [], 0
    for name, family in families.items():
        rows.append(family.live + first)
        first += FAMILIES[name][2]
    return np.concatenate(rows)


def _norms(kernel: np.ndarray) -> np.ndarray:
    return np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1))))


def _family(block: Parameters, gain: float, offset: float, threshold: float) -> OverBands:
    """One family of CNN_1 with the first normalisation inside."""
    live = np.flatnonzero(_norms(block["kernel"]) > threshold)
    kernel = block["kernel"][..., live]
    sign = np.where(block["gain"][live] < 0, -1.0, 1.0)
    bias = block["bias"][live] + offset * kernel.sum(axis=(0, 1))
    return OverBands(live, kernel * gain * sign, bias, block["gain"][live],
                     block["offset"][live], _resting(block), sign)


def _convolution(block: Parameters, rows: np.ndarray, gains: np.ndarray, steady: np.ndarray,
                 threshold: float) -> OverRows:
    """CNN_2, CNN_3 or CNN_4 above rows of which `rows` vary, and the rest is `steady`."""
    live = np.flatnonzero(_norms(block["kernel"]) > threshold)
    kernel = block["kernel"][..., live]
    constants = np.einsum("kru,r->ku", kernel, steady)
    return OverRows(live, kernel[:, rows] * gains[:, None], block["bias"][live],
                    block["gain"][live], block["offset"][live], _resting(block), constants)


def _resting(block: Parameters) -> np.ndarray:
    return block["gain"] * np.maximum(block["bias"], 0) + block["offset"]


def _dense(pool: Parameters, dense: Parameters, tags: Parameters, rows: np.ndarray,
           gains: np.ndarray, steady: np.ndarray, threshold: float) -> Dense:
    """Pooling's normalisation, both dense layers, and the constants of all 753 rows."""
    assert len(steady) == SERIES
    kernel = dense["kernel"] * pool["gain"][:, None]
    bias = (dense["bias"] + pool["offset"] @ dense["kernel"]
            + np.repeat(steady, 2) @ kernel)  # maximum and mean of a constant are the constant
    live = np.flatnonzero(_norms(dense["kernel"]) > threshold)
    dead = np.setdiff1d(np.arange(len(bias)), live)
    lit = dense["gain"][:, None] * tags["kernel"]
    bias_tags = (tags["bias"] + dense["offset"] @ tags["kernel"]
                 + np.maximum(bias[dead], 0) @ lit[dead])
    return Dense(rows, steady, gains,
                 kernel[2 * rows][:, live] * gains[:, None],
                 kernel[2 * rows + 1][:, live] * gains[:, None],
                 bias[live], live, lit[live], bias_tags, bias)
