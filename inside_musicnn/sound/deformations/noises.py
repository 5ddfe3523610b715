"""Noise at a signal-to-noise ratio: white, pink, and like a crowd that talks."""

from functools import partial

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs

TALKERS = 24  # in the crowd
SYLLABLES = 4.5  # of each in a second
FORMANTS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480),
            (570, 840, 2410))  # of five vowels, in Hz (Peterson and Barney 1952, men)
WIDTH = 90.0  # Hz, of each formant


def add_noise(samples: np.ndarray, rate: int, decibels: float, kind: str, seed: int = 0
              ) -> np.ndarray:
    """Noise whose mean power lies so many decibels below that of the sound.

    Args:
        decibels: the signal-to-noise ratio; infinite for none.
        kind: "white", "pink" or "crowd".
        seed: of the noise.
    """
    power = float((samples.astype(np.float64) ** 2).mean())
    if decibels == np.inf:
        return samples.copy()
    if power == 0:
        raise InputError("The sound is silent, so no noise has a ratio to it; give a sound that "
                         "can be heard.")
    random = np.random.default_rng(seed)
    noise = np.column_stack([KINDS[kind](random, len(samples), rate)
                             for _ in range(samples.shape[1])])
    noise *= np.sqrt(power / (noise**2).mean()) * 10 ** (-decibels / 20)
    return (samples + noise).astype(np.float32)


def white(random: np.random.Generator, count: int, rate: int) -> np.ndarray:
    return random.standard_normal(count)


def pink(random: np.random.Generator, count: int, rate: int) -> np.ndarray:
    """Equal power in each octave from 20 Hz up."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / rate), 20.0)
    return np.fft.irfft(spectrum / np.sqrt(frequencies), count)


def crowd(random: np.random.Generator, count: int, rate: int) -> np.ndarray:
    """Voices at once: each a train of pulses of a wandering pitch through the resonances of a
    vowel, another for each syllable, with pauses. Not speech, but its spectrum and its pace."""
    with needs("deformations", "The noise of a crowd"):
        from scipy import signal
    total = np.zeros(count)
    step = max(1, round(rate / SYLLABLES))
    for _ in range(TALKERS):
        wander = np.repeat(random.normal(0, 0.08, count // step + 2), step)[:count]
        pitch = random.uniform(90, 230) * np.exp(wander)
        phase = np.cumsum(pitch) / rate + random.uniform()
        pulses = np.diff(np.floor(phase), prepend=0.0) > 0
        sound = signal.lfilter([1.0], [1.0, -0.9], pulses.astype(float))
        for first in range(0, count, step):
            part = slice(first, min(first + step, count))
            loud = random.uniform(0.2, 1) * (random.uniform() > 0.25)
            vowel = FORMANTS[random.integers(len(FORMANTS))]
            window = np.hanning(part.stop - part.start)
            total[part] += loud * window * _vowel(sound[part], vowel, rate)
    return total


def _vowel(sound: np.ndarray, formants: tuple[int, ...], rate: int) -> np.ndarray:
    from scipy import signal

    for hertz in formants:
        if hertz < 0.45 * rate:
            radius = np.exp(-np.pi * WIDTH / rate)
            poles = [1.0, -2 * radius * np.cos(2 * np.pi * hertz / rate), radius**2]
            sound = signal.lfilter([sum(poles)], poles, sound)
    return sound


KINDS = {"white": white, "pink": pink, "crowd": crowd}
white_noise, pink_noise, crowd_noise = (partial(add_noise, kind=kind) for kind in KINDS)
