"""Deformations of the spectrum and of the room: filters, equaliser, reverberation."""

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs

ORDER = 4  # of the Butterworth filters: 24 dB an octave
SHELF = 1000.0  # Hz: the tilt leaves this frequency as it is
ROOM = 0.6  # seconds in which the room's answer falls by 60 dB
PRE_DELAY = 0.01  # seconds before the first reflection


def low_pass(samples: np.ndarray, rate: int, hertz: float) -> np.ndarray:
    """A Butterworth filter that leaves what is below."""
    return _butterworth(samples, rate, hertz, "lowpass")


def high_pass(samples: np.ndarray, rate: int, hertz: float) -> np.ndarray:
    """A Butterworth filter that leaves what is above."""
    return _butterworth(samples, rate, hertz, "highpass")


def _butterworth(samples: np.ndarray, rate: int, hertz: float, kind: str) -> np.ndarray:
    with needs("deformations", "A filter"):
        from scipy import signal
    if not 0 < hertz < rate / 2:
        raise InputError(f"The filter's frequency is {hertz:g} Hz; at {rate} samples in a second "
                         f"it must lie between 0 and {rate / 2:g} Hz.")
    sections = signal.butter(ORDER, hertz, kind, fs=rate, output="sos")
    return np.asarray(signal.sosfilt(sections, samples, axis=0), np.float32)


def tilt(samples: np.ndarray, rate: int, decibels: float) -> np.ndarray:
    """An equaliser that raises so many decibels each octave above 1 kHz and lowers as many below,
    by at most 24 dB, without changing phases."""
    count = len(samples)
    frequencies = np.fft.rfftfreq(count, 1 / rate)
    octaves = np.log2(np.maximum(frequencies, 1.0) / SHELF)
    factors = 10 ** (np.clip(decibels * octaves, -24, 24) / 20)
    spectrum = np.fft.rfft(samples.astype(np.float64), axis=0) * factors[:, None]
    return np.fft.irfft(spectrum, count, axis=0).astype(np.float32)


def reverberate(samples: np.ndarray, rate: int, decibels: float, seed: int = 0) -> np.ndarray:
    """A room is added: exponentially falling noise as its answer, so many decibels below the
    sound itself in energy. The length stays: what rings on after the end is left out."""
    with needs("deformations", "Reverberation"):
        from scipy import signal
    if decibels == -np.inf:
        return samples.copy()
    times = np.arange(round(ROOM * 1.2 * rate)) / rate
    answer = np.random.default_rng(seed).standard_normal((len(times), samples.shape[1]))
    answer *= 10 ** (-3 * times / ROOM)[:, None]
    answer = np.concatenate([np.zeros((round(PRE_DELAY * rate), samples.shape[1])), answer])
    answer *= 10 ** (decibels / 20) / np.sqrt((answer**2).sum(axis=0, keepdims=True))
    room = signal.fftconvolve(samples.astype(np.float64), answer, axes=0)[: len(samples)]
    return (samples + room).astype(np.float32)
