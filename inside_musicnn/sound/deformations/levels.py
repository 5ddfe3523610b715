"""Deformations of level and shape: gain, polarity, a constant, loudness, compression, channels,
and where the sound begins."""

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs
from inside_musicnn.sound.deformations.filter_graph import filtered

COMPRESSOR = "threshold=0.05:attack=5:release=80:makeup=1:knee=2.8"  # milliseconds; threshold of 1
CHANNELS = {-1: "left", 0: "mean", 1: "right"}


def gain(samples: np.ndarray, rate: int, decibels: float) -> np.ndarray:
    return samples * np.float32(10 ** (decibels / 20))


def polarity(samples: np.ndarray, rate: int, turned: float) -> np.ndarray:
    """Each sample with its sign turned, if `turned` is not 0."""
    return -samples if turned else samples.copy()


def constant(samples: np.ndarray, rate: int, added: float) -> np.ndarray:
    """A constant is added to all samples (an offset of direct current)."""
    return samples + np.float32(added)


def loudness(samples: np.ndarray, rate: int, lufs: float) -> np.ndarray:
    """The gain that makes the integrated loudness (ITU-R BS.1770) so many LUFS."""
    measured = loudness_of(samples, rate)
    if not np.isfinite(measured):
        raise InputError("The sound is silent, so it has no loudness that a gain could change; "
                         "give a sound that can be heard.")
    return gain(samples, rate, lufs - measured)


def loudness_of(samples: np.ndarray, rate: int) -> float:
    """Integrated loudness in LUFS; minus infinity of silence."""
    with needs("deformations", "Loudness"):
        import pyloudnorm
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(rate).integrated_loudness(samples.astype(np.float64)))


def compress(samples: np.ndarray, rate: int, ratio: float) -> np.ndarray:
    """FFmpeg's `acompressor` above -26 dBFS: of so many decibels one is left."""
    if ratio <= 1:
        return samples.copy()
    return filtered(samples, rate, [("acompressor", f"{COMPRESSOR}:ratio={ratio}")])


def one_channel(samples: np.ndarray, rate: int, which: float) -> np.ndarray:
    """The left channel (-1), the right one (1) or the mean of all (0), in one channel."""
    if which not in CHANNELS:
        raise InputError(f"The channel is {which:g}; it must be -1 (left), 0 (mean) or 1 (right).")
    if which == 0:
        return samples.mean(axis=1, keepdims=True, dtype=np.float32)
    return samples[:, [0 if which < 0 else -1]]


def cut_later(samples: np.ndarray, rate: int, milliseconds: float) -> np.ndarray:
    """The beginning is left out, so that all patches lie later in the music."""
    first = round(milliseconds / 1000 * rate)
    if not 0 <= first < len(samples):
        raise InputError(f"A beginning of {milliseconds:g} ms cannot be left out of a sound of "
                         f"{1000 * len(samples) / rate:.0f} ms; it must lie within it.")
    return samples[first:]


def silence_before(samples: np.ndarray, rate: int, milliseconds: float) -> np.ndarray:
    return np.concatenate([_silence(samples, rate, milliseconds), samples])


def silence_after(samples: np.ndarray, rate: int, milliseconds: float) -> np.ndarray:
    return np.concatenate([samples, _silence(samples, rate, milliseconds)])


def _silence(samples: np.ndarray, rate: int, milliseconds: float) -> np.ndarray:
    count = max(0, round(milliseconds / 1000 * rate))
    return np.zeros((count, samples.shape[1]), np.float32)
