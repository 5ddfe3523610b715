"""How loud a recording is, in itself and mixed down: what a reader should know of its input."""

import math
from collections.abc import Iterator

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.sound import sentences
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

SILENT = -70.0  # dBFS, root mean square: below, nothing of music is left
CANCELLED = 20.0  # dB by which a mix is below its channels that cancel
LOUDEST = 2.0  # size of samples that are meant to be between -1 and 1
WINDOW = SAMPLE_RATE // 10  # samples that are silent together, or not
MOST = 0.5  # share of them
LARGEST = 1e12  # size of samples whose power a spectrogram in single precision can hold


def check_block(samples: np.ndarray, shown: str) -> None:
    """Raise InputError where nothing can be computed of samples; `shown` says of what they are."""
    largest = max(float(samples.max()), -float(samples.min())) if len(samples) else 0.0
    if not math.isfinite(largest):  # a NaN is both the largest and the smallest
        raise InputError(sentences.not_finite(shown))
    if largest > LARGEST:
        raise InputError(sentences.too_large(shown, largest))


class Levels:
    """What has been heard so far; blocks may be of any length."""

    def __init__(self) -> None:
        self.peak = 0.0
        self.samples = 0
        self._power = 0.0  # sum of squares, at 16 kHz
        self._mix = self._channels = 0.0  # sums of squares at the file's own rate
        self._frames = 0
        self._windows = self._silent = 0
        self._rest = np.zeros(0, np.float32)

    def mixed(self, channels: np.ndarray, mix: np.ndarray) -> None:
        """Take in channels, shape (n, channels), and their mix, shape (n,)."""
        count = channels.shape[1]
        if count > 1:
            with np.errstate(over="ignore", invalid="ignore"):
                self._channels += float(np.vdot(channels, channels)) / count
                self._mix += float(np.vdot(mix, mix))
            self._frames += len(mix)

    def heard(self, samples: np.ndarray) -> None:
        """Take in samples as the network hears them: mono, 16 kHz, shape (n,)."""
        if not len(samples):
            return
        self.peak = max(self.peak, float(samples.max()), -float(samples.min()))
        self.samples += len(samples)
        waiting = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(waiting) // WINDOW * WINDOW
        windows = waiting[:whole].reshape(-1, WINDOW)
        powers = np.einsum("ij,ij->i", windows, windows)
        self._power += float(powers.sum(dtype=np.float64))
        self._windows += len(powers)
        self._silent += int((powers < WINDOW * 10 ** (SILENT / 10)).sum())
        self._rest = waiting[whole:].copy()

    def notes(self, shown: str) -> Iterator[str]:
        """Sentences on what is not as it is meant to be; `shown` is how the reader called it."""
        if not self.samples:
            return
        rest = float(np.vdot(self._rest, self._rest))
        level = _decibels((self._power + rest) / self.samples)
        channels = _decibels(self._channels / max(1, self._frames))
        mix = _decibels(self._mix / max(1, self._frames))
        if channels >= SILENT and mix <= channels - CANCELLED:
            left = (f"the mix is {channels - mix:.0f} dB below them" if np.isfinite(mix)
                    else "nothing is left")
            yield (f"The sides of {shown} cancel when they are mixed down: {left}, so the network "
                   "hears next to nothing of the music.")
        elif self.peak == 0:
            yield f"The audio in {shown} is silent, so its tags tell of no music."
        elif level < SILENT:
            yield (f"The audio in {shown} is as good as silent, at a level of {level:.0f} dBFS, so "
                   "its tags tell of no music.")
        elif self._windows and self._silent > MOST * self._windows:
            share = self._silent / self._windows
            yield (f"The audio in {shown} is silent, below {SILENT:.0f} dBFS, for {share:.0%} of "
                   "its length, so many of its tags tell of no music.")
        if self.peak > LOUDEST:
            reached = f"{self.peak:.1f}" if self.peak < 1000 else f"{self.peak:.0e}"
            yield (f"The samples of {shown} reach {reached}, and are meant to stay within -1 to 1: "
                   f"that adds up to {2 * np.log10(self.peak):.1f} to every value of the input, "
                   "and changes the tags.")


def _decibels(power: float) -> float:
    """A mean square in dBFS."""
    return 10 * float(np.log10(power)) if power > 0 else -np.inf
