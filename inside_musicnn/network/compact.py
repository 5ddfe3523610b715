"""Compact MusiCNN: the live units alone, as matrix products on the processor's cores.

The same tags as the original graph, without TensorFlow, from the folded network of
`inside_musicnn.network.folding`. Explained and measured in chapter 17.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from inside_musicnn.cores import count_cores, one_thread
from inside_musicnn.network.between import GIVEN, Between
from inside_musicnn.network.folding import THRESHOLD, OverBands, OverRows, fold
from inside_musicnn.network.layers import BANDS, FAMILIES
from inside_musicnn.network.live_weights import LiveWeights, Source, keep_live

CHUNK = 4  # patches that one thread takes at once: what it works on then stays in its cache
FLAT = 8  # about as many rows of a matrix product cost as much again as its overhead
LAYERS_OF_COMPACT = ("pool/max", "pool/mean", "pool/flat", "pool/norm", "dense/linear",
                     "dense/bias", "dense/relu", "dense/norm", "tags/logits", "tags/sigmoid")
Answer = TypeVar("Answer")


class Compact:
    """The folded network in float32.

    Args:
        weights: the learned parameters, or what is kept of them.
        threshold: kernel norm up to which a unit counts as a constant; 0 is exact.
        threads: cores to use; all if None.
    """

    def __init__(self, weights: Source | LiveWeights, threshold: float = THRESHOLD,
                 threads: int | None = None) -> None:
        self.kept = (weights if isinstance(weights, LiveWeights) else
                     keep_live(weights, threshold))
        self.folded = fold(self.kept, threshold)
        self.threads = threads or count_cores()
        self._families = {name: _Family(name, family)
                          for name, family in self.folded.families.items()}
        self._cnn = {number: _Rows(getattr(self.folded, f"cnn_{number}")) for number in (2, 3, 4)}
        self._dense = {name: getattr(self.folded.dense, name).astype(np.float32) for name in (
            "kernel_max", "kernel_mean", "bias", "kernel_tags", "bias_tags")}

    def run(self, patches: np.ndarray, names: Iterable[str],
            replaced: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """Named layers, dict of float32 arrays, patch axis first.

        Args:
            patches: shape (n, frames, 96).
            names: of LAYERS_OF_COMPACT, and of GIVEN.
            replaced: layers of LAYERS_BETWEEN to go on from, patch axis first.
        """
        names, replaced = list(names), replaced or {}
        parts = [slice(first, first + CHUNK) for first in range(0, len(patches), CHUNK)]
        with one_thread():
            if replaced or not set(GIVEN).isdisjoint(names):
                between = Between(self)
                found = self._of_each(parts, lambda part: between.run(
                    patches[part], names, {name: values[part] for name, values in
                                           replaced.items()}))
                return {name: np.concatenate([each[name] for each in found]) for name in names}
            pooled = self._of_each(parts, lambda part: self.pooled(self.series(patches[part])))
            largest, mean = (np.concatenate(each, axis=1) for each in zip(*pooled, strict=True))
            return self.final(largest, mean, names)

    def _of_each(self, parts: Sequence[slice], answer: Callable[[slice], Answer]) -> list[Answer]:
        """Answers on parts, in their order, on as many cores as there are to use."""
        if self.threads == 1 or len(parts) == 1:
            return [answer(part) for part in parts]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(answer, parts))

    def family(self, name: str, patches: np.ndarray, instead: OverBands | None = None
               ) -> np.ndarray:
        """What varies in the rows of one family of CNN_1: shape (live, patches, frames).

        Args:
            instead: other units to take, such as kernels reversed in time, for a null.
        """
        of_family = self._families[name] if instead is None else _Family(name, instead)
        return of_family(_bands_first(patches), self.folded.silence)

    def winners(self, name: str, patches: np.ndarray, instead: OverBands | None = None
                ) -> tuple[np.ndarray, np.ndarray]:
        """What varies in the rows of one family, and where in frequency it was found.

        Args:
            instead: other units to take, as in `family`.

        Returns:
            two arrays of shape (live, patches, frames): as `family`, and the lower edge of the
            kernel in mel bands, as whole numbers.
        """
        of_family = self._families[name] if instead is None else _Family(name, instead)
        places = np.zeros((len(of_family.sign), *patches.shape[:2]), np.int16)
        return of_family(_bands_first(patches), self.folded.silence, places), places

    def series(self, patches: np.ndarray) -> np.ndarray:
        """What varies in each of the 753 rows: shape (varying rows, patches, frames).

        Row i of the result, times `folded.dense.gain[i]`, plus `folded.dense.steady[row]`, is the
        row `folded.dense.rows[i]` of "stage_2/out".
        """
        return self.second_stage(self.first_stage(patches))

    def first_stage(self, patches: np.ndarray) -> np.ndarray:
        """What varies in U, shape (live, patches, frames)."""
        spectrogram = _bands_first(patches)
        return np.concatenate([family(spectrogram, self.folded.silence)
                               for family in self._families.values()])

    def second_stage(self, u: np.ndarray, changed: Callable[[str, np.ndarray], np.ndarray]
                     = lambda name, values: values) -> np.ndarray:
        """From what varies in U, (live, patches, frames), to what varies in all 753 rows.

        Args:
            changed: gets each layer's name and what varies in it, and returns what to go on from.
        """
        first = changed("cnn_2/norm", self._cnn[2](u))
        one = first * self._cnn[2].gain
        two = self._sum(one, 3, changed("cnn_3/norm", self._cnn[3](first)))
        two = changed("cnn_3/sum", two)
        three = self._sum(two, 4, changed("cnn_4/norm", self._cnn[4](two)))
        three = changed("cnn_4/sum", three)
        return changed("stage_2/out", np.concatenate([u, first, two, three]))

    def _sum(self, below: np.ndarray, number: int, values: np.ndarray) -> np.ndarray:
        """What varies in the sum of a normalised output and what came before it."""
        before, after = ((self.folded.below[3], self.folded.below[4]) if number == 3 else
                         (self.folded.below[4], self.folded.below["sum"]))
        total = np.zeros((len(after), *below.shape[1:]), np.float32)
        total[np.searchsorted(after, before)] = below
        cnn = self._cnn[number]
        total[np.searchsorted(after, cnn.live)] += values * cnn.gain
        return total

    def pooled(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Maximum (of the rising, minimum of the falling rows) and mean over time."""
        largest = series.max(axis=2)
        falling = self.folded.dense.gain < 0
        if falling.any():
            largest[falling] = series[falling].min(axis=2)
        return largest, series.mean(axis=2)

    def final(self, largest: np.ndarray, mean: np.ndarray, names: Iterable[str]
              ) -> dict[str, np.ndarray]:
        """The layers from the pooling on, from what `pooled` gave."""
        dense, found = self._dense, {}
        bias = largest.T @ dense["kernel_max"] + mean.T @ dense["kernel_mean"] + dense["bias"]
        found["tags/logits"] = np.maximum(bias, 0) @ dense["kernel_tags"] + dense["bias_tags"]
        with np.errstate(over="ignore"):
            found["tags/sigmoid"] = 1 / (1 + np.exp(-found["tags/logits"]))
        if set(names) - set(found):
            found |= self._unfolded(largest, mean, bias)
        return {name: found[name] for name in names}

    def _unfolded(self, largest: np.ndarray, mean: np.ndarray, bias: np.ndarray
                  ) -> dict[str, np.ndarray]:
        """The layers before the logits with all their rows and units, as the original has them."""
        folded, found = self.folded.dense, {}
        for name, pooled in (("pool/max", largest), ("pool/mean", mean)):
            found[name] = np.repeat(folded.steady[None].astype(np.float32), len(bias), axis=0)
            found[name][:, folded.rows] += (pooled * folded.gain[:, None].astype(np.float32)).T
        found["pool/flat"] = np.stack([found["pool/max"], found["pool/mean"]], 2).reshape(
            len(bias), -1)
        pool, dense = self.kept.block("pool"), self.kept.block("dense")
        found["pool/norm"] = found["pool/flat"] * pool["gain"] + pool["offset"]
        found["dense/bias"] = np.repeat(folded.resting[None].astype(np.float32), len(bias), axis=0)
        found["dense/bias"][:, folded.live] = bias
        found["dense/linear"] = found["dense/bias"] - dense["bias"]
        found["dense/relu"] = np.maximum(found["dense/bias"], 0)
        found["dense/norm"] = found["dense/relu"] * dense["gain"] + dense["offset"]
        return found


