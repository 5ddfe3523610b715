"""Decoding, down-mixing and resampling by blocks: sample for sample what `librosa.load` gives.

Blocks keep memory flat and the processor's cache warm: librosa mixes channels down in an order
that takes longer than resampling. Explained in chapter 3, measured in chapter 17.
"""

import math
import os
import queue
import threading
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
import soxr

from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

BLOCK = 2**17  # samples per channel that are decoded at once: 3 s at 44.1 kHz
AHEAD = 4  # blocks that a decoding thread may be ahead
Block = TypeVar("Block")


def native(path: Path) -> Path | bytes:
    """`path` as decoders take it: bytes where its name is not text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def by_librosa(path: Path, offset: float, duration: float | None) -> np.ndarray:
    """All samples of a file that libsndfile does not know: librosa tries another decoder.

    Raises:
        Exception: of whatever library decodes; `FloatingPointError` for samples that are not
            finite, which librosa does not take.
    """
    import librosa

    with warnings.catch_warnings(), quiet_stderr():
        # Its word that it tries another decoder, and that of tqdm, which wants widgets.
        warnings.simplefilter("ignore")
        try:
            samples, _ = librosa.load(native(path), sr=SAMPLE_RATE, offset=offset,
                                      duration=duration)
        except librosa.ParameterError as error:
            if "finite" in str(error):
                raise FloatingPointError(str(error)) from error
            raise
    return samples


def mono_blocks(path: Path, offset: float = 0.0, duration: float | None = None
                ) -> Iterator[np.ndarray]:
    """Yield a recording as mono blocks at 16 kHz, float32.

    Args:
        path: a file that libsndfile reads.
        offset, duration: in seconds; None for all that follows.

    Raises:
        soundfile.SoundFileError: libsndfile cannot read it.
    """
    with quiet_stderr():
        file = soundfile.SoundFile(native(path))
    with file:
        rate = file.samplerate
        blocks = _decoded(file, int(offset * rate),
                          None if duration is None else int(duration * rate))
        if rate == SAMPLE_RATE:
            yield from blocks
            return
        stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", "HQ")
        taken = given = 0
        for block in blocks:
            out = stream.resample_chunk(block)
            taken, given = taken + len(block), given + len(out)
            yield out
        out = stream.resample_chunk(np.zeros(0, np.float32), last=True)
        # librosa pads or cuts the last samples to this length.
        wanted = math.ceil(taken * (SAMPLE_RATE / rate)) - given
        yield np.pad(out, (0, max(0, wanted - len(out))))[: max(0, wanted)]


def _decoded(file: soundfile.SoundFile, first: int, count: int | None) -> Iterator[np.ndarray]:
    """Mono blocks at the file's own rate."""
    if first:
        file.seek(first)
    left = math.inf if count is None else count
    while left > 0:
        with quiet_stderr():  # decoders write to it by themselves
            block = file.read(int(min(BLOCK, left)), dtype="float32", always_2d=True)
        if not len(block):
            return
        left -= len(block)
        yield _mixed(block)


def _mixed(block: np.ndarray) -> np.ndarray:
    """The mean of all channels, added in librosa's order."""
    channels = block.shape[1]
    if channels > 2:
        return np.mean(block.T, axis=0)
    return block[:, 0] if channels == 1 else (block[:, 0] + block[:, 1]) / np.float32(2)


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
