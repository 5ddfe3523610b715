"""From U upwards in the folded network: answers with rows of U held, and what each row is given
credit for.

Rows are the live rows of U; to hold a row is to keep it at the mean that the network remembers of
it. Everything starts from one patch, of which the convolution of each row with CNN_2 is known, so
that a forward with any set of rows held costs a millisecond. Explained in chapter 15.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from inside_musicnn.network.compact import Compact
from inside_musicnn.network.folding import OverRows
from inside_musicnn.network.layers import ROWS
from inside_musicnn.network.live_weights import LiveWeights, Source

CHOICES = ("ReLUs of the second stage", "maxima over time", "ReLUs of the dense layer")


@dataclass(frozen=True)
class Choices:
    """What the network chose for one or several sounds, the axis of sounds second.

    Attributes:
        on: which values pass the ReLU of CNN_2, CNN_3 and CNN_4, each (live, sounds, frames).
        frame: where each row above U has its maximum, one array for each of its three parts,
            (rows, sounds).
        dense: which dense units are on, (sounds, live).
    """

    on: tuple[np.ndarray, ...]
    frame: tuple[np.ndarray, ...]
    dense: np.ndarray


@dataclass(frozen=True)
class Slopes:
    """How much all logits rise for each unit of what varies, with the choices of a sound held.

    Attributes:
        top, mean: of the maximum and the mean over time of each live row of U, (50, live rows).
        pooled: of the rows of CNN_2 through their own maximum and mean alone, (live, 50, frames).
        cnn_2, cnn_3, cnn_4: of what passes the ReLU of each live unit, by all ways to the logits,
            (live, 50, frames).
        sum_3, sum_4: of the rows of both sums, likewise.
    """

    top: np.ndarray
    mean: np.ndarray
    pooled: np.ndarray
    cnn_2: np.ndarray
    cnn_3: np.ndarray
    sum_3: np.ndarray
    cnn_4: np.ndarray
    sum_4: np.ndarray


class AboveU:
    """The folded network above U.

    Attributes:
        live: numbers of the live rows of U, (live,).
        usual: what the network remembers as their means, (live,).
    """

    def __init__(self, weights: Source | LiveWeights) -> None:
        self._engine = engine = Compact(weights, threads=1)
        self.first_stage, self.folded = engine.first_stage, engine.folded
        folded, dense = self.folded, self.folded.dense
        of_u = dense.rows < ROWS
        self.live, self.gain = dense.rows[of_u], dense.gain[of_u]
        self.steady = dense.steady[self.live]
        self.usual = weights.block("pool")["mean"][1::2][self.live].astype(np.float64)
        self.usual_varying = ((self.usual - self.steady) / self.gain).astype(np.float32)
        self._kernels = [each.kernel.astype(np.float32)
                         for each in (folded.cnn_2, folded.cnn_3, folded.cnn_4)]
        self._gains = [each.gain.astype(np.float32)[:, None, None]
                       for each in (folded.cnn_2, folded.cnn_3, folded.cnn_4)]
        self._into = (np.searchsorted(folded.below[4], folded.below[3]),
                      np.searchsorted(folded.below[4], folded.cnn_3.live),
                      np.searchsorted(folded.below["sum"], folded.below[4]),
                      np.searchsorted(folded.below["sum"], folded.cnn_4.live))
        self._max, self._mean, self._top = (np.float32(each) for each in (
            dense.kernel_max, dense.kernel_mean, dense.kernel_tags))
        self._bias, self._bias_tags = np.float32(dense.bias), np.float32(dense.bias_tags)
        self._ends = np.cumsum([len(self.live), len(folded.cnn_2.live), len(folded.below[4])])

    def added(self, number: int, frames: int) -> np.ndarray:
        """Bias and constants below CNN_2, 3 or 4, shape (live, 1, frames)."""
        cnn: OverRows = getattr(self.folded, f"cnn_{number}")
        half = len(cnn.kernel) // 2
        frame = np.arange(frames)[:, None] + np.arange(-half, half + 1)
        inside = (frame >= 0) & (frame < frames)
        return (cnn.bias + inside @ cnn.constants).T[:, None].astype(np.float32)

    def run(self, start: np.ndarray, largest: np.ndarray, mean: np.ndarray,
            choices: Choices | None = None, free: Collection[str] = CHOICES
            ) -> tuple[np.ndarray, Choices, list[np.ndarray]]:
        """From CNN_2 before its ReLU on.

        Args:
            start: CNN_2 before its ReLU, (live, sounds, frames).
            largest, mean: of what varies in U, over time, (live rows, sounds).
            choices: of one sound, that all are to follow.
            free: which kinds of choice are made anew all the same.

        Returns:
            logits, (sounds, 50); the choices made; the rows of the three parts above U.
        """
        held = [kind for kind in CHOICES if choices is not None and kind not in free]

        def passed(number: int, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            on = choices.on[number] if choices and CHOICES[0] in held else values > 0
            return values * on, on

        frames = start.shape[2]
        first, on_2 = passed(0, start)
        second, on_3 = passed(1, correlate(first, self._kernels[1]) + self.added(3, frames))
        shape = start.shape[1:]
        two = np.zeros((len(self.folded.below[4]), *shape), np.float32)
        two[self._into[0]] = first * self._gains[0]
        two[self._into[1]] += second * self._gains[1]
        third, on_4 = passed(2, correlate(two, self._kernels[2]) + self.added(4, frames))
        three = np.zeros((len(self.folded.below["sum"]), *shape), np.float32)
        three[self._into[2]] = two
        three[self._into[3]] += third * self._gains[2]
        parts, tops, places = [first, two, three], [largest], []
        for number, rows in enumerate(parts):
            place = (choices.frame[number] + np.zeros((1, shape[0]), int)
                     if choices and CHOICES[1] in held
                     else (rows * self._signs(number + 1)).argmax(axis=2))
            places.append(place)
            tops.append(np.take_along_axis(rows, place[..., None], axis=2)[..., 0])
        means = [mean, *(rows.mean(axis=2) for rows in parts)]
        dense = (np.concatenate(tops).T @ self._max + np.concatenate(means).T @ self._mean
                 + self._bias)
        on = choices.dense if choices and CHOICES[2] in held else dense > 0
        made = Choices((on_2, on_3, on_4), tuple(places), on)
        return (dense * on) @ self._top + self._bias_tags, made, parts

    def passed(self, number: int, below: np.ndarray) -> np.ndarray:
        """What passes the ReLU of CNN_2, 3 or 4, from what varies below, (live, sounds, frames)."""
        values = correlate(below, self._kernels[number - 2]) + self.added(number, below.shape[2])
        return np.maximum(values, 0)

    def _signs(self, part: int) -> np.ndarray:
        """-1 where a row falls when what varies in it rises, (rows of a part, 1, 1)."""
        signs = np.split(np.where(self.folded.dense.gain < 0, -1, 1).astype(np.float32), self._ends)
        return signs[part][:, None, None]

    def dense_bias(self, largest: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """"dense/bias" from what is pooled of what varies, (sounds, 200)."""
        return self._engine.final(largest, mean, ["dense/bias"])["dense/bias"]

    def slopes(self, choices: Choices, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Slopes of all logits with the choices of one sound held.

        Returns:
            of CNN_2 before its ReLU, (live, 50, frames); and of maximum and mean of what varies
            in each live row of U, each (50, live rows).
        """
        found = self.slopes_by_layer(choices, frames)
        return found.cnn_2 * choices.on[0], found.top, found.mean

    def slopes_by_layer(self, choices: Choices, frames: int) -> "Slopes":
        """The same of every layer above U, see `Slopes`."""
        of_dense = self._top.T * choices.dense[0]
        top, mean = (np.split(of_dense @ kernel.T, self._ends, axis=1)
                     for kernel in (self._max, self._mean))

        def of_rows(part: int) -> np.ndarray:
            found = np.repeat(mean[part].T[..., None] / np.float32(frames), frames, axis=2)
            rows = np.arange(len(found))
            found[rows, :, choices.frame[part - 1][:, 0]] += top[part].T
            return found

        three = of_rows(3)
        third = three[self._into[3]] * self._gains[2]
        two = of_rows(2) + three[self._into[2]] + correlate(
            third * choices.on[2], _backwards(self._kernels[2]))
        second = two[self._into[1]] * self._gains[1]
        pooled = of_rows(1)
        first = (pooled + two[self._into[0]] * self._gains[0]
                 + correlate(second * choices.on[1], _backwards(self._kernels[1])))
        return Slopes(top[0], mean[0], pooled, first, second, two, third, three)


