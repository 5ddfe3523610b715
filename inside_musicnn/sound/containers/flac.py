"""FLAC: frames with numbers and checksums, after a header that may tell the number of samples.

Each frame is found by its header, which has a checksum, and held to a checksum over all of it. So
what is lost is known to the sample. Frames of silence take its place, so that one decoder reads
the rest in its right time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from inside_musicnn.sound.containers.layout import LONGEST_GAP, Ending, Layout, Link, Piece, Run
from inside_musicnn.sound.containers.probing import count_frames
from inside_musicnn.sound.containers.tags import after_tags, length_of_tag
from inside_musicnn.sound.pieces import Window

_STREAMINFO = 34  # bytes
_HEADER = 16  # bytes of the header of a frame, at most
_LONGEST = 2**20  # bytes of a frame, where the header does not tell
_BLOCK = 4096  # samples of a frame of silence
_DOUBTED = 64  # headers out of order that are remembered
_TOGETHER = 2**23  # bytes of frames whose checksums are computed at once
_SIZES = {1: 192, **{code: 576 << (code - 2) for code in range(2, 6)},
          **{code: 256 << (code - 8) for code in range(8, 16)}}  # samples, by their code


@dataclass(frozen=True)
class StreamInfo:
    """What the header of a FLAC file tells.

    Attributes:
        head: its bytes.
        sound: where the first frame begins.
        rate: samples in a second.
        samples: how many there are; None if it does not tell.
        block: samples in a frame, where all but the last have the same number; else None.
        longest: bytes of a frame, at most.
        channels, bits: how many there are of each sample.
    """

    head: bytes
    sound: int
    rate: int
    samples: int | None
    block: int | None
    longest: int
    channels: int
    bits: int

    def of(self, samples: int) -> bytes:
        """The header of a file with so many samples, without the checksum of the sound."""
        head = bytearray(self.head)
        head[13] = head[13] & 0xF0 | samples >> 32 & 0xF
        head[14:18] = (samples & 0xFFFFFFFF).to_bytes(4, "big")
        head[18:34] = bytes(16)
        return b"fLaC\x80" + _STREAMINFO.to_bytes(3, "big") + bytes(head)


class Header(NamedTuple):
    """The header of a frame: where it is, what it holds, and its length in bytes."""

    place: int
    first: int
    samples: int
    length: int

    @property
    def after(self) -> int:
        """The sample that comes after its frame."""
        return self.first + self.samples


@dataclass
class _Stretch:
    """Whole frames that follow one another: places in the file, and samples."""

    place: int
    end: int
    first: int
    after: int


def read_info(path: Path) -> StreamInfo | None:
    """The header of a FLAC file; None if there is none."""
    with Window(path) as window:
        return _read_info(window)


def _read_info(window: Window) -> StreamInfo | None:
    place = after_tags(window)
    if window.at(place, 4) != b"fLaC":
        return None
    place += 4
    head, last = b"", False
    while not last:
        block = window.at(place, 4)
        if len(block) < 4 or block[0] & 0x7F == 0x7F:
            return None
        last, size = bool(block[0] & 0x80), int.from_bytes(block[1:4], "big")
        if block[0] & 0x7F == 0 and size == _STREAMINFO:
            head = window.at(place + 4, size)
        place += 4 + size
    if len(head) < _STREAMINFO:
        return None
    smallest, largest = (int.from_bytes(head[i : i + 2], "big") for i in (0, 2))
    rate = int.from_bytes(head[10:13], "big") >> 4
    samples = (head[13] & 0xF) << 32 | int.from_bytes(head[14:18], "big")
    longest = int.from_bytes(head[7:10], "big") or _LONGEST
    if not rate:
        return None
    return StreamInfo(head, place, rate, samples or None,
                      largest if smallest == largest else None, longest,
                      channels=1 + (head[12] >> 1 & 7),
                      bits=1 + (head[12] << 4 & 0x10 | head[13] >> 4))


def read_flac(path: Path) -> Layout | None:
    """The layout of a FLAC file; None if its header cannot be read."""
    with Window(path) as window:
        info = _read_info(window)
        if info is None:
            return None
        stretches: list[_Stretch] = []
        for header, next_place, good in _frames(window, info):
            end = next_place if good else _end_of(path, window, info, header, next_place)
            last = stretches[-1] if stretches else None
            if end is None or (last and header.first < last.after):
                continue
            if last and (last.end, last.after) == (header.place, header.first):
                last.end, last.after = end, header.after
            else:
                stretches.append(_Stretch(header.place, end, header.first, header.after))
        return _layout(info, stretches, window)


def _end_of(path: Path, window: Window, info: StreamInfo, header: Header, end: int) -> int | None:
    """Where a frame ends that is followed by something else; None if it is not whole."""
    data = window.at(header.place, min(end - header.place, info.longest))
    table, value = _bytes_of_frames(), 0
    for place, byte in enumerate(data, start=header.place + 1):
        value = (value << 8 & 0xFFFF) ^ table[value >> 8 ^ byte]
        if not value and place > header.place + header.length:
            pieces = (info.of(header.samples), (header.place, place))
            if count_frames(path, pieces) == header.samples:
                return place
    return None


def _layout(info: StreamInfo, stretches: list[_Stretch], window: Window) -> Layout:
    """What the stretches make."""
    stated = None if info.samples is None else info.samples / info.rate
    pieces: list[Piece] = []
    gaps, reached, end = [], 0, info.sound
    for each in stretches:
        if each.first > reached:
            gaps.append((reached, each.first))
            pieces.append(_silence(info, reached, each.first, window.at(each.place, 4)))
        pieces.append((each.place, each.end))
        reached, end = each.after, each.end
    ending: Ending = "open"
    if info.samples is not None:
        ending = "marked"
    elif any(window.at(end, _HEADER)) and not length_of_tag(window, end):
        ending = "torn"
    plain = len(stretches) == 1 and not gaps and reached == info.samples
    run = Run(0, None if plain else (info.of(reached), *pieces))
    return Layout((Link(info.rate, reached, (run,), tuple(gaps)),), stated, ending)


def _silence(info: StreamInfo, first: int, end: int, model: bytes) -> bytes:
    """Frames of silence from one sample to another; `model` begins the header of a good frame."""
    frames = []
    while first < end:
        count = min(info.block or _BLOCK, end - first)
        number = first if info.block is None else first // info.block
        # Rate and size of a sample as the header of the file says; the channels each by itself.
        head = model[:2] + bytes([0x70, info.channels - 1 << 4]) + _as_number(number)
        head += (count - 1).to_bytes(2, "big")
        head += bytes([_checksum_of_header(head)])
        head += bytes((info.channels * (8 + info.bits) + 7) // 8)
        frames.append(head + _checksum_of_frame(head).to_bytes(2, "big"))
        first += count
    return b"".join(frames)


def _as_number(number: int) -> bytes:
    """A number written as UTF-8 writes letters."""
    if number < 0x80:
        return bytes([number])
    rest: list[int] = []
    limit = 0x20  # that the first byte can hold beside the mark of its length
    while number >= limit or not rest:
        rest.append(0x80 | number & 0x3F)
        number >>= 6
        limit = 0x40 >> len(rest)
    return bytes([0xFF << 7 - len(rest) & 0xFF | number, *reversed(rest)])


def _frames(window: Window, info: StreamInfo) -> Iterator[tuple[Header, int, bool]]:
    """All frames: header, where the next begins, and whether the checksum is right."""
    held: list[tuple[Header, int]] = []
    data: list[bytes] = []
    size = 0
    for header, end in _extents(window, info):
        held.append((header, end))
        data.append(window.at(header.place, end - header.place))
        size += len(data[-1])
        if size >= _TOGETHER:
            yield from _checked(held, data)
            held, data, size = [], [], 0
    yield from _checked(held, data)


def _checked(held: list[tuple[Header, int]], data: list[bytes]
             ) -> Iterator[tuple[Header, int, bool]]:
    for (header, end), frame, good in zip(held, data, _checksums_hold(data), strict=True):
        # Zeros after a frame leave its checksum right, but are none of it.
        yield header, end, bool(good) and not frame.endswith(b"\0\0")


def _extents(window: Window, info: StreamInfo) -> Iterator[tuple[Header, int]]:
    """The header of each frame, and where the next begins."""
    header = _next(window, info, info.sound, 0)
    while header is not None:
        found = _next(window, info, header.place + header.length, header.after)
        end = window.size if found is None else found.place
        if found is None and window.at(end - 128, 3) == b"TAG":
            end -= 128
        yield header, min(end, header.place + 4 * max(info.longest, _LONGEST))
        header = found


def _next(window: Window, info: StreamInfo, place: int, wanted: int) -> Header | None:
    """The next header of the frame that begins with sample `wanted`, or else of a later one."""
    doubtful: list[Header] = []
    for header in _headers(window, info, place):
        if header.first == wanted:
            return header
        if header.place > place + info.longest and doubtful:
            for each in doubtful:
                if _goes_on(window, info, each):
                    return each
            doubtful = []
        if _plausible(info, wanted, header) and len(doubtful) < _DOUBTED:
            doubtful.append(header)
    return next((each for each in doubtful if _goes_on(window, info, each)), None)


def _plausible(info: StreamInfo, wanted: int, header: Header) -> bool:
    if info.samples is None:
        return wanted < header.first <= wanted + LONGEST_GAP * info.rate
    return (wanted < header.first and header.after <= info.samples
            and header.first <= wanted + LONGEST_GAP * info.rate)


def _goes_on(window: Window, info: StreamInfo, header: Header) -> bool:
    """Whether the next frame has its header, too, or this is the last."""
    if header.after == info.samples:
        return True
    for other in _headers(window, info, header.place + header.length):
        if other.first == header.after:
            return True
        if other.place > header.place + info.longest:
            return False
    return False


def _headers(window: Window, info: StreamInfo, place: int) -> Iterator[Header]:
    """Everything from `place` on that has the form of a header of a frame."""
    sync = b"\xff\xf8" if info.block is not None else b"\xff\xf9"
    while (place := window.find(sync, place)) >= 0:
        header = _header(window.at(place, _HEADER), place, info)
        if header is not None:
            yield header
        place += 1


def _header(data: bytes, place: int, info: StreamInfo) -> Header | None:
    """The header that these bytes are, None if they are none."""
    if len(data) < 6:
        return None
    size, rate, channels, bits = data[2] >> 4, data[2] & 15, data[3] >> 4, data[3] >> 1 & 7
    if size == 0 or rate == 15 or channels > 10 or bits == 3 or data[3] & 1:
        return None
    number, length = _number(data)
    if number is None:
        return None
    extra = {6: 1, 7: 2}.get(size, 0)
    end = 4 + length + extra + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if len(data) <= end or _checksum_of_header(data[:end]) != data[end]:
        return None
    samples = (1 + int.from_bytes(data[4 + length : 4 + length + extra], "big") if extra
               else _SIZES[size])
    first = number if info.block is None else number * info.block
    return Header(place, first, samples, end + 1)


def _number(data: bytes) -> tuple[int | None, int]:
    """A number written as UTF-8 writes letters, from the fifth byte on; its length in bytes."""
    lead = data[4]
    length = 1 if lead < 0x80 else 8 - (lead ^ 0xFF).bit_length()
    if lead == 0xFF or length > 7 or (lead >= 0x80 and length < 2):
        return None, 0
    number = lead if length == 1 else lead & (0x7F >> length)
    for byte in data[5 : 4 + length]:
        if byte >> 6 != 2:
            return None, 0
        number = number << 6 | byte & 0x3F
    return number, length


def _checksum_of_header(data: bytes) -> int:
    table, value = _table_of_headers(), 0
    for byte in data:
        value = table[value ^ byte]
    return value


@cache
def _table_of_headers() -> bytes:
    """Of the checksum with 8 bits and polynomial 0x07."""
    values = []
    for value in range(256):
        for _ in range(8):
            value = value << 1 ^ (0x107 if value & 0x80 else 0)
        values.append(value)
    return bytes(values)


def _checksum_of_frame(data: bytes) -> int:
    table, value = _bytes_of_frames(), 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ table[value >> 8 ^ byte]
    return value


@cache
def _bytes_of_frames() -> tuple[int, ...]:
    """Of the checksum with 16 bits and polynomial 0x8005."""
    return tuple(int(value) for value in _table_of_frames()[:256])


@cache
def _table_of_frames() -> np.ndarray:
    """The same, two bytes at a time."""
    values: np.ndarray = np.arange(2**16, dtype=np.uint32)
    for _ in range(16):
        values = values << 1 ^ np.where(values & 0x8000, np.uint32(0x18005), np.uint32(0))
    return values.astype(np.uint16)


def _checksums_hold(frames: list[bytes]) -> np.ndarray:
    """Whether the checksum at the end of each frame is right, shape (frames,)."""
    if not frames:
        return np.zeros(0, bool)
    # Zeros in front change nothing, so all get the same length; all are computed side by side.
    length = max(map(len, frames))
    length += length % 2
    data = np.frombuffer(b"".join(frame.rjust(length, b"\0") for frame in frames), ">u2")
    table, sums = _table_of_frames(), np.zeros(len(frames), np.uint16)
    for column in data.reshape(len(frames), -1).T.astype(np.uint16, order="C"):
        sums = table[sums ^ column]
    return sums == 0
