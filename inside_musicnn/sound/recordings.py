"""Recordings: an audio file opened, and its sound read block by block.

Whoever reads audio comes through here: clips, the commands, corpora, the drop-in. So they all get
the same samples, and the same sentences on what is wrong with a file. Memory does not grow with
the length of the sound. Explained in chapter 3.
"""

import math
import os
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from inside_musicnn.cores import one_thread
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.sound.decoding import ahead, by_librosa, mono_blocks
from inside_musicnn.sound.headers import Header, read_header
from inside_musicnn.sound.shipped import clip_file, clip_names
from inside_musicnn.sound.spectrogram import HOP, SAMPLE_RATE, db_mel

AudioName = str | os.PathLike[str]  # a clip in data/, or a path
PATCHES_AT_ONCE = 32  # worth computing together: more are no faster, and take more memory
TOLERANCE = 0.1  # seconds by which sound may be shorter than its header says


@dataclass(frozen=True)
class Recording:
    """A part of an audio file, whose header has been looked at and nothing more.

    Attributes:
        path: the file.
        name: a short name: of the clip in data/, or of the file.
        title: what a page calls it.
        shown: how sentences call it.
        offset: where the part starts, in seconds.
        duration: its length in seconds at most; None for all that follows.
        header: of the file; None where libsndfile cannot read it.
    """

    path: Path
    name: str
    title: str
    shown: str
    offset: float
    duration: float | None
    header: Header | None

    @property
    def length(self) -> float | None:
        """Seconds of the whole file, None where its header cannot be read."""
        return self.header.seconds if self.header else None

    @property
    def expected(self) -> float | None:
        """Seconds of the part that the header lets one expect."""
        if self.header is None:
            return None
        left = self.header.seconds - self.offset
        return left if self.duration is None else min(self.duration, left)

    def patch_count(self, frames: int = FRAMES, hop: int = FRAMES) -> int | None:
        """Number of patches to be expected, None where the header does not tell."""
        if self.expected is None:
            return None
        found = 1 + math.ceil(self.expected * SAMPLE_RATE) // HOP
        return max(0, (found - frames) // hop + 1)

    def samples(self, most: int | None = None) -> np.ndarray:
        """The samples, mono, 16 kHz, float32, shape (n,).

        Args:
            most: decode until there are so many, and return no more; None for all.

        Raises:
            InputError: as `sample_blocks`, in what has been decoded.
        """
        parts, given = [np.zeros(0, np.float32)], 0
        with closing(self.sample_blocks()) as blocks:
            for block in blocks:
                parts.append(block)
                given += len(block)
                if most is not None and given >= most:
                    break
        return np.concatenate(parts)[:most]

    def sample_blocks(self) -> Generator[np.ndarray, None, None]:
        """The samples, mono, 16 kHz, as float32 arrays that follow one another.

        Raises:
            InputError: the file is not audio, is truncated, or has samples that are not finite.
        """
        given = 0
        for block in self._decoded():
            if not np.isfinite(block).all():
                raise InputError(not_finite(self.shown))
            given += len(block)
            yield block
        if self.header and self.header.stated:
            if given / SAMPLE_RATE < (self.expected or 0) - TOLERANCE:
                raise InputError(truncated(self.shown))

    def _decoded(self) -> Iterator[np.ndarray]:
        """Blocks of the decoder that knows the format; its own errors become one sentence."""
        try:
            if self.header is None:
                yield by_librosa(self.path, self.offset, self.duration)
            else:
                yield from mono_blocks(self.path, self.offset, self.duration)
        except FloatingPointError as error:
            raise InputError(not_finite(self.shown)) from error
        except Exception as error:  # each decoder has its own
            raise InputError(unreadable(self.shown)) from error

    def patch_batches(self, count: int = PATCHES_AT_ONCE, frames: int = FRAMES, hop: int = FRAMES
                      ) -> Iterator[np.ndarray]:
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

    def _spectrogram(self) -> Iterator[np.ndarray]:
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


def _cut(spectrogram: np.ndarray, frames: int, hop: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(spectrogram, frames, axis=0)
    return np.ascontiguousarray(windows[::hop].transpose(0, 2, 1))


def open_recording(audio: AudioName, offset: float = 0.0, duration: float | None = None
                   ) -> Recording:
    """A clip in data/, or any audio file, to be read block by block.

    Args:
        audio: a name in data/ such as "disco", or a path.
        offset: where to start, in seconds.
        duration: how much to read, in seconds; None for all that follows.

    Raises:
        InputError: the file is missing, a folder, empty, truncated or without samples, or the
            offset lies outside it, as far as its header tells.
    """
    path, name, title = _find(audio)
    shown = f"'{audio}'"
    offset, duration = _offset(offset), _duration(duration)
    header = read_header(path)
    if header and not header.frames:
        raise InputError(without_samples(shown))
    if header and header.cut:
        raise InputError(truncated(shown))
    if header and offset >= header.seconds:
        raise InputError(beyond_the_end(shown, offset, header.seconds))
    return Recording(path, name, title, shown, offset, duration, header)


def _find(audio: AudioName) -> tuple[Path, str, str]:
    """Path, name and title of what the reader asked for."""
    titles = clip_names(None)
    if str(audio) in titles:
        return clip_file(str(audio)), str(audio), titles[str(audio)]
    if not str(audio):
        raise InputError(f"No audio is named; give a path or one of {', '.join(titles)}.")
    path = Path(audio).expanduser()
    if path.is_dir():
        raise InputError(f"'{audio}' is a folder; give the path of one audio file.")
    if not path.is_file():
        raise InputError(f"There is no audio file '{audio}'; give the path of one, or a clip of "
                         f"this book: {', '.join(titles)}.")
    if path.stat().st_size == 0:
        raise InputError(f"'{audio}' is an empty file of 0 bytes; give an audio file.")
    return path.resolve(), path.stem, path.stem


def _offset(value: float) -> float:
    seconds = _seconds(value)
    if not seconds >= 0:
        raise InputError(f"The offset is {value!r}; it must be a number of seconds, 0 or more.")
    return seconds


def _duration(value: float | None) -> float | None:
    if value is None:
        return None
    seconds = _seconds(value)
    if not seconds > 0:
        raise InputError(f"The duration is {value!r}; it must be a number of seconds, above 0.")
    return seconds


def _seconds(value: float) -> float:
    """`value` as a finite number, or NaN."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return math.nan
    return seconds if math.isfinite(seconds) else math.nan


# The sentences on what is wrong with a file; `shown` is how the reader called it.

def unreadable(shown: str) -> str:
    """No decoder understands it."""
    return (f"The file {shown} cannot be read as audio; give WAV, FLAC, OGG or MP3, complete and "
            "playable.")


def without_samples(shown: str) -> str:
    """There is a header and nothing else."""
    return f"The audio file {shown} holds no samples; give one with sound in it."


def truncated(shown: str) -> str:
    """The sound ends too early."""
    return (f"The audio file {shown} is truncated: it ends before its header says; get a complete "
            "copy.")


def not_finite(shown: str) -> str:
    """Samples are NaN or infinite."""
    return (f"The audio in {shown} has samples that are not a number or infinite; repair the file "
            "or export it again.")


def beyond_the_end(shown: str, offset: float, length: float) -> str:
    """The start lies after the audio's end; both in seconds."""
    return (f"The offset of {offset:g} s is beyond the end of {shown}, which lasts {length:.2f} s; "
            "choose a smaller one.")


def too_short(shown: str, samples: int, frames: int = FRAMES) -> str:
    """Its `samples` samples do not fill a patch of `frames` frames."""
    return (f"The audio in {shown} is too short: {samples / SAMPLE_RATE:.2f} s from the offset on, "
            f"and one patch of {frames} frames needs {(frames - 1) * HOP / SAMPLE_RATE:.2f} s.")
