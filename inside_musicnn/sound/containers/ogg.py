"""Ogg: pages with checksums, numbers and times, of Vorbis, Opus, FLAC or Speex.

Streams that follow one another (a chain) become links, in order. Streams beside the first one of
sound, such as a picture's, are left out. Pages that are missing make a gap, whose length the times
of the pages tell. The mark at a stream's end is set right where it stands too often or, in Opus,
not at all.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from inside_musicnn.sound.containers.layout import (
    LONGEST_GAP,
    Ending,
    Layout,
    Link,
    Piece,
    Pieces,
    Run,
)
from inside_musicnn.sound.containers.opus import packet_length
from inside_musicnn.sound.containers.probing import count_frames, rate_and_frames
from inside_musicnn.sound.containers.tags import length_of_tag
from inside_musicnn.sound.pieces import Window

_HEAD = struct.Struct("<4sBBqIIIB")  # of a page, up to the lengths of its segments
_CONTINUED, _FIRST, _LAST = 1, 2, 4  # flags of a page
_NO_TIME = -1  # of a page on which no packet ends
_OPUS_RATE = 48000  # of the times of an Opus stream
_SETTLING = 3840  # of these: 80 ms until an Opus decoder that begins in the middle is right
_CODECS = {b"\x01vorbis": "vorbis", b"OpusHead": "opus", b"\x7fFLAC": "flac", b"Speex   ": "speex"}
_HEADERS = {"vorbis": 3, "opus": 2, "flac": 2, "speex": 2}  # packets before the sound
_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class Page(NamedTuple):
    """A page whose checksum is right."""

    place: int
    end: int
    flags: int
    time: int
    serial: int
    number: int
    segments: bytes  # their lengths

    @property
    def body(self) -> int:
        """Where what it carries begins."""
        return self.place + _HEAD.size + len(self.segments)

    @property
    def packets(self) -> int:
        """How many packets end on it."""
        return sum(length < 255 for length in self.segments)


class Hole(NamedTuple):
    """A stretch of a file that is no page."""

    place: int
    end: int


@dataclass
class _Stretch:
    """Pages of a stream that follow one another without loss.

    Attributes:
        pieces: that make them.
        first: the first page on which a packet ends.
        begun: how many pieces there are up to this page and with it.
        last: the last page.
        time: at the end.
        shift: what is taken from the times of its pages.
        pending: samples of a packet that goes on on the next page.
    """

    pieces: list[Piece] = field(default_factory=list)
    first: Page | None = None
    begun: int = 0
    last: Page | None = None
    time: int = 0
    shift: int = 0
    pending: int = 0

    def add(self, page: Page, pieces: list[Piece]) -> None:
        """Take in a page, as it is or as other bytes."""
        for piece in pieces:
            before = self.pieces[-1] if len(self.pieces) > self.begun else b""
            if (self.first is not None and isinstance(piece, tuple) and isinstance(before, tuple)
                    and before[1] == piece[0]):
                self.pieces[-1] = (before[0], piece[1])
            else:
                self.pieces.append(piece)
        if page.time != _NO_TIME:
            self.time = page.time
            if self.first is None:
                self.first, self.begun = page, len(self.pieces)
        self.last = page

    def mark(self, window: Window, end: bool) -> None:
        """Set or take away the mark of the end on the last page."""
        page = self.last
        assert page is not None
        place, pieces = page.end, len(self.pieces)
        while place > page.place:  # it may be the end of a piece, or pieces of its own
            piece = self.pieces.pop()
            place = piece[0] if isinstance(piece, tuple) else page.place
            if place < page.place:
                self.pieces.append((place, page.place))
        flags = page.flags | _LAST if end else page.flags & ~_LAST
        self.last = page._replace(flags=flags)
        self.pieces += _rewritten(window, self.last, self.shift)
        if pieces == self.begun:
            self.begun = len(self.pieces)


@dataclass
class _Stream:
    """The stream of sound in one link of the chain.

    Attributes:
        serial, codec: which one it is.
        headers: packets that it begins with.
        delay: samples at the start that are not to be heard.
        header: pieces with these packets.
        packets: of them that have come so far.
        stretches: of the pages after them.
        number: of its last page.
        ended: its last page has the mark of the end.
        changed: the decoder needs other bytes than those of the file.
        lost: something is missing between header and sound.
        late: the sound does not begin with the first page after the header, as in a broadcast.
    """

    serial: int
    codec: str
    headers: int
    delay: int
    header: list[Piece] = field(default_factory=list)
    packets: int = 0
    stretches: list[_Stretch] = field(default_factory=list)
    number: int = 0
    ended: bool = False
    changed: bool = False
    lost: bool = False
    late: bool = False

    def add(self, window: Window, page: Page) -> None:
        """Take in its next page."""
        follows = page.number == self.number + 1 or bool(page.flags & _FIRST)
        self.number = page.number
        if self.packets < self.headers:
            self.lost = self.lost or not follows
            self.header.append((page.place, page.end))
            self.packets += page.packets
            return
        if self.ended:
            self.changed = True
            self.stretches[-1].mark(window, end=False)
        if not self.stretches or not follows:
            self.late = self.late or not (self.stretches or follows)
            self.stretches.append(_Stretch())
        self._add_sound(window, page, self.stretches[-1])
        self.ended = bool(page.flags & _LAST)

    def _add_sound(self, window: Window, page: Page, stretch: _Stretch) -> None:
        if self.codec != "opus" or (len(self.stretches) == 1 and not (self.lost or self.late)):
            stretch.add(page, [(page.place, page.end)])
            return
        # An Opus decoder wants times that begin with the first packet.
        self.changed = True
        if stretch.first is None:
            ended, stretch.pending = _opus_samples(window, page, stretch.pending)
            stretch.shift += max(page.time, 0) - ended
        stretch.add(page, _rewritten(window, page, stretch.shift))


def read_ogg(path: Path) -> Layout | None:
    """The layout of an Ogg file; None if no stream in it is sound that libsndfile knows."""
    with Window(path) as window:
        streams, alone, torn = _streams(window)
        for stream in streams:
            for stretch in stream.stretches if stream.codec == "opus" else ():
                if stretch.last is not None and not stretch.last.flags & _LAST:
                    stream.changed = True
                    stretch.mark(window, end=True)
    alone = alone and len(streams) == 1
    links = tuple(link for stream in streams if (link := _link(path, stream, alone)) is not None)
    if not links:
        return None
    ending: Ending = "open"
    if torn and not streams[-1].ended:
        ending = "torn"
    elif all(stream.ended and not stream.late for stream in streams):
        ending = "marked"
    return Layout(links, None, ending)


def _streams(window: Window) -> tuple[list[_Stream], bool, bool]:
    """The streams of sound, whether there is nothing else, and whether the end is torn."""
    streams: list[_Stream] = []
    stream: _Stream | None = None
    beginning, alone, torn = False, True, False
    for item in _items(window):
        if isinstance(item, Hole):
            if item.end == window.size:
                torn = any(window.at(item.place, 2**12)) and not length_of_tag(window, item.place)
            elif item.place == 0:
                alone = False
            elif stream is not None and not stream.stretches:
                stream.lost = True
            continue
        if item.flags & _FIRST:
            stream = stream if beginning else None
            if stream is None and (stream := _new_stream(window, item)) is not None:
                streams.append(stream)
        beginning = bool(item.flags & _FIRST)
        if stream is None or item.serial != stream.serial:
            alone = False
        else:
            stream.add(window, item)
    return streams, alone, torn


def _new_stream(window: Window, page: Page) -> _Stream | None:
    """The stream that begins with this page, if it is one of sound."""
    start = window.at(page.body, 20)
    for sign, codec in _CODECS.items():
        if start.startswith(sign):
            headers, delay = _HEADERS[codec], 0
            if codec == "flac":
                headers = max(headers, 1 + int.from_bytes(start[7:9], "big"))
            if codec == "opus":
                delay = int.from_bytes(start[10:12], "little")
            return _Stream(page.serial, codec, headers, delay)
    return None


def _items(window: Window) -> Iterator[Page | Hole]:
    """All pages of a file, and what lies between them."""
    place = 0
    while place < window.size:
        page = _page(window, place)
        if page is not None:
            yield page
            place = page.end
            continue
        begun, place = place, place + 1
        while (place := window.find(b"OggS", place)) >= 0 and _page(window, place) is None:
            place += 1
        place = window.size if place < 0 else place
        yield Hole(begun, place)


def _page(window: Window, place: int) -> Page | None:
    """The page that begins at `place`; None if none does, or its checksum is wrong."""
    head = window.at(place, _HEAD.size)
    if len(head) < _HEAD.size:
        return None
    sign, version, flags, time, serial, number, checksum, count = _HEAD.unpack(head)
    if sign != b"OggS" or version != 0:
        return None
    segments = window.at(place + _HEAD.size, count)
    size = _HEAD.size + count + sum(segments)
    data = window.at(place, size)
    start = _HEAD.size + count
    if len(data) < size or _checksum(data[:start], data[start:]) != checksum:
        return None
    return Page(place, place + size, flags, time, serial, number, segments)


def _checksum(head: bytes, body: bytes) -> int:
    """Of a page: that of zlib with the bits of each byte, and of the result, in other order."""
    head = head[:22] + bytes(4) + head[26:]
    begun = zlib.crc32(head.translate(_MIRRORED), 0xFFFFFFFF)
    mirrored = zlib.crc32(body.translate(_MIRRORED), begun) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRRORED), "big")


def _rewritten(window: Window, page: Page, shift: int) -> list[Piece]:
    """Pieces that make a page with its flags, and with its time less `shift`."""
    time = page.time if page.time == _NO_TIME else page.time - shift
    head = [b"OggS", 0, page.flags, time, page.serial, page.number, 0, len(page.segments)]
    body = window.at(page.body, page.end - page.body)
    head[6] = _checksum(_HEAD.pack(*head) + page.segments, body)
    return [_HEAD.pack(*head) + page.segments, (page.body, page.end)]


def _opus_samples(window: Window, page: Page, pending: int) -> tuple[int, int]:
    """Samples at 48 kHz of the packets that end on a page, and of the one that does not.

    Args:
        pending: of the packet that began before.
    """
    total, place, begins = 0, page.body, not page.flags & _CONTINUED
    for length in page.segments:
        if begins:
            pending = packet_length(window.at(place, min(2, length)))
        if length < 255:
            total, pending = total + pending, 0
        place, begins = place + length, length < 255
    return total, pending


def _link(path: Path, stream: _Stream, alone: bool) -> Link | None:
    """The stream as the decoder reads it; None if it cannot."""
    stretches = [each for each in stream.stretches if each.first is not None]
    if not stretches or stream.packets < stream.headers:
        return None
    made = [(*stream.header, *each.pieces) for each in stretches]
    known = rate_and_frames(path, made[0])
    if known is None:
        return None
    rate, frames = known
    if len(stretches) == 1 and not stream.lost:
        plain = alone and not stream.changed
        return Link(rate, frames, (Run(0, None if plain else made[0]),))
    runs: list[Run] = []
    gaps: list[tuple[int, int]] = []
    reached = origin = 0
    for number, (stretch, pieces) in enumerate(zip(stretches, made, strict=True)):
        begin = _begin(path, stream, stretch, rate)
        if number == 0 and not stream.lost:
            origin = begin  # that of a broadcast is when somebody tuned in
        start = begin - origin
        if start > reached + LONGEST_GAP * rate:  # nothing tells how much is missing
            origin, start = begin - reached, reached
        if start < reached:
            continue  # its time has been heard already
        settling = _SETTLING * rate // _OPUS_RATE if stream.codec == "opus" else 0
        if runs or start:
            gaps.append((reached, start + settling))
        reached = max(start, _frame_at(stream, stretch.time, rate) - origin)
        runs.append(Run(start, pieces, reached))
    return Link(rate, reached, tuple(runs), tuple(gaps))


def _begin(path: Path, stream: _Stream, stretch: _Stretch, rate: int) -> int:
    """When a stretch begins, in frames of the stream's own time."""
    if stream.codec == "opus":
        return stretch.shift * rate // _OPUS_RATE
    assert stretch.first is not None
    pieces: Pieces = (*stream.header, *stretch.pieces[: stretch.begun])
    return stretch.first.time - count_frames(path, pieces)


def _frame_at(stream: _Stream, time: int, rate: int) -> int:
    """A page's time in frames."""
    return (time - stream.delay) * rate // _OPUS_RATE if stream.codec == "opus" else time
