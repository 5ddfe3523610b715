"""Nulls: what chance alone would give, computed in the same way as the effect.

A null keeps everything but the one thing that a statement is about. Each function says what it
keeps. `against` puts an observed value beside what a null gave.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.evidence.basis import numbers_of
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FRAMES

REPEATS, SEED = 1000, 0


@dataclass(frozen=True)
class Against:
    """An observed value beside those of a null.

    Attributes:
        observed: the statistic of the data as they are.
        null: the statistic under the null, shape (repeats, ...).
    """

    observed: Any
    null: np.ndarray = field(repr=False)

    @property
    def middle(self) -> Any:
        """The null's median."""
        return np.median(self.null, axis=0)

    def range(self, level: float = 0.95) -> tuple[Any, Any]:
        """Between which values the null lies so often."""
        low, high = np.quantile(self.null, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    @property
    def above(self) -> Any:
        """How often the null reaches the observed value or more, the observed one counted in."""
        return (1 + (self.null >= self.observed).sum(axis=0)) / (1 + len(self.null))

    @property
    def below(self) -> Any:
        """How often the null reaches the observed value or less, the observed one counted in."""
        return (1 + (self.null <= self.observed).sum(axis=0)) / (1 + len(self.null))


def against(statistic: Callable[[Any], Any], observed: Any, null: Iterator[Any]) -> Against:
    """A statistic of what was observed, beside that of each drawing of a null."""
    return Against(statistic(observed), np.asarray([statistic(drawn) for drawn in null]))


def shuffled(labels: Sequence[Any] | np.ndarray, within: Sequence[Any] | np.ndarray | None = None,
             repeats: int = REPEATS, seed: int = SEED) -> Iterator[np.ndarray]:
    """Labels in another order: how many there are of each stays.

    Args:
        labels: shape (n, ...).
        within: shape (n,): only rows with the same value change places, such as patches of one
            recording; all rows if None.
    """
    values, random = np.asarray(labels), np.random.default_rng(seed)
    groups = np.zeros(len(values), int) if within is None else numbers_of(within)
    places = [np.flatnonzero(groups == group) for group in range(groups.max(initial=-1) + 1)]
    for _ in range(repeats):
        order = np.arange(len(values))
        for place in places:
            order[place] = random.permutation(place)
        yield values[order]


def shuffled_clusters(labels: Sequence[Any] | np.ndarray, clusters: Sequence[Any] | np.ndarray,
                      repeats: int = REPEATS, seed: int = SEED) -> Iterator[np.ndarray]:
    """Labels given to other clusters as wholes: rows of one cluster keep one label.

    Args:
        labels: shape (n,), one and the same in each cluster.
        clusters: shape (n,), such as the recording of each patch.

    Raises:
        InputError: a cluster has two labels.
    """
    values, number = np.asarray(labels), numbers_of(clusters)
    first = np.unique(number, return_index=True)[1]
    if not (values[first][number] == values).all():
        raise InputError("Within a cluster, all rows must have the same label.")
    random = np.random.default_rng(seed)
    for _ in range(repeats):
        yield random.permutation(values[first])[number]


def random_rows(count: int, out_of: int | Sequence[int] | np.ndarray, repeats: int = REPEATS,
                seed: int = SEED) -> Iterator[np.ndarray]:
    """So many rows, drawn by lot without repetition, sorted: how many stays.

    Args:
        count: how many.
        out_of: numbers to draw from, or how many there are.
    """
    random = np.random.default_rng(seed)
    for _ in range(repeats):
        yield np.sort(random.choice(out_of, count, replace=False))


def partners(ids: Sequence[Any] | np.ndarray, repeats: int = REPEATS, seed: int = SEED
             ) -> Iterator[np.ndarray]:
    """For each row another row, drawn from those of all other recordings, shape (n,).

    Raises:
        InputError: all rows are of one recording.
    """
    number = numbers_of(ids)
    count = len(number)
    if count == 0 or (number == number[0]).all():
        raise InputError("Rows of at least two recordings are needed.")
    random = np.random.default_rng(seed)
    for _ in range(repeats):
        drawn = random.integers(0, count, count)
        while (same := np.flatnonzero(number[drawn] == number)).size:
            drawn[same] = random.integers(0, count, same.size)
        yield drawn


def in_another_order(series: np.ndarray, axis: int = 1, repeats: int = REPEATS, seed: int = SEED
                     ) -> Iterator[np.ndarray]:
    """Frames in another order, the same for all rows of a patch: the values stay, the course of
    time goes."""
    random = np.random.default_rng(seed)
    for _ in range(repeats):
        yield np.take(series, random.permutation(series.shape[axis]), axis=axis)


def moved_in_time(series: np.ndarray, axis: int = 1, repeats: int = REPEATS, seed: int = SEED
                  ) -> Iterator[np.ndarray]:
    """Series turned round in time by a random number of frames: their course stays, its place in
    the patch goes."""
    random = np.random.default_rng(seed)
    for _ in range(repeats):
        yield np.roll(series, random.integers(1, series.shape[axis]), axis=axis)


def reversed_in_time(series: np.ndarray, axis: int = 1) -> np.ndarray:
    """Series backwards: the values stay, what comes first and what after goes."""
    return np.flip(series, axis=axis)


def shuffled_in_time(kernel: np.ndarray, repeats: int = REPEATS, seed: int = SEED) -> np.ndarray:
    """A kernel with its frames in another order, shape (repeats, frames, ...): its weights and
    their sum stay, the course of time goes."""
    random = np.random.default_rng(seed)
    return np.stack([kernel[random.permutation(len(kernel))] for _ in range(repeats)])


def smooth_noise(kernel: np.ndarray, repeats: int = REPEATS, seed: int = SEED) -> np.ndarray:
    """Noise as smooth as a kernel, shape (repeats, *kernel's): its norm stays and, along each
    axis, the mean product of neighbouring weights; all else goes."""
    from scipy import signal

    random, start = np.random.default_rng(seed), 100
    longer = [length + start if length > 1 else 1 for length in kernel.shape]
    noise = random.standard_normal((repeats, *longer))
    for axis, length in enumerate(kernel.shape):
        if length > 1:
            one, other = (np.take(kernel, range(first, length - 1 + first), axis)
                          for first in (0, 1))
            alike = float(np.clip((one * other).sum() / (kernel**2).sum(), -0.98, 0.98))
            noise = signal.lfilter([1], [1, -alike], noise, axis=axis + 1)
            noise = np.take(noise, range(start, start + length), axis + 1)
    axes = tuple(range(1, noise.ndim))
    return noise * np.linalg.norm(kernel) / np.sqrt((noise**2).sum(axis=axes, keepdims=True))


def untrained(frames: int, bands: int, units: int, of_block: int | None = None, seed: int = SEED
              ) -> np.ndarray:
    """Kernels as training found them, shape (frames, bands, units): uniform between the limits of
    Glorot's rule, which depend on how many values a block takes in and gives out."""
    fan = frames * bands * (1 + (of_block or units))
    limit = np.sqrt(6 / fan)
    return np.random.default_rng(seed).uniform(-limit, limit, (frames, bands, units))


def dealt_in_blocks(length: int, random: np.random.Generator, frames: int = FRAMES) -> np.ndarray:
    """Numbers of frames in blocks dealt anew, none of them before its follower, (frames,)."""
    blocks = np.split(np.arange(frames), range(length, frames, length))
    order = random.permutation(len(blocks))
    while (np.diff(order) == 1).any():
        order = random.permutation(len(blocks))
    return np.concatenate([blocks[number] for number in order])
