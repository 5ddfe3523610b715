"""Probe signals made in code: simple sounds whose answer one can predict.

Each returns a Clip, mono float32 at 16 kHz. Explained in chapter 3.
"""

import numpy as np
from scipy import signal

from inside_musicnn.sound.clips import Clip
from inside_musicnn.sound.spectrogram import SAMPLE_RATE


def _clip(name, title, samples):
    return Clip(name, title, np.asarray(samples, np.float32))


def _times(seconds):
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def sine(frequency=440.0, amplitude=0.5, seconds=3.0):
    """A sine of `frequency` Hz."""
    samples = amplitude * np.sin(2 * np.pi * frequency * _times(seconds))
    return _clip("sine", f"sine of {frequency:g} Hz", samples)


def chirp(low=50.0, high=8000.0, amplitude=0.5, seconds=6.0):
    """A sine that rises from `low` to `high` Hz, the same number of octaves each second."""
    samples = amplitude * signal.chirp(_times(seconds), low, seconds, high, method="logarithmic")
    return _clip("chirp", f"chirp from {low:g} to {high:g} Hz", samples)


def click_train(rate=2.0, amplitude=0.9, seconds=6.0):
    """Clicks of one sample, `rate` of them per second, the first after half a period."""
    samples = np.zeros(round(seconds * SAMPLE_RATE))
    times = np.arange(0.5 / rate, seconds, 1 / rate)
    samples[(times * SAMPLE_RATE).astype(int)] = amplitude
    return _clip("click_train", f"{rate:g} clicks per second", samples)


def noise(amplitude=0.1, seconds=3.0, seed=0):
    """White Gaussian noise with standard deviation `amplitude`."""
    samples = amplitude * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))
    return _clip("noise", "white noise", samples)


def silence(seconds=3.0):
    """Zeros."""
    return _clip("silence", "silence", np.zeros(round(seconds * SAMPLE_RATE)))


def chord(frequencies=(261.63, 329.63, 392.0), amplitude=0.5, seconds=3.0, harmonics=6):
    """Tones with falling harmonics, C major by default; `amplitude` is the largest sample."""
    times = _times(seconds)
    tones = [np.sin(2 * np.pi * frequency * number * times) / number
             for frequency in frequencies for number in range(1, harmonics + 1)
             if frequency * number < SAMPLE_RATE / 2]
    total = np.sum(tones, axis=0)
    return _clip("chord", "chord", amplitude * total / np.abs(total).max())


def all_probes():
    """One of each, by name."""
    return {clip.name: clip
            for clip in (sine(), chirp(), click_train(), noise(), silence(), chord())}
