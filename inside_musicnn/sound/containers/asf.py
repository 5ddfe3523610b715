"""WMA: the length that the header of an ASF file states, also of one that was cut.

FFmpeg, which decodes it, guesses a length where the size of the file is not what its header says.
"""

import struct
from pathlib import Path

from inside_musicnn.sound.pieces import Window

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # the object that has the length
_HEADER = 2**16  # bytes at the beginning in which it is
_BROADCAST = 1  # a flag: whoever wrote it did not know the length


def stated_by_asf(path: Path) -> float | None:
    """Seconds of sound that the header states; None if it does not."""
    with Window(path) as window:
        place = window.find(_PROPERTIES, 0, _HEADER)
        found = window.at(place + 64, 28) if place >= 0 else b""
    if len(found) < 28:
        return None
    # In units of 100 ns, with the milliseconds that a player waits before it begins.
    length, _, before, flags = struct.unpack("<QQQI", found)
    seconds = length / 1e7 - before / 1e3
    return seconds if seconds > 0 and not flags & _BROADCAST else None
