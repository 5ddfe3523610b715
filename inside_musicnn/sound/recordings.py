"""Recordings: an audio file opened, and its sound read block by block.

Whoever reads audio comes through here: clips, the commands, corpora, the drop-in. So they all get
the same samples, and the same sentences on what is wrong with a file. Memory does not grow with
the length of the sound. Explained in chapter 3.
"""

import math
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.sound import sentences, standard_input
from inside_musicnn.sound.condition import Condition, Damage, judge, touched
from inside_musicnn.sound.containers.layout import Layout
from inside_musicnn.sound.decoding import ahead, decoded, mono_blocks
from inside_musicnn.sound.levels import Levels, check_block
from inside_musicnn.sound.others import NoDecoder, decoded_by_pyav
from inside_musicnn.sound.patching import PATCHES_AT_ONCE, patch_batches
from inside_musicnn.sound.shipped import clip_file, clip_names
from inside_musicnn.sound.spectrogram import FFT_SIZE, HOP, SAMPLE_RATE
from inside_musicnn.sound.survey import survey

AudioName = str | os.PathLike[str]  # a clip in data/, a path, or "-" for the standard input
RINGING = 0.01  # seconds by which a resampled sound goes on, or begins earlier


@dataclass
class _Heard:
    """What decoding has found."""

    levels: Levels = field(default_factory=Levels)
    damages: list[Damage] = field(default_factory=list)


