"""A file read at any place, and a file put together of pieces of another, for decoders."""

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

from inside_musicnn.sound.containers.layout import Piece

AT_ONCE = 2**22  # bytes that a `Window` holds: memory stays flat however long the file


class Window:
    """Bytes of a file at any place; those after the last one are held in memory."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.size = os.fstat(self._file.fileno()).st_size
        self._first = self._end = 0
        self._held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def at(self, place: int, count: int) -> bytes:
        """`count` bytes from `place` on; fewer at the end of the file."""
        if not self._first <= place <= place + count <= self._end:
            self._hold(place, count)
        return self._held[place - self._first : place - self._first + count]

    def find(self, what: bytes, place: int, end: int | None = None) -> int:
        """Where `what` is next, at `place` or after and before `end`; -1 if nowhere."""
        end = self.size if end is None else min(end, self.size)
        while place < end:
            if not self._first <= place <= place + len(what) <= self._end:
                self._hold(place, len(what))
            stop = min(end, self._end)
            found = self._held.find(what, place - self._first, stop - self._first)
            if found >= 0:
                return self._first + found
            if stop >= end:
                return -1
            place = max(place + 1, stop - len(what) + 1)
        return -1

    def _hold(self, place: int, count: int) -> None:
        if place == self._first and self._end >= self.size:
            return  # there is no more
        self._file.seek(place)
        self._held = self._file.read(max(count, AT_ONCE))
        self._first, self._end = place, place + len(self._held)


class PiecedFile(io.RawIOBase):
    """What pieces make, as a file that can be read and sought in.

    Args:
        path: the file that the stretches are of.
        pieces: in order.
    """

    def __init__(self, path: Path, pieces: Sequence[Piece]) -> None:
        self._file = path.open("rb", buffering=0)
        self._pieces = pieces
        lengths = (len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
                   for piece in pieces)
        self._starts = list(accumulate(lengths, initial=0))
        self._place = 0

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._starts[-1]}[whence]
        self._place = max(0, begin + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; fewer bytes at the end."""
        target, done = memoryview(buffer).cast("B"), 0
        number = bisect_right(self._starts, self._place) - 1
        while done < len(target) and number < len(self._pieces):
            inside = self._place - self._starts[number]
            count = min(len(target) - done, self._starts[number + 1] - self._place)
            piece = self._pieces[number]
            if isinstance(piece, bytes):
                target[done : done + count] = piece[inside : inside + count]
            elif count:
                self._file.seek(piece[0] + inside)
                count = self._file.readinto(target[done : done + count]) or 0
                if not count:
                    break
            done, self._place = done + count, self._place + count
            if self._place >= self._starts[number + 1]:
                number += 1
        return done
