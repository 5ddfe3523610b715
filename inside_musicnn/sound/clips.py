"""Clips: sound in memory, as the network hears it, from data/, any file, or made in code.

Explained in chapters 1 and 3.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.sound.condition import Damage
from inside_musicnn.sound.recordings import AudioName, damaged_patches, open_recording
from inside_musicnn.sound.sentences import too_short
from inside_musicnn.sound.shipped import DATA, clip_names, kind_of
from inside_musicnn.sound.spectrogram import HOP, PATCH_SECONDS, SAMPLE_RATE, cut_patches, db_mel

__all__ = ["DATA", "SHORTEST", "Clip", "clip_names", "load_clip"]

SHORTEST = (FRAMES - 1) * HOP  # samples that fill one patch


@dataclass(frozen=True, eq=False)
class Clip:
    """A piece of audio, mono float32 at 16 kHz.

    Attributes:
        name: a short name: of the clip in data/, or of the file.
        title: what a page calls it.
        samples: shape (n,).
        offset: where in the file it starts, in seconds.
        path: the file, or None for a signal made in code.
        kind: "recording" or "synthesised"; "" for a file of which nobody said.
        notes: sentences on what is lost or doubtful in it.
        damages: where sound is lost, in seconds of the file.
    """

    name: str
    title: str
    samples: np.ndarray = field(repr=False)
    offset: float = 0.0
    path: Path | None = None
    kind: str = ""
    notes: tuple[str, ...] = ()
    damages: tuple[Damage, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE

    @cached_property
    def db_mel(self) -> np.ndarray:
        """dB mel spectrogram, shape (frames, 96): see `inside_musicnn.sound.spectrogram.db_mel`."""
        return db_mel(self.samples)

    def patches(self, hop: int = FRAMES) -> np.ndarray:
        """Patches of the dB mel spectrogram, shape (n, 187, 96), `hop` frames apart."""
        return cut_patches(self.db_mel, hop)

    def damaged_patches(self) -> np.ndarray:
        """Which patches that lie side by side lack sound: bool, shape (n,)."""
        return damaged_patches(self.damages, self.offset, 0, len(self.patches()))

    def excerpt(self, start: float, seconds: float) -> np.ndarray:
        """Samples from `start` (seconds after the clip's own start) for `seconds` seconds."""
        first = round(start * SAMPLE_RATE)
        return self.samples[first : first + round(seconds * SAMPLE_RATE)]

    def segment(self, number: int) -> np.ndarray:
        """Samples under patch `number` (patches side by side), for listening."""
        return self.excerpt(number * PATCH_SECONDS, PATCH_SECONDS)


def load_clip(audio: AudioName, offset: float = 0.0, duration: float | None = None,
              segments: int | None = None, damaged: bool = False) -> Clip:
    """Load a clip by its name in data/, or any audio file by its path.

    The samples are those of `librosa.load(path, sr=16000)`: mono, resampled, float32.

    Args:
        audio: a name in data/ such as "lucky_13" or "disco", a path to WAV, FLAC, OGG, MP3, M4A
            or another format, or "-" for the standard input.
        offset: where to start, in seconds.
        duration: how much to load, in seconds; None for all that follows.
        segments: how much to load, in patches that lie side by side, where the audio has so many;
            else all that follows. Samples and patches are the first ones of the whole, and no
            more is decoded than they need. Not together with a duration.
        damaged: whether to read a file in which sound is lost: then it is silence, and the clip's
            notes say where.

    Raises:
        InputError: one sentence, if the file is missing, a folder, empty, not audio, damaged,
            too short for one patch, has NaN or infinite samples, or `offset` lies outside it; or
            if both a duration and segments are given.
    """
    most = None if segments is None else _samples_of(segments)
    if most is not None and duration is not None:
        raise InputError("Both a duration and a number of segments are given; leave one of them "
                         "out.")
    recording = open_recording(audio, offset, duration, damaged, most)
    samples = recording.samples()
    if len(samples) < SHORTEST:
        raise InputError(too_short(recording.shown, len(samples)))
    return Clip(recording.name, recording.title, samples, recording.offset, recording.path,
                kind_of(recording.path), recording.notes, recording.damages)


def _samples_of(segments: int) -> int:
    """Samples that the frames of so many patches look at.

    A frame looks one hop, half a window, to both sides of its centre: the last of n frames, whose
    centre is at n - 1 hops, needs n hops of samples.
    """
    try:
        count = int(segments)
    except (TypeError, ValueError, OverflowError):
        count = 0
    if count != segments or count < 1:
        raise InputError(f"The number of segments is {segments!r}; it must be a whole number, at "
                         "least 1.")
    return count * FRAMES * HOP