@dataclass(frozen=True)
class Recording:
    """A part of an audio file, of which it is known how its sound is laid out.

    Attributes:
        path: the file.
        name: a short name: of the clip in data/, or of the file.
        title: what a page calls it.
        shown: how sentences call it.
        offset: where the part starts, in seconds.
        duration: its length in seconds at most; None for all that follows.
        most: samples of it, at 16 kHz, that will be asked for; None for all.
        layout: of the file.
        condition: what can be said of the file before it is decoded.
        damaged: whether a damaged file is read: what is lost is silence. Else it is refused.
    """

    path: Path
    name: str
    title: str
    shown: str
    offset: float
    duration: float | None
    most: int | None
    layout: Layout
    condition: Condition
    damaged: bool = False
    _heard: _Heard = field(default_factory=_Heard, repr=False, compare=False)

    @property
    def length(self) -> float | None:
        """Seconds of the whole file, None where nothing tells before it is decoded."""
        return self.layout.seconds

    @property
    def expected(self) -> float | None:
        """Seconds of the part that one may expect."""
        if self.length is None:
            return None
        left = self.length - self.offset
        return left if self.duration is None else min(self.duration, left)

    @property
    def damages(self) -> tuple[Damage, ...]:
        """Where sound of the part is lost, as far as it is known by now, in order."""
        every = (*self.condition.damages, *self._heard.damages)
        return tuple(sorted((damage for damage in every if self._concerned_by(damage)),
                            key=lambda damage: damage.start))

    @property
    def seconds_read(self) -> float:
        """Seconds that have been read by now."""
        return self._heard.levels.samples / SAMPLE_RATE

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is lost or doubtful in what has been read by now."""
        found = [sentences.read_although(self.shown, self.damages)] if self.damages else []
        last = self.seconds_read if self.length is None else self.length
        if self.condition.doubtful and self._end >= last:
            found.append(sentences.doubtful(self.shown))
        return (*found, *self._heard.levels.notes(self.shown))

    @property
    def _end(self) -> float:
        """Seconds of the file at which the part ends, or later."""
        wanted = math.inf if self.duration is None else self.duration
        return self.offset + min(wanted, math.inf if self.most is None else self.most / SAMPLE_RATE)

    def _concerned_by(self, damage: Damage) -> bool:
        """Whether damage lies in the part."""
        return damage.start < self._end and (damage.at_end or damage.end >= self.offset)

    def patch_count(self, frames: int = FRAMES, hop: int = FRAMES) -> int | None:
        """Number of patches to be expected, None where nothing tells."""
        if self.expected is None:
            return None
        found = 1 + math.ceil(self.expected * SAMPLE_RATE) // HOP
        return max(0, (found - frames) // hop + 1)

    def damaged_patches(self, first: int, count: int) -> np.ndarray:
        """Which of `count` patches that lie side by side, from number `first` on, lack sound.

        Returns:
            bool, shape (count,).
        """
        return damaged_patches(self.damages, self.offset, first, count)

    def samples(self) -> np.ndarray:
        """The samples, mono, 16 kHz, float32, shape (n,); no more than `most`.

        Raises:
            InputError: as `sample_blocks`, in what has been decoded.
        """
        parts, given = [np.zeros(0, np.float32)], 0
        with closing(self.sample_blocks()) as blocks:
            for block in blocks:
                parts.append(block)
                given += len(block)
                if self.most is not None and given >= self.most:
                    break
        return np.concatenate(parts)[: self.most]

    def sample_blocks(self) -> Generator[np.ndarray, None, None]:
        """The samples, mono, 16 kHz, as float32 arrays that follow one another.

        Raises:
            InputError: the file is not audio, is damaged, or has samples that are not finite.
        """
        self._heard.levels = Levels()
        self._heard.damages.clear()
        given = 0
        for block in self._decoded():
            check_block(block, self.shown)
            self._silence(block, given)
            self._heard.levels.heard(block)
            given += len(block)
            yield block

    def _silence(self, block: np.ndarray, place: int) -> None:
        """Take from a block what resampling leaves in gaps; it begins with sample `place`."""
        for damage in self.damages:
            first, end = (round((time - self.offset) * SAMPLE_RATE) - place
                          for time in (damage.start + RINGING, damage.end - RINGING))
            block[max(0, first) : max(0, end)] = 0

    def _decoded(self) -> Iterator[np.ndarray]:
        """Blocks of the decoder that knows the format; its own errors become one sentence."""
        decode = decoded if self.layout.decoder == "libsndfile" else decoded_by_pyav
        blocks = decode(self.path, self.layout, self._lost, self.offset, self.duration)
        try:
            yield from mono_blocks(blocks, self._heard.levels)
        except InputError:
            raise
        except Exception as error:  # each decoder has its own
            raise InputError(sentences.unreadable(self.shown)) from error

    def _lost(self, damage: Damage) -> None:
        """Take note of damage that was found in decoding.

        Raises:
            InputError: the recording is not to be read then.
        """
        if not self.damaged:
            layout = survey(self.path, deep=True)
            found = judge(layout).damages if layout else ()
            raise InputError(sentences.damaged(self.shown, found or (damage,)))
        self._heard.damages.append(damage)

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
        yield from ahead(patch_batches(self.sample_blocks(), self.shown, count, frames, hop))


def damaged_patches(damages: Sequence[Damage], start: float, first: int, count: int) -> np.ndarray:
    """Which patches of a part that begins at `start` seconds lack sound: bool, shape (count,)."""
    reach = FFT_SIZE / 2 / SAMPLE_RATE  # seconds to either side that the outermost frames hear
    begins = start + FRAMES * HOP / SAMPLE_RATE * np.arange(first, first + count + 1)
    return np.array([touched(damages, begins[i] - reach, begins[i + 1] + reach)
                     for i in range(count)], bool)


def open_recording(audio: AudioName, offset: float = 0.0, duration: float | None = None,
                   damaged: bool = False, most: int | None = None) -> Recording:
    """A clip in data/, or any audio file, to be read block by block.

    Args:
        audio: a name in data/ such as "disco", a path, or "-" for the standard input.
        offset: where to start, in seconds.
        duration: how much to read, in seconds; None for all that follows.
        damaged: whether to read a file although sound in this part is lost: then it is silence,
            and `notes` says where.
        most: samples at 16 kHz that will be asked for; damage after them is none of our business.

    Raises:
        InputError: the file is missing, a folder, empty, damaged or without samples, or the
            offset lies outside it, as far as can be told before it is decoded.
    """
    path, name, title = _find(audio)
    shown = f"'{title if str(audio) == standard_input.NAME else audio}'"
    offset, duration = _offset(offset), _duration(duration)
    try:
        layout = survey(path, deep=damaged)
    except NoDecoder:
        raise InputError(sentences.without_decoder(shown)) from None
    if layout is None:
        raise InputError(sentences.unreadable(shown))
    condition = judge(layout)
    recording = Recording(path, name, title, shown, offset, duration, most, layout, condition,
                          damaged)
    if recording.damages and not damaged:
        raise InputError(sentences.damaged(shown, recording.damages))
    if layout.seconds == 0:
        raise InputError(sentences.without_samples(shown))
    if layout.seconds is not None and offset >= layout.seconds:
        raise InputError(sentences.beyond_the_end(shown, offset, layout.seconds))
    return recording


def _find(audio: AudioName) -> tuple[Path, str, str]:
    """Path, name and title of what the reader asked for."""
    titles = clip_names(None)
    if str(audio) == standard_input.NAME:
        return standard_input.standard_input(), "standard_input", standard_input.TITLE
    if str(audio) in titles:
        return clip_file(str(audio)), str(audio), titles[str(audio)]
    if not str(audio):
        raise InputError("No audio is named; give a path"
                         + (f" or one of {', '.join(titles)}." if titles else "."))
    path = Path(audio).expanduser()
    if path.is_dir():
        raise InputError(f"'{audio}' is a folder; give the path of one audio file.")
    if not path.is_file():
        clips = f", or a clip of this book: {', '.join(titles)}" if titles else ""
        raise InputError(f"There is no audio file '{audio}'; give the path of one{clips}.")
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
