"""MPEG audio: MP3 and its older layers.

A file is a chain of frames, each with a header that tells its length, and between them tags that
are no sound. The first frame may carry a table (Xing, Info, VBRI) with the number of frames. Where
the chain breaks, sound is lost: silent frames take its place, so that one decoder reads the rest
in its right time. Some frames after the break go with it, as they refer to bytes that are gone.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from inside_musicnn.sound.containers.layout import LONGEST_GAP, Layout, Link, Piece, Run
from inside_musicnn.sound.containers.tags import after_tags, length_of_tag
from inside_musicnn.sound.pieces import Window

_SAME = 0xFFFE0C00  # bits of a header that all frames share: version, layer, rate
_UNPROTECTED = 0x00010000
_BITRATE = 0x0000F000
_PADDED = 0x00000200
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_BITRATES = {  # (first version?, layer) -> kilobits per second
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HEADER = struct.Struct(">I")
_TABLES = (b"Xing", b"Info", b"VBRI")
_DECODER_DELAY = 529  # samples that a decoder adds at the start, by the convention of LAME
_RINGING = 481  # samples by which the filters of a decoder go on sounding
_CHAIN = 3  # headers in a row that are no accident
_SLACK = 4  # bytes by which some encoders misplace a frame; nothing is lost
_HEAD = 200  # bytes of a frame in which its table is looked for
_STRETCH = 2**16  # bytes that are looked at together
_START = 2**16  # bytes in which the first frame must be
_JUMP = 2  # how many times more frames than its bytes hold may be lost in a gap
_REST = 4  # frames beyond the number that the table states: some count one more or less
_TOGETHER = 256  # silent frames in one piece


@dataclass(frozen=True)
class Frame:
    """What the header of a frame tells."""

    header: int
    size: int  # bytes, with the header
    samples: int
    rate: int
    first_version: bool
    layer: int
    side: int  # bytes between the header and the main data; 0 in layers 1 and 2
    check: int  # bytes of a checksum after the header

    @property
    def back_shift(self) -> int:
        """Bits after the number, in two bytes, that tells how much earlier main data begins."""
        return 7 if self.first_version else 8

    def silent(self) -> bytes:
        """A frame of silence like this one."""
        header = (self.header | _UNPROTECTED) & ~_PADDED
        frame = frame_of(header)
        assert frame is not None
        return _HEADER.pack(header) + bytes(frame.size - 4)


@lru_cache(maxsize=2**14)
def frame_of(header: int) -> Frame | None:
    """The frame that begins with these four bytes, None if no frame does."""
    version, layer = header >> 19 & 3, 4 - (header >> 17 & 3)
    bitrate, rate, padding = header >> 12 & 15, header >> 10 & 3, header >> 9 & 1
    if header >> 21 != 0x7FF or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    first, mono = version == 3, header >> 6 & 3 == 3
    hertz, bits = _RATES[version][rate], 1000 * _BITRATES[first, layer][bitrate - 1]
    side, check = 0, 0 if header & _UNPROTECTED else 2
    if layer == 1:
        size, samples = (12 * bits // hertz + padding) * 4, 384
    else:
        samples = 1152 if layer == 2 or first else 576
        size = samples // 8 * bits // hertz + padding
    if layer == 3:
        side = (17 if mono else 32) if first else (9 if mono else 17)
    if size < 4 + check + side:
        return None
    return Frame(header, size, samples, hertz, first, layer, side, check)


@dataclass
class _Gap:
    """Where the chain broke.

    Attributes:
        first: number of the first frame that is lost.
        place: where in the file that frame began.
        resumed: where the next whole frame begins.
        mute: places of the frames from there on that refer to what is lost, each with the bytes
            of main data before it that are there.
        lost: frames in between.
    """

    first: int
    place: int
    resumed: int
    mute: list[tuple[int, int]] = field(default_factory=list)
    lost: int = 0


@dataclass
class _Part:
    """Frames that belong together: most files are one part; some are several, joined.

    Attributes:
        kind: of its frames.
        place: of the table, or else of the first frame.
        sound: of the first frame that is sound.
        stated: frames, by its table; None without.
        skipped: samples that the decoder leaves out at start and end.
        frames: that are whole.
        end: of the last one.
        gaps: where the chain broke.
        torn: whether it ends in the middle of a frame, or with what is none.
    """

    kind: Frame
    place: int
    sound: int
    stated: int | None
    skipped: tuple[int, int]
    frames: int = 0
    end: int = 0
    gaps: list[_Gap] = field(default_factory=list)
    torn: bool = False

    @property
    def full(self) -> bool:
        """Whether it has as many frames as its table states."""
        return self.stated is not None and self.frames >= self.stated and not self.gaps

    @property
    def seconds(self) -> float:
        """What its table states."""
        samples = (self.stated or 0) * self.kind.samples - sum(self.skipped)
        return max(0, samples) / self.kind.rate


def read_mpeg(path: Path) -> Layout | None:
    """The layout of an MPEG audio file; None if it has no chain of frames of known lengths."""
    with Window(path) as window:
        start = after_tags(window)
        parts = list(_parts(window, start))
    if len(parts) > 1 and parts[-1].stated is None and parts[-1].frames <= _REST:
        parts.pop()
    if not parts:
        return None
    alone = len(parts) == 1 and parts[0].place == start
    links = tuple(_link(part, alone) for part in parts)
    if parts[-1].stated is None:
        # Many a whole file ends in the middle of a frame, so that says nothing.
        return Layout(links, None, "open")
    own = (part.seconds if part.stated else (link.frames or 0) / link.rate
           for part, link in zip(parts, links, strict=True))
    return Layout(links, sum(own), "marked")


def _parts(window: Window, start: int) -> Iterator[_Part]:
    """The parts of a file, each with its table."""
    place = _first_frame(window, start)
    part: _Part | None = None
    before: int | None = None  # where the last frame begins; None after a tag
    while place is not None and place < window.size:
        head = window.at(place, _HEAD)
        frame = _compatible(head, part.kind if part else None)
        if frame is None:
            tag = length_of_tag(window, place)
            if tag:
                place += tag
            else:
                place = _beyond(window, part, before, place) if part else None
            before = None
            continue
        if place + frame.size > window.size:
            if part is not None:
                part.torn = True
            break
        table = _table(head, frame)
        if part is None or table or part.full:
            if part is not None:
                yield part
            part = _Part(frame, place, place, None, (_delay(frame), 0))
        if table:
            part.stated, part.skipped = table
            part.sound = part.end = place + frame.size
            before, place = place, part.end
        else:
            before, place = _follow(window, part, place)
    if part is not None:
        yield part


def _follow(window: Window, part: _Part, place: int) -> tuple[int, int]:
    """Go along the chain until something else comes, such as a table or the number stated.

    At least one frame is passed: the one at `place`.

    Returns:
        where the last frame begins, and where it ends.
    """
    frame = _compatible(window.at(place, 4), part.kind)
    assert frame is not None
    before, place, count = place, place + frame.size, 1
    most = -1 if part.stated is None or part.gaps else part.stated - part.frames
    sizes: dict[int, int] = {}  # by header; 0 for what is no frame of this kind
    inside = -1
    while inside:
        held = window.at(place, _STRETCH)
        tables = [found - 40 for sign in _TABLES if (found := held.find(sign)) >= 0]
        last = min([len(held) - _HEAD, *tables])
        inside, size = 0, 1
        while inside <= last and count != most:
            (header,) = _HEADER.unpack_from(held, inside)
            try:
                size = sizes[header]
            except KeyError:
                frame = _compatible(held[inside : inside + 4], part.kind)
                size = sizes[header] = frame.size if frame else 0
            if not size or place + inside + size > window.size:
                break
            before = place + inside
            inside += size
            count += 1
        place += inside
    part.frames += count
    part.end = place
    return before, place


def _beyond(window: Window, part: _Part, before: int | None, place: int) -> int | None:
    """Where the chain goes on after it broke at `place`; what is lost is noted in the part."""
    broken = place if before is None else before
    found = _resume(window, part.kind, broken if before is None else broken + 4)
    if found is None:
        part.torn = any(window.at(place, 2**12))
        return None
    if abs(found - place) <= _SLACK:
        return found
    if before is not None and before >= part.sound:
        part.frames -= 1  # its bytes may be others than they were
    part.gaps.append(_Gap(part.frames, max(broken, part.sound), found,
                          _muted(window, part.kind, found)))
    return found


def _first_frame(window: Window, place: int) -> int | None:
    """Where the first frame begins, after a little of whatever it may be."""
    start = window.at(place, _HEAD)
    frame = _compatible(start, None)
    if frame is not None and _table(start, frame):
        return place
    return _resume(window, None, place, min(window.size, place + _START))


def _resume(window: Window, kind: Frame | None, place: int, end: int | None = None) -> int | None:
    """The next place from which frames of this kind follow one another."""
    while (place := window.find(b"\xff", place, end)) >= 0:
        if _chain(window, place, kind):
            return place
        place += 1
    return None


def _chain(window: Window, place: int, kind: Frame | None) -> bool:
    """Whether frames follow one another from `place` on, some of them or up to the end."""
    for _ in range(_CHAIN):
        frame = _compatible(window.at(place, 4), kind)
        if frame is None:
            return False
        kind, place = frame, place + frame.size
        if place == window.size or length_of_tag(window, place):
            return True
    return True


def _compatible(start: bytes, kind: Frame | None) -> Frame | None:
    header = int.from_bytes(start[:4], "big")
    if kind is not None and (header ^ kind.header) & _SAME:
        return None
    return frame_of(header) if len(start) >= 4 else None


def _delay(frame: Frame) -> int:
    return _DECODER_DELAY if frame.layer == 3 else 0


def _table(start: bytes, frame: Frame) -> tuple[int | None, tuple[int, int]] | None:
    """Number of frames and samples to skip, if this frame is the table that many files have."""
    if frame.layer != 3:
        return None
    if start[36:40] == _TABLES[2]:
        return int.from_bytes(start[50:54], "big") or None, (_DECODER_DELAY, 0)
    place = 4 + frame.side
    if start[place : place + 4] not in _TABLES[:2]:
        return None
    flags = int.from_bytes(start[place + 4 : place + 8], "big")
    stated = int.from_bytes(start[place + 8 : place + 12], "big") if flags & 1 else 0
    place += 8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
    lame = start[place : place + 24]
    if not stated or len(lame) < 24 or not lame[0]:
        return stated or None, (_DECODER_DELAY, 0)
    both = int.from_bytes(lame[21:24], "big")
    return stated, (_DECODER_DELAY + (both >> 12), max(0, (both & 0xFFF) - _DECODER_DELAY))


def _muted(window: Window, kind: Frame, place: int) -> list[tuple[int, int]]:
    """The frames from `place` on whose main data begins in what is lost: see `_Gap`."""
    found: list[tuple[int, int]] = []
    there = 0
    while kind.layer == 3:
        start = window.at(place, 8)
        frame = _compatible(start, kind)
        if frame is None or place + frame.size > window.size:
            break
        first = 4 + frame.check
        bits = int.from_bytes(start[first : first + 2].ljust(2, b"\0"), "big")
        if bits >> frame.back_shift <= there:
            break
        found.append((place, there))
        there += frame.size - first - frame.side
        place += frame.size
    return found


def _link(part: _Part, alone: bool) -> Link:
    """The part as the decoder reads it."""
    kind, (start, end) = part.kind, part.skipped
    _count_lost(part)
    raw = part.frames + sum(gap.lost for gap in part.gaps)
    if part.stated is None or raw < part.stated:
        end = 0
    else:
        raw = part.stated  # more is not decoded
    frames = max(0, raw * kind.samples - start - end)
    pieces, gaps = _mended(part, frames)
    # Where no table tells it, libsndfile guesses the length and may stop too early.
    plain = alone and not part.gaps and (part.stated is not None or kind.layer != 3)
    return Link(kind.rate, frames, (Run(0, None if plain else pieces),), gaps)


def _count_lost(part: _Part) -> None:
    """Find how many frames each gap holds: from the table, or from its bytes."""
    if not part.gaps:
        return
    lost = sum(gap.resumed - gap.place for gap in part.gaps)
    mean = (part.end - part.sound - lost) / max(1, part.frames)
    likely: list[float] = [(gap.resumed - gap.place) / mean if mean > 0 else 0.0
                           for gap in part.gaps]
    missing = 0 if part.stated is None else part.stated - part.frames
    total = sum(likely)
    longest = LONGEST_GAP * part.kind.rate / part.kind.samples
    if part.torn:  # some may be missing at the end
        longest = _JUMP * (total + _REST)
    scale = missing / total if 0 < missing <= longest and total else 1.0
    given, done = 0.0, 0
    for gap, number in zip(part.gaps, likely, strict=True):
        given += number * scale
        gap.lost = max(0, round(given - done))
        done += gap.lost


def _mended(part: _Part, frames: int) -> tuple[tuple[Piece, ...], tuple[tuple[int, int], ...]]:
    """The part with silence in its gaps, and these gaps."""
    kind = part.kind
    pieces: list[Piece] = [(part.place, part.sound)]
    if part.stated is None and kind.layer == 3:
        pieces = [_new_table(kind, part.frames + sum(gap.lost for gap in part.gaps))]
    gaps, place, shift = [], part.sound, 0
    for gap in part.gaps:
        pieces += [(place, gap.place), *_silence(kind, gap.lost)]
        place = gap.resumed
        for mute, there in gap.mute:  # their main data stays: frames after them refer to it
            begin = mute + 4 + kind.check
            side = (there << kind.back_shift).to_bytes(2, "big") + bytes(kind.side - 2)
            pieces += [(place, begin), side]
            place = begin + kind.side
        first = (gap.first + shift) * kind.samples - part.skipped[0]
        # The first frame after it lacks its overlap with the one before.
        count = (gap.lost + len(gap.mute) + 1) * kind.samples + _RINGING
        gaps.append((min(frames, max(0, first)), min(frames, max(0, first + count))))
        shift += gap.lost
    pieces.append((place, part.end))
    return tuple(pieces), tuple(gaps)


def _silence(kind: Frame, count: int) -> list[bytes]:
    """Pieces that hold so many silent frames."""
    whole, rest = divmod(count, _TOGETHER)
    return [kind.silent() * _TOGETHER] * whole + [kind.silent() * rest]


def _new_table(kind: Frame, frames: int) -> bytes:
    """A frame with the number of frames, for a file that has none."""
    tag = b"Info" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    for bitrate in range(1, 15):
        larger = frame_of((kind.header | _UNPROTECTED) & ~_BITRATE | bitrate << 12)
        if larger is not None and len(larger.silent()) >= 4 + larger.side + len(tag):
            break
    assert larger is not None
    place, frame = 4 + larger.side, larger.silent()
    return frame[:place] + tag + frame[place + len(tag) :]
