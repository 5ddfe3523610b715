"""CAF and AVI, which PyAV decodes where they were cut: whether they hold all that they state."""

import struct
from pathlib import Path

from inside_musicnn.sound.pieces import Window

_MANY = 1000  # chunks that are looked at, at most


def is_cut(path: Path, container: str) -> bool:
    """Whether a file of this container, as PyAV names it, is shorter than its chunks."""
    with Window(path) as window:
        if container == "avi":
            size = int.from_bytes(window.at(4, 4), "little")
            return size + 8 > window.size
        place = 8
        for _ in range(_MANY if container == "caf" else 0):
            head = window.at(place, 12)
            if len(head) < 12:
                break
            kind, size = struct.unpack(">4sq", head)
            if size < 0:  # up to the end
                break
            place += 12 + size
            if kind == b"data":
                return place > window.size
    return False
