"""What is left of MusiCNN when every unit that is a constant is replaced by that constant.

A dead unit's kernel is practically zero, so its output is its bias, rectified and normalised,
whatever the music. Here such units go, what they added to the layer above becomes part of that
layer's bias, and each normalisation moves into the kernels above it. Explained in chapter 17;
articles, parts 9 and 12.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import missing
from inside_musicnn.network.layers import FAMILIES, SERIES
from inside_musicnn.network.live_weights import LiveWeights, Source, keep_live
from inside_musicnn.network.units import THRESHOLD

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
        lit: shape (units,): the same before normalisation, after ReLU.
    """

    live: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    gain: np.ndarray
    offset: np.ndarray
    resting: np.ndarray
    lit: np.ndarray

    def rectified(self) -> np.ndarray:
        """The part of each unit's output before normalisation that does not vary, (units,)."""
        steady = self.lit.copy()
        steady[self.live] = 0
        return steady

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


def fold(weights: Source | LiveWeights, threshold: float = THRESHOLD) -> Folded:
    """Fold one network.

    Args:
        weights: the learned parameters, or what is kept of them.
        threshold: units of a smaller kernel norm go; 0 keeps all but exact zeros, which is exact.

    Raises:
        InputError: what was kept was kept with another threshold.
    """
    kept = weights if isinstance(weights, LiveWeights) else keep_live(weights, threshold)
    if kept.threshold != threshold:
        raise InputError(missing("original", f"A threshold of {threshold:g}, where the weights "
                                             f"were kept with {kept.threshold:g},"))
    entry = _in_float64(kept, "input")
    gain, offset = entry["gain"].item(), entry["offset"].item()
    families = {name: _family(kept, f"cnn_1/{name}", gain, offset) for name in FAMILIES}
    gain_u = np.concatenate([family.gain for family in families.values()])
    cnn_2 = _convolution(kept, 2, gain_u)
    cnn_3 = _convolution(kept, 3, cnn_2.gain)
    cnn_4 = _convolution(kept, 4, np.ones(len(kept.rows_below(4))))
    below: dict[int | str, np.ndarray] = {3: kept.rows_below(3), 4: kept.rows_below(4),
                                          "sum": kept.rows_below(5)}
    gains = np.concatenate([gain_u, cnn_2.gain, np.ones(len(below[4]) + len(below["sum"]))])
    return Folded(-offset / gain, families, cnn_2, cnn_3, cnn_4, below, _dense(kept, gains))


def _in_float64(kept: LiveWeights, block: str) -> Parameters:
    return {key: values.astype(np.float64) for key, values in kept.block(block).items()}


def _family(kept: LiveWeights, name: str, gain: float, offset: float) -> OverBands:
    """One family of CNN_1 with the first normalisation inside."""
    block, live = _in_float64(kept, name), kept.live[name]
    kernel = kept.kernels[name].astype(np.float64)
    sign = np.where(block["gain"][live] < 0, -1.0, 1.0)
    bias = block["bias"][live] + offset * kernel.sum(axis=(0, 1))
    return OverBands(live, kernel * gain * sign, bias, block["gain"][live],
                     block["offset"][live], _resting(block), np.maximum(block["bias"], 0), sign)


def _convolution(kept: LiveWeights, number: int, gains: np.ndarray) -> OverRows:
    """CNN_2, CNN_3 or CNN_4 above rows that vary with these gains."""
    name = f"cnn_{number}"
    block, live = _in_float64(kept, name), kept.live[name]
    return OverRows(live, kept.kernels[name].astype(np.float64) * gains[:, None],
                    block["bias"][live], block["gain"][live], block["offset"][live],
                    _resting(block), np.maximum(block["bias"], 0), kept.added[name])


def _resting(block: Parameters) -> np.ndarray:
    return block["gain"] * np.maximum(block["bias"], 0) + block["offset"]


def _dense(kept: LiveWeights, gains: np.ndarray) -> Dense:
    """Pooling's normalisation, both dense layers, and the constants of all 753 rows."""
    rows, live = kept.series(), kept.live["dense"]
    pool = _in_float64(kept, "pool")["gain"].reshape(SERIES, 2)[rows]
    kernel = kept.kernels["dense"].astype(np.float64) * pool[..., None] * gains[:, None, None]
    lit = _in_float64(kept, "dense")["gain"][live, None] * kept.kernels["tags"]
    resting = kept.added["dense"]
    return Dense(rows, kept.steady_series(), gains, kernel[:, 0], kernel[:, 1], resting[live],
                 live, lit, kept.added["tags"], resting)
