"""The deformations by name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from inside_musicnn.errors import InputError
from inside_musicnn.sound.clips import Clip
from inside_musicnn.sound.deformations.coding import mp3, opus, through_rate
from inside_musicnn.sound.deformations.filters import high_pass, low_pass, reverberate, tilt
from inside_musicnn.sound.deformations.levels import (
    compress,
    constant,
    cut_later,
    gain,
    loudness,
    one_channel,
    polarity,
    silence_after,
    silence_before,
)
from inside_musicnn.sound.deformations.noises import crowd_noise, pink_noise, white_noise
from inside_musicnn.sound.deformations.tempo_and_pitch import (
    overlap,
    overlapped_and_back,
    pitch,
    pitch_by_overlap,
    speed,
    stretch,
    stretched_and_back,
)
from inside_musicnn.sound.samples import as_float, check_rate
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

Function = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Deformation:
    """One way in which sound may change.

    Attributes:
        function: takes float32 samples of shape (n, channels), their rate and the strength, and a
            seed where something is drawn by lot; returns the same kind.
        unit: of the strength.
        nothing: the strength at which samples stay as they are, or as near to it as the tool
            comes; None where there is none, as of a loudness.
        tool: what makes it.
    """

    function: Function
    unit: str
    nothing: float | None
    tool: str = "numpy"

    @property
    def seeded(self) -> bool:
        """Whether something in it is drawn by lot."""
        return "seed" in inspect.signature(self.function).parameters


NEVER = float("inf")
DEFORMATIONS: dict[str, Deformation] = {
    "gain": Deformation(gain, "dB", 0),
    "loudness": Deformation(loudness, "LUFS", None, "pyloudnorm"),
    "polarity": Deformation(polarity, "1 to turn", 0),
    "constant": Deformation(constant, "of full scale", 0),
    "one channel": Deformation(one_channel, "-1, 0, 1: left, mean, right", 0),
    "compression": Deformation(compress, "to 1", 1, "FFmpeg's acompressor"),
    "cut later": Deformation(cut_later, "ms", 0),
    "silence before": Deformation(silence_before, "ms", 0),
    "silence after": Deformation(silence_after, "ms", 0),
    "low-pass": Deformation(low_pass, "Hz", None, "scipy"),
    "high-pass": Deformation(high_pass, "Hz", None, "scipy"),
    "tilt": Deformation(tilt, "dB an octave", 0),
    "reverberation": Deformation(reverberate, "dB against the sound", -NEVER, "scipy"),
    "white noise": Deformation(white_noise, "dB signal to noise", NEVER),
    "pink noise": Deformation(pink_noise, "dB signal to noise", NEVER),
    "crowd": Deformation(crowd_noise, "dB signal to noise", NEVER, "scipy"),
    "tempo": Deformation(stretch, "%", 0, "librosa's phase vocoder"),
    "tempo by overlap": Deformation(overlap, "%", 0, "FFmpeg's atempo"),
    "tempo there and back": Deformation(stretched_and_back, "%", 0,
                                        "librosa's phase vocoder"),
    "tempo by overlap there and back": Deformation(overlapped_and_back, "%", 0,
                                                   "FFmpeg's atempo"),
    "pitch": Deformation(pitch, "cents", 0, "librosa's phase vocoder, soxr"),
    "pitch by overlap": Deformation(pitch_by_overlap, "cents", 0,
                                    "FFmpeg's atempo, soxr"),
    "speed": Deformation(speed, "%", 0, "soxr"),
    "through a rate": Deformation(through_rate, "samples in a second", None, "soxr"),
    "MP3": Deformation(mp3, "kilobits in a second", None, "LAME, FFmpeg"),
    "Opus": Deformation(opus, "kilobits in a second", None, "libopus, FFmpeg"),
}


def deform(sound: Clip | ArrayLike, name: str, strength: float, rate: float | None = None,
           seed: int = 0) -> Clip | np.ndarray:
    """A sound after one deformation.

    Args:
        sound: a Clip, or samples of shape (n,) or (n, channels).
        name: one of `DEFORMATIONS`.
        strength: in its unit.
        rate: samples in a second; only, and needed, where `sound` is samples.
        seed: of what is drawn by lot. The same seed gives the same samples.

    Returns:
        a Clip for a Clip, else float32 samples, with the axes they had. Values may pass 1 in size:
        nothing is clipped.

    Raises:
        InputError: no such deformation, a strength that it does not take, samples that are not
            finite, a rate that is missing or none.
    """
    if name not in DEFORMATIONS:
        raise InputError(f"There is no deformation {name!r}; there are {', '.join(DEFORMATIONS)}.")
    if isinstance(sound, Clip):
        changed = _deformed(sound.samples, SAMPLE_RATE, name, strength, seed)
        title = f"{sound.title}, {name} {strength:g} {DEFORMATIONS[name].unit}"
        return replace(sound, samples=changed, title=title, path=None)
    if rate is None:
        raise InputError("Samples need their rate; give it with rate=, such as rate=44100.")
    return _deformed(np.asarray(sound), check_rate(rate), name, strength, seed)


def _deformed(samples: np.ndarray, rate: int, name: str, strength: float, seed: int
              ) -> np.ndarray:
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise InputError(f"The samples have the shape {samples.shape}; it must be (n,) or "
                         "(n, channels), with at least one sample.")
    columns = as_float(samples.reshape(len(samples), -1)).astype(np.float32)
    if not np.isfinite(columns).all():
        raise InputError("Some samples are not finite; give numbers that are.")
    if np.isnan(strength):
        raise InputError(f"The strength of {name!r} is not a number; give one in "
                         f"{DEFORMATIONS[name].unit}.")
    found = DEFORMATIONS[name]
    drawn = {"seed": seed} if found.seeded else {}
    changed = found.function(columns, rate, strength, **drawn)
    return changed[:, 0] if samples.ndim == 1 else changed
