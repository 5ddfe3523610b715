"""WAV: chunks with sizes, which are right, or too large, or were never written.

A program that writes to a pipe cannot go back to tell the size of the sound: it leaves 0 or a
very large number there, and the sound ends where the file does.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from inside_musicnn.sound.containers.layout import Layout, Link, Pieces, Run
from inside_musicnn.sound.containers.probing import rate_and_frames
from inside_musicnn.sound.pieces import Window

_ORDERS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_LARGEST = _LARGEST_PLAIN = 2**32 - 1  # a size; of a file whose sizes have 32 bits
# What programs leave as the size of a sound that has no end yet.
NOT_KNOWN = (range(2**31 - 2**12, 2**31 + 2**12), range(2**32 - 2**12, 2**32))
_CHUNKS = 1000  # that are looked at, at most


@dataclass(frozen=True)
class _Sound:
    """Where the sound is.

    Attributes:
        order: of bytes, as `struct` has it.
        place: of its first byte.
        size: bytes, as the header tells.
        open: whether the header does not really tell.
    """

    order: str
    place: int
    size: int
    open: bool


def read_riff(path: Path) -> Layout | None:
    """The layout of a WAV file; None if its chunks cannot be followed."""
    with Window(path) as window:
        sound = _find(window)
        if sound is None:
            return None
        there = window.size - sound.place
        pieces = _completed(window, sound) if sound.open and sound.size == 0 else None
    rate, frames = rate_and_frames(path, pieces or ((0, window.size),)) or (0, None)
    if frames is None:
        return None
    stated: float | None = frames / rate
    if sound.open:
        stated = None
    elif sound.size > there:
        stated = frames * sound.size / max(1, there) / rate
    return Layout((Link(rate, frames, (Run(0, pieces),)),), stated, "marked")


def _find(window: Window) -> _Sound | None:
    """The chunk that holds the sound."""
    start = window.at(0, 12)
    if len(start) < 12 or start[:4] not in _ORDERS or start[8:] != b"WAVE":
        return None
    order, place, large = _ORDERS[start[:4]], 12, None
    (whole,) = struct.unpack(order + "I", start[4:8])
    for _ in range(_CHUNKS):
        head = window.at(place, 8)
        if len(head) < 8:
            return None
        name, size = struct.unpack(order + "4sI", head)
        place += 8
        if name == b"ds64" and len(window.at(place, 16)) == 16:
            large = struct.unpack("<8xQ", window.at(place, 16))[0]
        if name == b"data":
            there = window.size - place
            if size == _LARGEST and large is not None:
                return _Sound(order, place, large, large in (0, 2**64 - 1))
            # An empty file that was finished has a right size of the whole.
            never = size == 0 and there > 0 and whole + 8 not in (window.size, window.size - 1)
            unknown = size > there and any(size in each for each in NOT_KNOWN)
            return _Sound(order, place, size, never or unknown)
        place += size + size % 2
    return None


def _completed(window: Window, sound: _Sound) -> Pieces:
    """The file with the sizes that it has."""
    size, order = window.size - sound.place, sound.order
    head = bytearray(window.at(0, sound.place))
    if window.size <= _LARGEST_PLAIN and head[:2] == b"RI":
        head[4:8] = struct.pack(order + "I", window.size - 8)
        head[-4:] = struct.pack(order + "I", size)
    else:
        sizes = struct.pack("<4sIQQQI", b"ds64", 28, window.size + 28, size, 0, 0)
        head[-4:] = struct.pack("<I", _LARGEST)
        head = bytearray(b"RF64" + head[-4:] + head[8:12] + sizes + head[12:])
    return bytes(head), (sound.place, window.size)
