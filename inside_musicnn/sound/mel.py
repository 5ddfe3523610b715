"""Mel filters and mel power, number for number those of librosa 0.11.

Written out because librosa takes seconds to import, longer than a song to tag; tests hold it to
librosa bit for bit. Explained in chapter 3; sources: `librosa/filters.py` (`mel`),
`librosa/core/spectrum.py` (`stft`) and `librosa/core/convert.py`, with Slaney's mel scale.
"""

from functools import cache

import numpy as np

_LINEAR = 200 / 3  # Hz per mel below the bend
_BEND = 1000.0  # Hz: above, the scale is logarithmic
_LOG_STEP = np.log(6.4) / 27.0  # of the logarithm of frequency, per mel
_FRAMES_AT_ONCE = 2**12  # keeps memory flat and the cache warm


def mel_points(bands: int, rate: float) -> np.ndarray:
    """Frequencies in Hz of `bands` + 2 points, equally far apart in mel from 0 to half the rate."""
    bend = _BEND / _LINEAR
    top = bend + np.log(rate / 2 / _BEND) / _LOG_STEP
    mels = np.linspace(0.0, top, bands + 2)
    points = 0.0 + _LINEAR * mels
    above = mels >= bend
    points[above] = _BEND * np.exp(_LOG_STEP * (mels[above] - bend))
    return points


@cache
def mel_filters(bands: int, rate: float, size: int) -> np.ndarray:
    """Triangular filters of equal area over the bins of a Fourier transform of `size` samples.

    Returns:
        float32, shape (bands, 1 + size // 2), read-only.
    """
    points = mel_points(bands, rate)
    ramps = np.subtract.outer(points, np.fft.rfftfreq(n=size, d=1.0 / rate))
    steps = np.diff(points)
    filters = np.zeros((bands, 1 + size // 2), np.float32)
    for band in range(bands):
        rising, falling = -ramps[band] / steps[band], ramps[band + 2] / steps[band + 1]
        filters[band] = np.maximum(0, np.minimum(rising, falling))
    filters *= (2.0 / (points[2:] - points[:-2]))[:, None]
    filters.flags.writeable = False
    return filters


@cache
def hann(size: int) -> np.ndarray:
    """The periodic Hann window, float64."""
    angles = np.linspace(-np.pi, np.pi, size + 1)
    window = 0.5 * np.cos(0 * angles) + 0.5 * np.cos(1 * angles)
    return window[:-1]


def power_spectrogram(samples: np.ndarray, size: int, hop: int) -> np.ndarray:
    """Power of the short-time Fourier transform with centred frames, zeros around the samples.

    Args:
        samples: float32, shape (n,).

    Returns:
        float32, shape (1 + size // 2, frames), frames = 1 + n // hop, in Fortran order.
    """
    padded = np.pad(np.asarray(samples, np.float32), size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    power = np.empty((len(frames), 1 + size // 2), np.float32)
    for first in range(0, len(frames), _FRAMES_AT_ONCE):
        part = slice(first, first + _FRAMES_AT_ONCE)
        # librosa keeps the transform in single precision before it takes the magnitude.
        spectrum = np.fft.rfft(hann(size) * frames[part]).astype(np.complex64)
        power[part] = np.abs(spectrum) ** 2
    return power.T