@dataclass(eq=False)
class Patch:
    """One patch, as the network above U has it.

    Attributes:
        above: the network.
        varying: what varies in the live rows of U, (live, frames).
        logits: (50,), with all rows as they are.
        choices: of the patch as it is.
        parts: rows of the three parts above U, as they vary.
    """

    above: AboveU
    varying: np.ndarray
    logits: np.ndarray = field(init=False)
    choices: Choices = field(init=False)
    parts: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        above, self.frames = self.above, self.varying.shape[1]
        away = self.varying - above.usual_varying[:, None]
        kernel = above._kernels[0]
        # what each row's distance from usual adds to CNN_2, (live rows, units x frames)
        padded = np.pad(away, ((0, 0), (len(kernel) // 2,) * 2))
        seen = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=1)
        rows = seen @ kernel.transpose(1, 0, 2)
        self.adds = np.ascontiguousarray(rows.transpose(0, 2, 1)).reshape(len(rows), -1)
        usual = np.repeat(above.usual_varying[:, None, None], self.frames, axis=2)
        self.at_rest = correlate(usual, kernel) + above.added(2, self.frames)
        self.start = self.at_rest + self.adds.sum(axis=0).reshape(-1, 1, self.frames)
        signs = above._signs(0)[:, 0]
        self.largest = (self.varying * signs).max(axis=1) * signs[:, 0]
        self.mean = self.varying.mean(axis=1)
        found = above.run(self.start, self.largest[:, None], self.mean[:, None])
        self.logits, self.choices, self.parts = found[0][0], found[1], found[2]

    @property
    def u(self) -> np.ndarray:
        """The live rows of U, (live, frames)."""
        above = self.above
        return self.varying * above.gain[:, None] + above.steady[:, None]

    def held(self, sets: np.ndarray, free: Collection[str] = CHOICES
             ) -> tuple[np.ndarray, Choices]:
        """Logits, (sets, 50), and the choices made, when rows are held at their usual means.

        Args:
            sets: truth values, (sets, live rows).
            free: which kinds of choice the network makes anew; the others stay as they were.
        """
        start = self.start - (sets.astype(np.float32) @ self.adds).reshape(
            len(sets), -1, self.frames).transpose(1, 0, 2)
        usual = self.above.usual_varying
        largest, mean = (np.where(sets, usual, values).T for values in (self.largest, self.mean))
        return self.above.run(start, largest, mean, self.choices, free)[:2]

    def changes(self, sets: np.ndarray, free: Collection[str] = CHOICES, at_once: int = 32
                ) -> np.ndarray:
        """By how much all logits change when rows are held, (sets, 50): see `held`."""
        parts = np.split(sets, range(at_once, len(sets), at_once))
        return np.concatenate([self.held(some, free)[0] for some in parts]) - self.logits

    def gradient_x_input(self) -> np.ndarray:
        """Slope times distance from usual, summed over time, (50, live rows): the exact sum."""
        return self._credit(*self.above.slopes(self.choices, self.frames))

    def integrated_gradients(self, steps: int = 10) -> np.ndarray:
        """Mean slope on the straight way from all rows at their usual means, times the distance,
        (50, live rows)."""
        total: list[np.ndarray] = []
        usual = self.above.usual_varying
        for part in (np.arange(steps) + 0.5) / steps:
            start = self.at_rest + np.float32(part) * (self.start - self.at_rest)
            largest, mean = (usual + np.float32(part) * (values - usual)
                             for values in (self.largest, self.mean))
            made = self.above.run(start, largest[:, None], mean[:, None])[1]
            slopes = self.above.slopes(made, self.frames)
            total = [a + b for a, b in zip(total, slopes, strict=True)] if total else list(slopes)
        return self._credit(*(each / steps for each in total))

    def occlusion(self) -> np.ndarray:
        """What each logit loses when one row alone is held, (50, live rows)."""
        return -self.changes(np.eye(len(self.varying), dtype=bool)).T

    def _credit(self, above: np.ndarray, top: np.ndarray, mean: np.ndarray) -> np.ndarray:
        usual = self.above.usual_varying
        through = above.transpose(1, 0, 2).reshape(len(top), -1) @ self.adds.T
        return through + top * (self.largest - usual) + mean * (self.mean - usual)


def correlate(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlation along time with zeros beyond the ends.

    Args:
        values: (rows, sounds, frames).
        kernel: (length, rows, units).

    Returns:
        (units, sounds, frames).
    """
    rows, sounds, frames = values.shape
    half = len(kernel) // 2
    padded = np.zeros((rows, sounds, frames + 2 * half), np.float32)
    padded[..., half : half + frames] = values
    flat = padded.reshape(rows, -1)
    length = flat.shape[1] - 2 * half
    total = np.zeros((kernel.shape[2], flat.shape[1]), np.float32)
    for late, weights in enumerate(kernel):
        total[:, :length] += weights.T @ flat[:, late : late + length]
    return total.reshape(-1, sounds, frames + 2 * half)[..., :frames]


def _backwards(kernel: np.ndarray) -> np.ndarray:
    """The kernel of the way back."""
    return np.ascontiguousarray(kernel[::-1].transpose(0, 2, 1))
