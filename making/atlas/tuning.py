"""Tuning curves: how each unit answers simple sounds of which one thing is changed.

Each curve is measured with several sounds that differ in what should not matter: phases and
timbres. Of each the answer is the maximum or the mean over time, as the curve says; the spread
over the sounds stands beside their mean.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from inside_musicnn.network.compact import Compact
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.live_layers import LiveLayer, live_layers
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound.spectrogram import SAMPLE_RATE, cut_patches, db_mel

SECONDS = 3.02  # a little more than a patch
PEAK = 0.5
TOGETHER = 4  # patches
TIMES = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE

Sound = Callable[[float, np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Curve:
    """What is changed, and how it is measured.

    Attributes:
        unit: of the values: "Hz", "dB", ...
        values: what is tried.
        variants: how many sounds of each value.
        over_time: "maximum" or "mean".
        about: one line.
        sound: from a value, a generator and the number of the variant to samples at 16 kHz.
    """

    unit: str
    values: np.ndarray
    variants: int
    over_time: str
    about: str
    sound: Sound


def tone(frequency: float, random: np.random.Generator, timbre: int) -> np.ndarray:
    """A steady tone with random phases: a sine, all harmonics, or the odd ones."""
    numbers = {0: [1], 1: range(1, 200), 2: range(1, 200, 2)}[timbre % 3]
    parts = [np.sin(2 * np.pi * frequency * number * TIMES + random.uniform(0, 2 * np.pi)) / number
             for number in numbers if frequency * number < 0.45 * SAMPLE_RATE]
    total = np.sum(parts, axis=0)
    return PEAK * total / np.abs(total).max()


def loud(level: float, random: np.random.Generator, kind: int) -> np.ndarray:
    """Noise, a tone or a chord whose loudest sample lies `level` dB below full scale."""
    if kind % 3 == 0:
        sound = random.standard_normal(len(TIMES))
    elif kind % 3 == 1:
        sound = tone(220, random, 1)
    else:
        sound = np.sum([tone(each, random, 1) for each in (220, 277.2, 329.6)], axis=0)
    return 10 ** (level / 20) * sound / np.abs(sound).max()


def burst(rise: float, random: np.random.Generator, kind: int) -> np.ndarray:
    """Silence, then a sound that reaches its full level in `rise` milliseconds."""
    sound = loud(20 * np.log10(PEAK), random, 0) if kind % 3 == 0 else tone(
        (220, 880)[kind % 3 - 1], random, 1)
    begin = 1.0 + 0.008 * (kind // 3)
    ramp = np.clip((TIMES - begin) / max(rise / 1000, 1 / SAMPLE_RATE), 0, 1)
    return sound * ramp


def pulse(tempo: float, random: np.random.Generator, kind: int) -> np.ndarray:
    """Clicks, or short bursts of noise, `tempo` of them in a minute, from any phase on."""
    sound, period = np.zeros(len(TIMES)), 60 / tempo
    length = 1 if kind % 2 == 0 else round(0.02 * SAMPLE_RATE)
    shape = np.ones(1) if length == 1 else random.standard_normal(length) * np.hanning(length)
    for begin in np.arange(period * (kind // 2) / 4, SECONDS, period):
        first = round(begin * SAMPLE_RATE)
        part = sound[first : first + length]
        part += shape[: len(part)]
    return PEAK * sound / max(np.abs(sound).max(), 1e-9)


def band(octaves: float, random: np.random.Generator, kind: int) -> np.ndarray:
    """Noise around 500 or 2000 Hz, `octaves` wide, always of the same power."""
    middle = (500, 2000)[kind % 2]
    spectrum = np.fft.rfft(random.standard_normal(len(TIMES)))
    frequency = np.fft.rfftfreq(len(TIMES), 1 / SAMPLE_RATE)
    inside = np.abs(np.log2(np.maximum(frequency, 1) / middle)) <= octaves / 2
    sound = np.fft.irfft(spectrum * inside, len(TIMES))
    return 0.1 * sound / np.sqrt((sound**2).mean())


def glide(rate: float, random: np.random.Generator, kind: int) -> np.ndarray:
    """A tone that passes 500, 1000 or 2000 Hz in the middle, `rate` octaves in each second, for
    a quarter of a second on both sides."""
    middle = (500, 1000, 2000)[kind % 3]
    away = np.clip(TIMES - SECONDS / 2, -0.25, 0.25)
    phase = 2 * np.pi * np.cumsum(middle * 2 ** (rate * away)) / SAMPLE_RATE
    phase += random.uniform(0, 2 * np.pi)
    sound = np.sin(phase) if kind < 3 else sum(
        np.sin(number * phase) / number for number in range(1, 4))
    return PEAK * sound / np.abs(sound).max()


CURVES = {
    "pitch": Curve("Hz", 55 * 2 ** np.arange(0, 6.1, 0.25), 6, "mean",
                   "steady tones: sines, all harmonics, odd harmonics, each with two phases", tone),
    "level": Curve("dB", np.arange(-60.0, 1, 5), 6, "mean",
                   "noise, a tone, a chord: the loudest sample below full scale", loud),
    "rise": Curve("ms", np.array([0, 5, 10, 20, 40, 80, 160, 320.0]), 6, "maximum",
                  "noise and two tones that begin, at two places in a frame", burst),
    "tempo": Curve("per minute", np.geomspace(30, 480, 17), 8, "maximum",
                   "clicks and short noises at four phases", pulse),
    "bandwidth": Curve("octaves", np.array([1 / 12, 1 / 6, 1 / 3, 2 / 3, 1, 2, 4, 6]), 6, "mean",
                       "noise of one power around 500 and 2000 Hz, three of each", band),
    "glide": Curve("octaves/s", np.array([-8, -4, -2, -1, -0.5, 0, 0.5, 1, 2, 4, 8]), 6, "maximum",
                   "sines and tones that glide through 500, 1000 and 2000 Hz", glide),
}


@cache
def sounds(name: str) -> np.ndarray:
    """The patches of one curve, float32, shape (values, variants, 187, 96)."""
    curve = CURVES[name]
    found = [[patch_of(curve.sound(value, np.random.default_rng([variant, number]), variant))
              for variant in range(curve.variants)] for number, value in enumerate(curve.values)]
    return np.array(found, np.float32)


def patch_of(samples: np.ndarray) -> np.ndarray:
    """The first patch of three seconds of sound, (187, 96)."""
    return cut_patches(db_mel(samples.astype(np.float32)))[0]


def responses(model: str) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """The curves of one network.

    Yields:
        name of the curve; from each layer to the answers of its live units, (units, values,
        variants).
    """
    weights = Weights(model)
    engine = Compact(weights, threads=1)
    layers = live_layers(engine.folded, weights.block("pool")["mean"])
    for name, curve in CURVES.items():
        patches = sounds(name).reshape(-1, FRAMES, sounds(name).shape[-1])
        parts: dict[str, list[np.ndarray]] = {}
        for first in range(0, len(patches), TOGETHER):
            for layer, values in answers(engine, layers, patches[first : first + TOGETHER]):
                over = values.max(axis=2) if curve.over_time == "maximum" else values.mean(axis=2)
                parts.setdefault(layer, []).append(over)
        yield name, {layer: np.concatenate(some, axis=1).reshape(
            -1, len(curve.values), curve.variants) for layer, some in parts.items()}


def answers(engine: Compact, layers: dict[str, LiveLayer], patches: np.ndarray
            ) -> Iterator[tuple[str, np.ndarray]]:
    """Values of each layer's live units on some patches, (live, patches, frames); of dense units
    and tags there is one for each patch, (live, patches, 1)."""
    varying = {"cnn_1/out": engine.first_stage(patches)}

    def seen(name: str, values: np.ndarray) -> np.ndarray:
        varying[name] = values
        return values

    largest, mean = engine.pooled(engine.second_stage(varying["cnn_1/out"], seen))
    final = engine.final(largest, mean, ["dense/norm", "tags/logits"])
    for name, layer in layers.items():
        yield name, layer.values(varying[name])
    yield "dense/norm", final["dense/norm"].T[engine.folded.dense.live, :, None]
    yield "tags/logits", final["tags/logits"].T[:, :, None]