class _Toeplitz:
    """Kernels that slide along time, as a matrix that yields several frames at once.

    Row (l, u) holds kernel u moved by l frames, so that one product with the windows of
    `frames + step - 1` frames, `step` apart, is the correlation at `step` frames.
    """

    def __init__(self, kernel: np.ndarray) -> None:
        frames, rows, units = kernel.shape
        self.units = units
        self.step = _step(frames, units)
        self.window = frames + self.step - 1
        matrix = np.zeros((self.step, units, rows, self.window), np.float32)
        for l in range(self.step):  # noqa: E741
            matrix[l, :, :, l : l + frames] = kernel.transpose(2, 1, 0)
        self.matrix = matrix.reshape(self.step * units, rows * self.window)

    def windows(self, values: np.ndarray, before: int, fill: float = 0.0) -> np.ndarray:
        """Windows of (rows, patches, frames) as columns: (rows x window, patches x blocks)."""
        rows, count, frames = values.shape
        blocks = -(-frames // self.step)
        padded = np.full((rows, count, (blocks - 1) * self.step + self.window), fill, np.float32)
        padded[..., before : before + frames] = values
        a, b, c = padded.strides
        seen = np.lib.stride_tricks.as_strided(
            padded, (rows, self.window, count, blocks), (a, c, b, c * self.step), writeable=False)
        return np.ascontiguousarray(seen).reshape(rows * self.window, count * blocks)

    def in_order(self, product: np.ndarray, count: int, frames: int) -> np.ndarray:
        """A product, (step x units, patches x blocks), as (units, patches, frames)."""
        blocks = -(-frames // self.step)
        product = product.reshape(self.step, self.units, count, blocks).transpose(1, 2, 3, 0)
        return product.reshape(self.units, count, blocks * self.step)[..., :frames]


class _Family:
    """One family of CNN_1: correlation, the largest over frequency, bias, ReLU."""

    def __init__(self, name: str, family: OverBands) -> None:
        frames, bands, *_ = FAMILIES[name]
        self.before = (frames - 1) // 2
        self.positions = BANDS - bands + 1
        self.toeplitz = _Toeplitz(family.kernel)
        self.sign = family.sign.astype(np.float32)[:, None, None]
        self.bias = family.bias.astype(np.float32)[:, None, None]

    def __call__(self, spectrogram: np.ndarray, silence: float,
                 winners: np.ndarray | None = None) -> np.ndarray:
        """From (bands, patches, frames) to (live, patches, frames).

        Args:
            winners: filled with the position in frequency at which each value was found; where
                several are equal, the lowest. Of the result's shape.
        """
        _, count, frames = spectrogram.shape
        matrix, window = self.toeplitz.matrix, self.toeplitz.window
        if not len(matrix):
            return np.zeros((0, count, frames), np.float32)
        windows = self.toeplitz.windows(spectrogram, self.before, silence)
        largest = matrix @ windows[: matrix.shape[1]]
        here = np.empty_like(largest)
        places = None if winners is None else np.zeros(largest.shape, winners.dtype)
        for position in range(1, self.positions):
            first = position * window
            np.matmul(matrix, windows[first : first + matrix.shape[1]], out=here)
            if places is not None:
                np.copyto(places, position, where=here > largest)
            np.maximum(largest, here, out=largest)
        if winners is not None and places is not None:
            winners[:] = self.toeplitz.in_order(places, count, frames)
        values = self.toeplitz.in_order(largest, count, frames) * self.sign
        values += self.bias
        return np.maximum(values, 0, out=values)


class _Rows:
    """CNN_2, CNN_3 or CNN_4: correlation with all rows below, constants, ReLU."""

    def __init__(self, convolution: OverRows) -> None:
        self.live = convolution.live
        self.frames = len(convolution.kernel)
        self.toeplitz = _Toeplitz(convolution.kernel)
        self.gain = convolution.gain.astype(np.float32)[:, None, None]
        self._bias, self._constants = convolution.bias, convolution.constants
        self._ready: dict[int, np.ndarray] = {}

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """From (rows, patches, frames) to (live, patches, frames)."""
        _, count, frames = values.shape
        product = self.toeplitz.matrix @ self.toeplitz.windows(values, self.frames // 2)
        values = self.toeplitz.in_order(product, count, frames) + self._added(frames)
        return np.maximum(values, 0, out=values)

    def _added(self, frames: int) -> np.ndarray:
        """Bias and constants, shape (live, 1, frames): at the ends some lie in the padding."""
        if frames not in self._ready:
            half = self.frames // 2
            frame = np.arange(frames)[:, None] + np.arange(-half, half + 1)
            inside = (frame >= 0) & (frame < frames)
            added = self._bias + inside @ self._constants
            self._ready[frames] = added.T[:, None].astype(np.float32)
        return self._ready[frames]


def _bands_first(patches: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(patches.transpose(2, 0, 1))


def _step(frames: int, units: int) -> int:
    """How many frames one product yields.

    Few units make a flat matrix, which is slow; several frames of each make it taller, at the
    price of multiplications with zero. The cost (1 + step / frames) (1 + FLAT / (step units))
    is least here.
    """
    return max(1, round((FLAT * frames / max(units, 1)) ** 0.5))
