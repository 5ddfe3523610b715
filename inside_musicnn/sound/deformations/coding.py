"""Deformations that sound undergoes on its way: other rates, lossy coders."""

import numpy as np
import soxr

from inside_musicnn.errors import InputError
from inside_musicnn.sound.deformations.filter_graph import coded
from inside_musicnn.sound.deformations.length import to_length

MP3_RATE, OPUS_RATE = 44100, 48000  # samples in a second, at which the coders work here


def through_rate(samples: np.ndarray, rate: int, other: float) -> np.ndarray:
    """Resampled to another rate and back: what lies above half of it is lost."""
    if not 1000 <= other:
        raise InputError(f"A rate of {other:g} samples in a second is too low; it must be at "
                         "least 1000.")
    return to_length(_resampled(_resampled(samples, rate, other), other, rate), samples)


def mp3(samples: np.ndarray, rate: int, kilobits: float) -> np.ndarray:
    """Through the coder LAME and FFmpeg's decoder, at so many kilobits in a second."""
    return _through(samples, rate, MP3_RATE, "libmp3lame", "mp3", kilobits)


def opus(samples: np.ndarray, rate: int, kilobits: float) -> np.ndarray:
    """Through Opus and back, at so many kilobits in a second."""
    return _through(samples, rate, OPUS_RATE, "libopus", "ogg", kilobits)


def _through(samples: np.ndarray, rate: int, coder_rate: int, codec: str, container: str,
             kilobits: float) -> np.ndarray:
    if not 8 <= kilobits <= 320:
        raise InputError(f"{kilobits:g} kilobits in a second cannot be had; it must be between 8 "
                         "and 320.")
    if samples.shape[1] > 2:
        raise InputError(f"The sound has {samples.shape[1]} channels, and the coder takes one or "
                         "two; mix it down first.")
    found = coded(_resampled(samples, rate, coder_rate), coder_rate, codec, container,
                  round(kilobits))
    return to_length(_resampled(found, coder_rate, rate), samples)


def _resampled(samples: np.ndarray, rate: float, other: float) -> np.ndarray:
    if rate == other:
        return samples
    return soxr.resample(samples, rate, other, quality="HQ").astype(np.float32)
