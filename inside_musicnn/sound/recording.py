"""A recording read block by block, so that memory does not grow with its length.

Samples and patches are those of `load_clip`; explained in chapter 3.
"""

import math
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile

from inside_musicnn.cores import one_thread
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.sound.clips import (
    _NOT_FINITE,
    _TRUNCATED,
    _decode,
    _find,
    _length,
    _promises,
    _seconds,
    beyond_the_end,
    native,
    too_short,
    unreadable,
)
from inside_musicnn.sound.decoding import ahead, mono_blocks
from inside_musicnn.sound.spectrogram import HOP, SAMPLE_RATE, db_mel


@dataclass(frozen=True)
class Recording:
    """A part of an audio file, whose header has been looked at and nothing more.

    Attributes:
        path: the file.
        shown: how sentences call it.
        offset: where the part starts, in seconds.
        duration: its length in seconds at most; None for all that follows.
        length: seconds of the whole file, None where its header cannot be read.
    """

    path: Path
    shown: str
    offset: float
    duration: float | None
    length: float | None

    def patch_count(self, frames=FRAMES, hop=FRAMES):
        """Number of patches to be expected, None where the header does not tell."""
        if self.length is None:
            return None
        seconds = min(self.duration or math.inf, self.length - self.offset)
        found = 1 + math.ceil(seconds * SAMPLE_RATE) // HOP
        return max(0, (found - frames) // hop + 1)

    def sample_blocks(self):
        """The samples, mono, 16 kHz, as float32 arrays that follow one another.

        They are those of `load_clip(path, offset, duration)`, joined.

        Raises:
            InputError: the file is not audio, is truncated, or has samples that are not finite.
        """
        if self.length is None:  # only librosa's second decoder may know this format
            yield _decode(self.path, self.shown, self.offset, self.duration)
            return
        given = 0
        try:
            for block in mono_blocks(native(self.path), self.offset, self.duration):
                if not np.isfinite(block).all():
                    raise InputError(_NOT_FINITE.format(self.shown))
                given += len(block)
                yield block
        except soundfile.SoundFileError as error:
            raise InputError(unreadable(self.shown)) from error
        self._check_complete(given / SAMPLE_RATE)

    def _check_complete(self, seconds):
        promised = min(self.duration or math.inf, self.length - self.offset)
        if seconds < promised - 0.1 and _promises(self.path, self.length):
            raise InputError(_TRUNCATED.format(self.shown))

    def patch_batches(self, count, frames=FRAMES, hop=FRAMES):
        """Patches of the dB mel spectrogram, as the package cuts them, some at a time.

        Args:
            count: patches in one batch; the last may hold fewer.
            frames: frames of a patch.
            hop: frames from the start of one patch to the start of the next.

        Yields:
            float32, shape (patches, frames, 96).

        Raises:
            InputError: as `sample_blocks`, or the audio is shorter than one patch.
        """
        waiting, found = np.empty((0, BANDS), np.float32), 0
        full = max(frames + (count - 1) * hop, count * hop)
        for part in self._spectrogram():
            waiting = np.concatenate([waiting, part])
            while len(waiting) >= full:
                yield _cut(waiting[: frames + (count - 1) * hop], frames, hop)
                waiting, found = waiting[count * hop :], found + count
        if len(waiting) >= frames:
            yield _cut(waiting, frames, hop)
        elif not found:
            raise InputError(too_short(self.shown, max(0, len(waiting) - 1) * HOP, frames))

    def _spectrogram(self):
        """Blocks of the dB mel spectrogram, shape (frames, 96)."""
        # Half a window of silence stands before the first sample and after the last.
        silence = np.zeros(HOP, np.float32)
        waiting = silence
        for samples in chain(ahead(self.sample_blocks()), [silence]):
            waiting = np.concatenate([waiting, samples])
            count = len(waiting) // HOP - 1
            if count > 0:
                # The first and the last frame would look beyond the block: they are left out.
                with one_thread():
                    part = db_mel(waiting[: (count + 1) * HOP])
                yield part[1 : count + 1]
                waiting = waiting[count * HOP :]


def _cut(spectrogram, frames, hop):
    windows = np.lib.stride_tricks.sliding_window_view(spectrogram, frames, axis=0)
    return np.ascontiguousarray(windows[::hop].transpose(0, 2, 1))


def open_recording(audio, offset=0.0, duration=None):
    """A clip in data/, or any audio file, to be read block by block; arguments as `load_clip`.

    Raises:
        InputError: as `load_clip`, as far as the file's header tells.
    """
    path, _, _ = _find(audio)
    shown = f"'{audio}'"
    offset, duration = _seconds(offset, "offset"), _seconds(duration, "duration")
    length = _length(path, shown)
    if length is not None and offset >= length:
        raise InputError(beyond_the_end(shown, offset, length))
    return Recording(path, shown, offset, duration, length)
