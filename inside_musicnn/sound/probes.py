"""Probe signals made in code: simple sounds whose answer one can predict.

Each returns a Clip, mono float32 at 16 kHz. Explained in chapter 3.
"""

from collections.abc import Sequence

import numpy as np

from inside_musicnn.sound.clips import Clip
from inside_musicnn.sound.shipped import SYNTHESISED
from inside_musicnn.sound.spectrogram import SAMPLE_RATE


def _clip(name: str, title: str, samples: np.ndarray) -> Clip:
    return Clip(name, title, np.asarray(samples, np.float32), kind=SYNTHESISED)


def _times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def sine(frequency: float = 440.0, amplitude: float = 0.5, seconds: float = 3.0) -> Clip:
    """A sine of `frequency` Hz."""
    samples = amplitude * np.sin(2 * np.pi * frequency * _times(seconds))
    return _clip("sine", f"sine of {frequency:g} Hz", samples)


def chirp(low: float = 50.0, high: float = 8000.0, amplitude: float = 0.5, seconds: float = 6.0
          ) -> Clip:
    """A sine that rises from `low` to `high` Hz, the same number of octaves each second."""
    from scipy import signal

    samples = amplitude * signal.chirp(_times(seconds), low, seconds, high, method="logarithmic")
    return _clip("chirp", f"chirp from {low:g} to {high:g} Hz", samples)


def click_train(rate: float = 2.0, amplitude: float = 0.9, seconds: float = 6.0) -> Clip:
    """Clicks of one sample, `rate` of them per second, the first after half a period."""
    samples = np.zeros(round(seconds * SAMPLE_RATE))
    times = np.arange(0.5 / rate, seconds, 1 / rate)
    samples[(times * SAMPLE_RATE).astype(int)] = amplitude
    return _clip("click_train", f"{rate:g} clicks per second", samples)


def noise(amplitude: float = 0.1, seconds: float = 3.0, seed: int = 0) -> Clip:
    """White Gaussian noise with standard deviation `amplitude`."""
    samples = amplitude * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))
    return _clip("noise", "white noise", samples)


def silence(seconds: float = 3.0) -> Clip:
    """Zeros."""
    return _clip("silence", "silence", np.zeros(round(seconds * SAMPLE_RATE)))


def chord(frequencies: Sequence[float] = (261.63, 329.63, 392.0), amplitude: float = 0.5,
          seconds: float = 3.0, harmonics: int = 6) -> Clip:
    """Tones with falling harmonics, C major by default; `amplitude` is the largest sample."""
    times = _times(seconds)
    tones = [np.sin(2 * np.pi * frequency * number * times) / number
             for frequency in frequencies for number in range(1, harmonics + 1)
             if frequency * number < SAMPLE_RATE / 2]
    total = np.sum(tones, axis=0)
    return _clip("chord", "chord", amplitude * total / np.abs(total).max())


def all_probes() -> dict[str, Clip]:
    """One of each, by name."""
    return {clip.name: clip
            for clip in (sine(), chirp(), click_train(), noise(), silence(), chord())}
