"""Deformations of time: tempo, pitch, and both at once.

Tempo and pitch apart need a tool that cuts sound up and joins it anew, which leaves marks of its
own. So there are two, of different kinds, and shams: `stretched_and_back` makes the sound slower
and then as fast as it was.
"""

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs
from inside_musicnn.sound.deformations.filter_graph import filtered
from inside_musicnn.sound.deformations.length import to_length

FASTEST = 4.0


def stretch(samples: np.ndarray, rate: int, percent: float) -> np.ndarray:
    """Tempo changed by so many percent with the pitch kept, by librosa's phase vocoder."""
    with needs("deformations", "A change of tempo"):
        import librosa
    found = librosa.effects.time_stretch(samples.T, rate=_factor(percent))
    return np.ascontiguousarray(found.T, np.float32)


def overlap(samples: np.ndarray, rate: int, percent: float) -> np.ndarray:
    """The same by FFmpeg's `atempo`: pieces of the waveform, laid over one another where they
    fit."""
    return filtered(samples, rate, [("atempo", f"{_factor(percent):.9f}")])


def stretched_and_back(samples: np.ndarray, rate: int, percent: float) -> np.ndarray:
    """Sham: `stretch` there and back, at the old tempo with the marks of the tool."""
    return to_length(stretch(stretch(samples, rate, percent), rate, _back(percent)), samples)


def overlapped_and_back(samples: np.ndarray, rate: int, percent: float) -> np.ndarray:
    """Sham: `overlap` there and back."""
    return to_length(overlap(overlap(samples, rate, percent), rate, _back(percent)), samples)


def pitch(samples: np.ndarray, rate: int, cents: float) -> np.ndarray:
    """Pitch changed by so many hundredths of a semitone with the tempo kept: stretched by
    `stretch`, then played faster."""
    factor = 2 ** (cents / 1200)
    return to_length(speed(stretch(samples, rate, 100 / factor - 100), rate, 100 * factor - 100),
                      samples)


def pitch_by_overlap(samples: np.ndarray, rate: int, cents: float) -> np.ndarray:
    """The same with `overlap`."""
    factor = 2 ** (cents / 1200)
    return to_length(speed(overlap(samples, rate, 100 / factor - 100), rate, 100 * factor - 100),
                      samples)


def speed(samples: np.ndarray, rate: int, percent: float) -> np.ndarray:
    """Tempo and pitch together, as a record that turns faster: by resampling, which leaves no
    mark but for what lies above half the rate."""
    import soxr

    return soxr.resample(samples, rate * _factor(percent), rate, quality="HQ").astype(np.float32)


def _factor(percent: float) -> float:
    factor = 1 + percent / 100
    if not 1 / FASTEST <= factor <= FASTEST:
        raise InputError(f"A change of tempo by {percent:g} % cannot be had; it must lie between "
                         f"{100 / FASTEST - 100:g} and {100 * FASTEST - 100:g} %.")
    return factor


def _back(percent: float) -> float:
    return 100 / _factor(percent) - 100
