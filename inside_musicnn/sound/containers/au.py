"""AU whose size was never written; the decoder knows only the mark for "not known"."""

import struct
from pathlib import Path

from inside_musicnn.sound.containers.layout import Layout, Link, Pieces, Run
from inside_musicnn.sound.containers.probing import rate_and_frames
from inside_musicnn.sound.pieces import Window

_ORDERS = {b".snd": ">", b"dns.": "<"}  # of bytes, by the first four
_NOT_KNOWN = b"\xff" * 4


def read_unfinished_au(path: Path) -> Layout | None:
    """The layout of an AU file that states 0 bytes of sound and has some; None for all others."""
    with Window(path) as window:
        head, length = window.at(0, 12), window.size
    if len(head) < 12 or head[:4] not in _ORDERS:
        return None
    begin, size = struct.unpack(_ORDERS[head[:4]] + "II", head[4:])
    if size or begin >= length:
        return None
    pieces: Pieces = (head[:8] + _NOT_KNOWN, (12, length))
    known = rate_and_frames(path, pieces)
    if known is None:
        return None
    rate, frames = known
    return Layout((Link(rate, frames, (Run(0, pieces),)),), None, "marked")
