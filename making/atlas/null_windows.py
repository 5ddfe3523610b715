"""Windows that the best inputs are compared with: of the recordings that come with the book, and
of nothing, with the same smoothness and no events."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from inside_musicnn.network.layers import FRAMES
from inside_musicnn.sound.shipped import RECORDING, clip_names
from making.atlas.energy import Energy, spectrogram

EVERY = {True: 47, False: 12}  # frames from one window to the next: of whole patches, of others
SEED = 0


@cache
def places(frames: int) -> list[tuple[str, int]]:
    """Recording and first frame of each window."""
    step = EVERY[frames == FRAMES]
    return [(name, first) for name in clip_names(RECORDING)
            for first in range(0, len(spectrogram(name)) - frames + 1, step)]


def brought(energy: Energy, frames: int, numbers: Sequence[int], lot: bool) -> np.ndarray:
    """Windows by number, brought to the energy, (n, frames, 96): see `distances`."""
    return energy.reached(distances(energy, frames, numbers, lot))


def distances(energy: Energy, frames: int, numbers: Sequence[int], lot: bool) -> np.ndarray:
    """Windows of the recordings by number, as distances from the mean, (n, frames, 96).

    Args:
        lot: whether the phases of their two-dimensional Fourier transforms are dealt by lot.
    """
    found = []
    for number in numbers:
        name, first = places(frames)[number]
        window = spectrogram(name)[first : first + frames].astype(np.float64) - energy.mean
        found.append(phases_dealt(window, np.random.default_rng([SEED, number])) if lot
                     else window)
    return np.array(found)


def phases_dealt(window: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """An input with the same mean and the same power at each speed of change in time and
    frequency, all else by lot."""
    noise = np.fft.rfft2(random.standard_normal(window.shape))
    turned = noise / np.maximum(np.abs(noise), 1e-12)
    turned[0, 0] = 1
    return np.fft.irfft2(np.fft.rfft2(window) * turned, window.shape)
