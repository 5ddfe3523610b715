"""Inputs of one energy: what all sounds that a unit is compared on are brought to.

An input is told as its distance from the mean that the network remembers of the dB mel
spectrogram. Its energy is the root mean square of that distance over the window that the unit
sees; it is the one that music usually has. No value lies below silence, or above what music
reaches in its band.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from inside_musicnn import load_clip
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound.shipped import RECORDING, clip_names
from inside_musicnn.sound.spectrogram import cut_patches

LOUDEST = 0.999  # share of frames below the highest value that an input may have


@dataclass(frozen=True, eq=False)
class Energy:
    """The constraint of one network.

    Attributes:
        mean: of the dB mel spectrogram, as the network remembers it.
        size: the energy, root mean square distance from the mean.
        lowest: distance of silence from the mean.
        highest: distance of what the recordings exceed in one frame of a thousand, in each mel
            band, (96,).
    """

    mean: float
    size: float
    lowest: float
    highest: np.ndarray

    def reached(self, inputs: np.ndarray, lowest_band: int = 0) -> np.ndarray:
        """Inputs multiplied so that they have the energy, cut at what there can be.

        The largest match with an input that any input of this energy has is with its own result
        here: the distances that are cut lie on the bounds, all others go along with it.

        Args:
            inputs: distances or directions, shape (n, frames, bands).
            lowest_band: number of the first band.

        Returns:
            float64, of the same shape. An input that cannot be brought there without more than the
            bounds allow lies on them with less energy.
        """
        inputs = np.asarray(inputs, np.float64)
        highest = self.highest[lowest_band : lowest_band + inputs.shape[2]]
        wanted = self.size**2 * inputs[0].size
        bounds = np.where(inputs > 0, highest, np.where(inputs < 0, self.lowest, 0.0))
        free = np.ones(inputs.shape, bool)
        factor = np.zeros(len(inputs))
        for _ in range(200):  # what is cut stays cut, so the factor only grows
            left = wanted - np.where(free, 0, bounds**2).sum(axis=(1, 2))
            inside = np.where(free, inputs**2, 0).sum(axis=(1, 2))
            factor = np.sqrt(np.maximum(left, 0) / np.maximum(inside, 1e-300))
            now = np.abs(inputs) * factor[:, None, None] <= np.abs(bounds)
            if (now | ~free).all():
                break
            free &= now
        return np.where(free, inputs * factor[:, None, None], bounds)

    def reached_each(self, windows: list[tuple[np.ndarray, int]]) -> np.ndarray:
        """The same for windows with lowest bands of their own."""
        return np.concatenate([self.reached(each[None], band) for each, band in windows])

    def of(self, inputs: np.ndarray) -> np.ndarray:
        """The energy of each input, (n,)."""
        return np.sqrt((np.asarray(inputs, np.float64)**2).mean(axis=(1, 2)))


@cache
def usual_energy(model: str) -> Energy:
    """The energy of the median patch of the recordings that come with the book."""
    mean = float(Weights(model).block("input")["mean"][0])
    patches = np.concatenate([cut_patches(spectrogram(name)) for name in clip_names(RECORDING)])
    size = np.sqrt(((patches.astype(np.float64) - mean)**2).mean(axis=(1, 2)))
    loudest = np.quantile(patches.reshape(-1, patches.shape[2]), LOUDEST, axis=0)
    return Energy(mean, float(np.median(size)), -mean, loudest.astype(np.float64) - mean)


@cache
def spectrogram(name: str) -> np.ndarray:
    """The dB mel spectrogram of one recording, (frames, 96)."""
    return load_clip(name).db_mel
