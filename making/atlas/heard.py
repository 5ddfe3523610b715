"""What is measured of three seconds of sound, each with words for more and for less of it.

The words of `making.atlas.words` are chosen among these. All are taken from the dB mel spectrogram
alone, so that they hold whatever the unit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from inside_musicnn.sound.spectrogram import FRAME_SECONDS, band_edges

RANGES = ((0, 200), (200, 400), (400, 800), (800, 1600), (1600, 3200), (3200, 8000))  # Hz
RATES = ((60, 120), (120, 240), (240, 480), (480, 960))  # a minute
NEIGHBOURS = 7  # mel bands
STRONGEST = 0.05  # of the frames
MIDDLES = band_edges()[:, 1]
Numbers = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Measure:
    """One number of a patch.

    Attributes:
        more, less: what a sound is like of which it is large, or small; after "where".
        of: from patches of the dB mel spectrogram, (n, 187, 96), to the numbers, (n,).
    """

    more: str
    less: str
    of: Numbers


def level(patches: np.ndarray) -> np.ndarray:
    return patches.mean(axis=(1, 2))


def within(low: float, high: float, relative: bool) -> Numbers:
    """The level of some mel bands; `relative` to that of all."""
    inside = (low <= MIDDLES) & (high > MIDDLES)

    def of(patches: np.ndarray) -> np.ndarray:
        here = patches[..., inside].mean(axis=(1, 2))
        return here - level(patches) if relative else here

    return of


def called(low: float, high: float) -> str:
    if low == RANGES[0][0] or high == RANGES[-1][1]:
        return f"frequencies {'above' if low else 'below'} {low or high} Hz"
    return f"frequencies from {low} to {high} Hz"


def centre(patches: np.ndarray) -> np.ndarray:
    """In which mel band the middle of each frame lies, (n, 187); of silence, the middle of all."""
    total = patches.sum(axis=2)
    bands = np.arange(patches.shape[2])
    return np.where(total > 0, (patches * bands).sum(axis=2) / np.maximum(total, 1e-9),
                    bands.mean())


def width(patches: np.ndarray) -> np.ndarray:
    """How far from that middle a frame reaches, on average, in mel bands."""
    away = (np.arange(patches.shape[2]) - centre(patches)[..., None])**2
    total = patches.sum(axis=2)
    return np.sqrt((patches * away).sum(axis=2) / np.maximum(total, 1e-9)).mean(axis=1)


def peaks(patches: np.ndarray) -> np.ndarray:
    """How far mel bands stand above the mean of their neighbours."""
    return np.maximum(patches - uniform_filter1d(patches, NEIGHBOURS, axis=2), 0).mean(axis=(1, 2))


def rises(patches: np.ndarray) -> np.ndarray:
    """How much the bands rise into each frame, all together, (n, 186)."""
    return np.maximum(np.diff(patches, axis=1), 0).sum(axis=2)


def suddenness(patches: np.ndarray) -> np.ndarray:
    """Share of all rises that falls into the strongest frames."""
    ordered = np.sort(rises(patches), axis=1)[:, ::-1]
    count = round(STRONGEST * ordered.shape[1])
    return ordered[:, :count].sum(axis=1) / np.maximum(ordered.sum(axis=1), 1e-9)


def leaning(patches: np.ndarray) -> np.ndarray:
    """Whether bands rise faster than they fall."""
    steps = np.diff(patches, axis=1)
    return (steps**3).mean(axis=(1, 2)) / np.maximum((np.abs(steps)**3).mean(axis=(1, 2)), 1e-9)


def returning(low: float, high: float) -> Numbers:
    """Share of the rises' movement that repeats so often a minute."""
    def of(patches: np.ndarray) -> np.ndarray:
        moving = rises(patches)
        moving = (moving - moving.mean(axis=1, keepdims=True)) * np.hanning(moving.shape[1])
        power = np.abs(np.fft.rfft(moving, 2048))**2
        rate = 60 * np.fft.rfftfreq(2048, FRAME_SECONDS)
        inside = (rate >= low) & (rate < high)
        return power[:, inside].sum(axis=1) / np.maximum(power.sum(axis=1), 1e-9)

    return of


def regularity(patches: np.ndarray) -> np.ndarray:
    """How like itself the rises are after a quarter of a second to a second, at best."""
    moving = rises(patches)
    moving = moving - moving.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(moving, 2 * moving.shape[1]))**2
    likeness = np.fft.irfft(power)[:, : moving.shape[1]]
    lags = np.arange(moving.shape[1]) * FRAME_SECONDS
    some = (lags >= 0.25) & (lags <= 1)
    return (likeness[:, some] / np.maximum(likeness[:, :1], 1e-9)).max(axis=1)


MEASURES = (
    Measure("the sound is loud", "the sound is quiet", level),
    *(Measure(f"{called(low, high)} are loud", f"{called(low, high)} are quiet",
              within(low, high, relative=False)) for low, high in RANGES),
    *(Measure(f"{called(low, high)} stand out", f"{called(low, high)} are weaker than the rest",
              within(low, high, relative=True)) for low, high in RANGES),
    Measure("the sound is bright", "the sound is dark",
            lambda patches: centre(patches).mean(axis=1)),
    Measure("the brightness wanders", "the brightness stays",
            lambda patches: centre(patches).std(axis=1)),
    Measure("the sound reaches over many frequencies", "the sound lies in few frequencies", width),
    Measure("neighbouring frequencies differ", "neighbouring frequencies are alike", peaks),
    Measure("much begins", "little begins", lambda patches: rises(patches).mean(axis=1)),
    Measure("beginnings are sudden", "beginnings are gradual", suddenness),
    Measure("sounds begin faster than they end", "sounds end as fast as they begin, or faster",
            leaning),
    Measure("the spectrum changes", "the spectrum stays",
            lambda patches: patches.std(axis=1).mean(axis=1)),
    Measure("the loudness goes up and down", "the loudness stays even",
            lambda patches: patches.mean(axis=2).std(axis=1)),
    *(Measure(f"beginnings return {low} to {high} times a minute",
              f"few beginnings return {low} to {high} times a minute", returning(low, high))
      for low, high in RATES),
    Measure("beginnings are regular", "beginnings are irregular", regularity),
)


def measured(patches: np.ndarray) -> np.ndarray:
    """All measures of some patches, (n, measures)."""
    exact = np.asarray(patches, float)
    return np.column_stack([measure.of(exact) for measure in MEASURES])
