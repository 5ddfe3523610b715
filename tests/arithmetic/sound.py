"""The dB mel spectrogram in float64, from samples, and how far float32 and float16 may be from it.

**Power.** A value is a sum of positive numbers, so relative errors stay relative. The transform
itself is computed in float64; its two parts are rounded to float32 (u), so is the magnitude (2 u),
its square, each product with a filter and each sum: `ROUNDINGS` u per bin and band. The samples
are float32 numbers themselves: decoders and resamplers differ by roundings of these, which change
a bin by u times the root of the sum of their squares; in quiet bands beside loud ones that is more.

**float16.** Rounding keeps order. So a float16 power lies between the float16 numbers nearest to
the ends of the interval around the true power. Both are the same number unless a midpoint between
two float16 numbers lies in the interval, and then they are neighbours: a value that another
processor rounds the other way is one step away, and only there.

**Decibels.** NumPy's logarithm in float32 is right to `LOGARITHM` steps of float32.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from arithmetic.network import SILENT, Truth, pruned, weights_of
from arithmetic.rounding import U
from inside_musicnn import load_clip
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.sound.spectrogram import FFT_SIZE, HOP, mel_filters

ROUNDINGS = 12  # of one value of power, more than have been seen to fall together
RESAMPLED = 16 * U  # of samples within -1 to 1: resampled in other blocks, or from another start
LOGARITHM = 4  # units in the last place, what NumPy promises of its vectorised functions


@dataclass(frozen=True)
class Spectrogram:
    """A dB mel spectrogram as it must be; all arrays have shape (frames, 96).

    Attributes:
        power: the truth, float64.
        error: how far float32 may be from it.
        low, high: the float16 numbers between which the rounded power must lie, as float64.
    """

    power: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def decibels(self) -> np.ndarray:
        """What the network is given, float64, if every doubtful value is rounded correctly."""
        return decibels(_float16(self.power))

    @property
    def uncertain(self) -> np.ndarray:
        """How far a float32 spectrogram may be from `decibels`."""
        exact = self.decibels
        step = np.maximum(decibels(self.high) - exact, exact - decibels(self.low))
        return step + of_logarithm(exact)


def spectrogram(samples) -> Spectrogram:
    """The spectrogram of mono samples at 16 kHz, shape (n,)."""
    padded = np.pad(np.asarray(samples, np.float64), FFT_SIZE // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT_SIZE) / FFT_SIZE)
    frames = window * np.lib.stride_tricks.sliding_window_view(padded, FFT_SIZE)[::HOP]
    size = np.abs(np.fft.rfft(frames))
    noise = U * np.sqrt((frames**2).sum(axis=1, keepdims=True))
    filters = mel_filters().T.astype(np.float64)
    power = size**2 @ filters
    error = (2 * size * noise + noise**2) @ filters + ROUNDINGS * U * power
    return Spectrogram(power, error, _float16(power - error), _float16(power + error))


def decibels(power):
    """log10(10000 x + 1) in float64."""
    return np.log10(10000 * np.asarray(power, np.float64) + 1)


def of_logarithm(exact):
    """How far float32 may be from these decibels, for a power that is known exactly.

    The product and the sum round once each, and a relative error e of what the logarithm is taken
    of moves it by e / log(10).
    """
    return LOGARITHM * np.spacing(exact.astype(np.float32)) + 2 * U / np.log(10)


def _float16(power):
    limit = np.finfo(np.float16)
    return np.clip(power, 0, float(limit.max)).astype(np.float16).astype(np.float64)


def one_step_apart(found, expected) -> bool:
    """Whether two dB mel spectrograms of the same sound agree, but for steps of float16.

    A float16 number and its neighbour are apart by at most 2^-10 of it.
    """
    allowed = np.log10(1 + 2.0**-10) + 2 * of_logarithm(np.asarray(expected, np.float64))
    return bool((np.abs(found - expected) <= allowed).all())


def truth_of_samples(model: str, samples, threshold: float = 0.0, last: bool = False) -> Truth:
    """The truth for every patch of mono samples at 16 kHz.

    What another processor may make of the spectrogram is part of the bounds.

    Args:
        threshold: kernels of this norm or less are zero: what the compact network leaves out.
        last: only the last patch.
    """
    found = spectrogram(samples)
    count = len(found.power) // FRAMES

    def patches(values):
        return values[: count * FRAMES].reshape(count, FRAMES, -1)[count - 1 if last else 0 :]

    weights = pruned(model, threshold) if threshold else weights_of(model)
    return Truth(weights, patches(found.decibels), patches(found.uncertain), SILENT)


@cache
def truth_of_clip(model: str, name: str, threshold: float = 0.0, last: bool = False) -> Truth:
    """The same for a clip in data/, computed once."""
    return truth_of_samples(model, load_clip(name).samples, threshold, last)
