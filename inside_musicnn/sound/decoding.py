"""Decoding, down-mixing and resampling by blocks: sample for sample what `librosa.load` gives.

Blocks keep memory flat and the processor's cache warm: librosa mixes channels down in an order
that takes longer than resampling. Explained in chapter 3, measured in chapter 17.
"""

import math
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
import soxr

from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.condition import TOLERANCE, Damage
from inside_musicnn.sound.containers.layout import Layout, Link, Run
from inside_musicnn.sound.levels import Levels
from inside_musicnn.sound.pieces import PiecedFile
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

BLOCK = 2**17  # samples per channel that are decoded at once: 3 s at 44.1 kHz
AHEAD = 4  # blocks that a decoding thread may be ahead
Block = TypeVar("Block")
Decoded = tuple[int, np.ndarray]  # frames in a second, and float32 of shape (frames, channels)
Lost = Callable[[Damage], None]  # told of what turns out to be lost; may raise


def native(path: Path) -> Path | bytes:
    """`path` as decoders take it: bytes where its name is not text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def mono_blocks(blocks: Iterable[Decoded], levels: Levels) -> Iterator[np.ndarray]:
    """Mix and resample what is decoded; yields mono blocks at 16 kHz, float32.

    Args:
        levels: takes in what passes.
    """
    resampler: _Resampler | None = None
    for rate, block in blocks:
        mono = _mixed(block)
        levels.mixed(block, mono)
        if resampler is None or resampler.rate != rate:
            if resampler is not None:
                yield resampler.rest()
            resampler = _Resampler(rate)
        yield resampler.next(mono)
    if resampler is not None:
        yield resampler.rest()


class _Resampler:
    """Blocks at one rate to blocks at 16 kHz."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._taken = self._given = 0
        self._stream = (None if rate == SAMPLE_RATE else
                        soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", "HQ"))

    def next(self, block: np.ndarray) -> np.ndarray:
        if self._stream is None:
            return block
        out = self._stream.resample_chunk(block)
        self._taken, self._given = self._taken + len(block), self._given + len(out)
        return out

    def rest(self) -> np.ndarray:
        """What is still inside."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        out = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        # librosa pads or cuts the last samples to this length.
        wanted = math.ceil(self._taken * (SAMPLE_RATE / self.rate)) - self._given
        return np.pad(out, (0, max(0, wanted - len(out))))[: max(0, wanted)]


def decoded(path: Path, layout: Layout, lost: Lost, offset: float = 0.0,
            duration: float | None = None) -> Iterator[Decoded]:
    """Decode a file as it is laid out; what is lost is silence.

    Args:
        lost: told of what turns out to be lost although nothing in the layout says so.
        offset, duration: in seconds; None for all that follows.

    Raises:
        soundfile.SoundFileError: libsndfile cannot open it.
    """
    begun = 0.0  # seconds of the file at which the link begins
    left = math.inf if duration is None else duration
    for link in layout.links:
        first = max(0, int((offset - begun) * link.rate))
        count = math.inf if math.isinf(left) else int(left * link.rate)
        given = 0
        if link.frames is None or first < link.frames or len(layout.links) == 1:
            def tell(start: int, frames: int | None, at_end: bool, begun: float = begun,
                     rate: int = link.rate) -> None:
                lost(Damage(begun + start / rate, frames and frames / rate, at_end))

            for block in _of_link(path, link, first, count, tell):
                given += len(block)
                yield link.rate, block
        left -= given / link.rate
        if left * link.rate < 1:
            return
        begun += (link.frames or first + given) / link.rate


def _of_link(path: Path, link: Link, first: int, count: float,
             tell: Callable[[int, int | None, bool], None]) -> Iterator[np.ndarray]:
    """Blocks of one link, from frame `first` on."""
    end = first + count
    place = 0  # frames of the link that have been passed
    for number, run in enumerate(link.runs):
        after = link.frames if run.end is None else run.end
        if after is not None and after <= first:
            continue
        if place < run.start:
            yield from _silence(max(place, first), min(run.start, end))
            place = run.start
        if place >= end:
            return
        if run.pieces is None:  # one can seek in it
            place = max(place, first)
        tolerance = TOLERANCE * link.rate
        try:
            for block in _of_run(path, run, place - run.start, end - place):
                _mute(block, place, link)
                begun, place = place, place + len(block)
                if place > first:
                    yield block[max(0, first - begun) : None if place <= end else int(end - begun)]
        except _Stopped:
            tolerance = 0.0
        stop = min(math.inf if after is None else after, end)
        if place < stop - tolerance and (after is not None or not tolerance):
            tell(place, None if after is None else after - place, number + 1 == len(link.runs))
        if place >= end:
            return


class _Stopped(Exception):
    """The decoder goes no further."""


def _of_run(path: Path, run: Run, first: int, count: float) -> Iterator[np.ndarray]:
    """Blocks that libsndfile decodes, shape (frames, channels).

    Raises:
        soundfile.SoundFileError: it cannot open the file.
        _Stopped: something in it cannot be decoded.
    """
    with ExitStack() as stack:
        source: Any = native(path)
        if run.pieces is not None:
            source = stack.enter_context(PiecedFile(path, run.pieces))
        with quiet_stderr():  # decoders write to it by themselves
            file = stack.enter_context(soundfile.SoundFile(source))
            if first:
                file.seek(first)
        while count > 0:
            with quiet_stderr():
                try:
                    block = file.read(int(min(BLOCK, count)), dtype="float32", always_2d=True)
                except soundfile.SoundFileError:
                    raise _Stopped from None
            if not len(block):
                return
            count -= len(block)
            yield block


def _mute(block: np.ndarray, place: int, link: Link) -> None:
    """Make silent what lies in a gap of the link; the block begins at frame `place`."""
    for first, end in link.gaps:
        if first < place + len(block) and end > place:
            block[max(0, first - place) : end - place] = 0


def _silence(first: int, end: float) -> Iterator[np.ndarray]:
    while first < end:
        count = int(min(BLOCK, end - first))
        yield np.zeros((count, 1), np.float32)
        first += count


def _mixed(block: np.ndarray) -> np.ndarray:
    """The mean of all channels, added in librosa's order."""
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):  # told once, of the whole
        if channels > 2:
            return np.mean(block.T, axis=0)
        return (block[:, 0] + block[:, 1]) / np.float32(2)


def ahead(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks, made in a thread of their own while the reader works on the last ones."""
    ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(AHEAD)
    stop, end = threading.Event(), object()

    def put(item: tuple[Any, BaseException | None]) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def make() -> None:
        try:
            for block in blocks:
                put((block, None))
                if stop.is_set():
                    return
            put((end, None))
        except BaseException as error:  # handed on to the reader
            put((end, error))

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            block, error = ready.get()
            if error is not None:
                raise error
            if block is end:
                return
            yield block
    finally:
        stop.set()
        thread.join()
