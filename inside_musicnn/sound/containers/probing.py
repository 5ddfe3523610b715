"""What libsndfile makes of pieces of a file."""

from pathlib import Path

import numpy as np
import soundfile

from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.containers.layout import Pieces
from inside_musicnn.sound.pieces import PiecedFile

MOST = 2**40  # frames of a file; libsndfile says more where it does not know
_AT_ONCE = 2**16  # frames


def rate_and_frames(path: Path, pieces: Pieces) -> tuple[int, int | None] | None:
    """Frames in a second and in all, None for what is not known; None where it cannot be read."""
    try:
        with quiet_stderr(), PiecedFile(path, pieces) as file, soundfile.SoundFile(file) as sound:
            return sound.samplerate, sound.frames if sound.frames < MOST else None
    except soundfile.SoundFileError:
        return None


def count_frames(path: Path, pieces: Pieces) -> int:
    """How many frames are decoded before the end, or before something is wrong."""
    count = 0
    try:
        with quiet_stderr(), PiecedFile(path, pieces) as file, soundfile.SoundFile(file) as sound:
            room = np.empty((_AT_ONCE, sound.channels), np.float32)
            while got := len(sound.read(out=room[: sound.frames - count])):
                count += got
    except soundfile.SoundFileError:
        pass
    return count
