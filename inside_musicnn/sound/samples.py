"""Samples that somebody already has, in whatever form, as the network hears them.

An array or a stream of blocks goes the way of a decoded file: so the samples of a file, read by
somebody else, give the same answer as its path.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from inside_musicnn.errors import InputError
from inside_musicnn.sound.decoding import BLOCK, Decoded, mono_blocks
from inside_musicnn.sound.levels import Levels, check_block

ARRAY, STREAM = "the array", "the stream"  # how sentences call them
RATES = 1, 10_000_000  # samples in a second, from and to
CHANNELS = 64  # at most


def array_blocks(samples: ArrayLike, rate: float, levels: Levels) -> Iterator[np.ndarray]:
    """Samples in an array, mono, 16 kHz, as float32 arrays that follow one another.

    Args:
        samples: shape (n,), or of several channels, (n, channels) or (channels, n): the shorter
            axis counts them. Floats are meant to stay within -1 to 1; whole numbers are divided
            by the largest that their type holds, as decoders do.
        rate: samples in a second.
        levels: takes in what passes.

    Raises:
        InputError: another shape or type, a rate that is none, samples that are not finite.
    """
    values, rate = _numbers(samples), check_rate(rate)
    if values.ndim == 2 and values.shape[0] < values.shape[1]:
        values = values.T
    values = _with_channels(values)
    blocks = (values[first : first + BLOCK] for first in range(0, len(values), BLOCK))
    return _heard(((rate, as_float(block)) for block in blocks), levels, ARRAY)


def stream_blocks(blocks: Iterable[ArrayLike], rate: float, levels: Levels
                  ) -> Iterator[np.ndarray]:
    """The same from blocks as they come, each of shape (n,) or (n, channels).

    Raises:
        InputError: as `array_blocks`, at the block that is wrong; or the number of channels
            changes.
    """
    return _heard(_of_stream(blocks, check_rate(rate)), levels, STREAM)


def _of_stream(blocks: Iterable[ArrayLike], rate: int) -> Iterator[Decoded]:
    channels = None
    for block in blocks:
        values = _with_channels(_numbers(block))
        channels = channels or values.shape[1]
        if values.shape[1] != channels:
            raise InputError(f"A block of the stream has {values.shape[1]} channels, and those "
                             f"before had {channels}; give each of them the same.")
        yield rate, as_float(values)


def _heard(decoded: Iterable[Decoded], levels: Levels, shown: str) -> Iterator[np.ndarray]:
    for block in mono_blocks(decoded, levels):
        check_block(block, shown)
        levels.heard(block)
        yield block


def check_rate(rate: float) -> int:
    """A whole number of samples in a second, or an InputError."""
    try:
        whole = int(rate) if math.isfinite(rate) else 0
    except (TypeError, ValueError):
        whole = 0
    if whole != rate or not RATES[0] <= whole <= RATES[1]:
        raise InputError(f"The rate is {rate!r}; it must be a whole number of samples in a second, "
                         "such as 44100.")
    return whole


def _numbers(samples: ArrayLike) -> np.ndarray:
    """An array of real numbers."""
    try:
        values: np.ndarray[Any, Any] = np.asarray(samples)
    except (TypeError, ValueError):  # lists of different lengths
        values = np.empty(0, object)
    if values.dtype.kind not in "fiu":
        raise InputError(f"The samples are of the type '{values.dtype}'; give real numbers, such "
                         "as float32 or int16.")
    return values


def _with_channels(values: np.ndarray) -> np.ndarray:
    """Samples of shape (n,) or (n, channels) as (n, channels)."""
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not 1 <= values.shape[1] <= CHANNELS:
        raise InputError(f"The samples have the shape {values.shape}; it must be (n,), or (n, "
                         f"channels) with 1 to {CHANNELS} of them.")
    return values


def as_float(values: np.ndarray) -> np.ndarray:
    """Samples as float32, whole numbers scaled as decoders scale them."""
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # told of the mix
            return np.ascontiguousarray(values, np.float32)
    full = 2 ** (8 * values.dtype.itemsize - 1)
    zero = full if values.dtype.kind == "u" else 0
    return np.ascontiguousarray((values.astype(np.float64) - zero) / full, np.float32)
