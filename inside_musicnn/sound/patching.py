"""Samples that come block by block, as patches of the dB mel spectrogram.

The same for a file that is decoded and for sound that is still being played: memory does not grow
with its length. Explained in chapter 3.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from inside_musicnn.cores import one_thread
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.sound import sentences
from inside_musicnn.sound.spectrogram import HOP, db_mel

PATCHES_AT_ONCE = 32  # worth computing together: more are no faster, and take more memory


def patch_batches(blocks: Iterable[np.ndarray], shown: str, count: int = PATCHES_AT_ONCE,
                  frames: int = FRAMES, hop: int = FRAMES) -> Iterator[np.ndarray]:
    """Patches of the dB mel spectrogram, as the package cuts them, some at a time.

    Args:
        blocks: samples, mono, 16 kHz, float32, that follow one another.
        shown: how a sentence calls the sound.
        count: patches in one batch; the last may hold fewer.
        frames: frames of a patch.
        hop: frames from the start of one patch to the start of the next.

    Yields:
        float32, shape (patches, frames, 96); each batch as soon as its last frame is there.

    Raises:
        InputError: the sound is shorter than one patch.
    """
    waiting, found = np.empty((0, BANDS), np.float32), 0
    passed = 0  # frames that lie between two patches and are still to come
    full = frames + (count - 1) * hop
    for part in spectrogram_blocks(blocks):
        waiting = np.concatenate([waiting, part[passed:]])
        passed = max(0, passed - len(part))
        while len(waiting) >= full:
            yield _cut(waiting[:full], frames, hop)
            passed = max(0, count * hop - len(waiting))
            waiting, found = waiting[count * hop :], found + count
    if len(waiting) >= frames:
        yield _cut(waiting, frames, hop)
    elif not found:
        samples = max(0, len(waiting) - 1) * HOP
        raise InputError(sentences.too_short(shown, samples, frames))


def spectrogram_blocks(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Blocks of the dB mel spectrogram, shape (frames, 96)."""
    # Half a window of silence stands before the first sample and after the last.
    silence = np.zeros(HOP, np.float32)
    waiting = silence
    for samples in chain(blocks, [silence]):
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
