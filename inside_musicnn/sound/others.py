"""Formats that libsndfile does not know, such as M4A, MP4, WMA and WebM, decoded by PyAV.

PyAV brings its own decoders. It is imported only here, when a file needs it. Some formats speak of
other files or of addresses, as playlists do: these are not among those that are opened.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.condition import TOLERANCE, Damage
from inside_musicnn.sound.containers.asf import stated_by_asf
from inside_musicnn.sound.containers.chunks import is_cut
from inside_musicnn.sound.containers.layout import LONGEST_GAP, Layout, Link, Run
from inside_musicnn.sound.pieces import PiecedFile
from inside_musicnn.sound.samples import as_float

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

    from inside_musicnn.sound.decoding import Decoded, Lost

# Sound without a container, and streams: nothing states their length, or marks their end.
_BARE = ("aac", "ac3", "eac3", "dts", "amr", "amrnb", "amrwb", "mp3", "loas", "truehd", "flac")
_STREAMED = ("mpegts", "mpeg")
_FORMATS = (*_BARE, *_STREAMED, "mov", "matroska", "asf", "aiff", "ape", "wv", "tta", "mpc", "mpc8",
            "caf", "ogg", "wav", "w64", "au", "avi", "flv", "dsf", "iff", "shn", "tak", "oma", "rm",
            "voc", "xwma", "qcp", "aa", "aax", "bonk", "mxf", "nut")
_BLOCK = 1.0  # seconds that are handed on together


class NoDecoder(Exception):
    """PyAV is not installed."""


@contextmanager
def _opened(path: Path) -> Iterator["InputContainer"]:
    try:
        import av
    except ImportError as error:
        raise NoDecoder from error
    options = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "none"}
    # PyAV is asked to go to places before the beginning; it prints what a plain file says of that.
    with PiecedFile(path, ((0, path.stat().st_size),)) as file:
        with quiet_stderr():
            container = av.open(file, "r", options=options, metadata_errors="replace")
        with container:
            yield container


def read_other(path: Path) -> Layout | None:
    """The layout of such a file; None if there is no sound in it that can be decoded.

    Raises:
        NoDecoder: PyAV is not installed.
    """
    try:
        with _opened(path) as container:
            stream = next(iter(container.streams.audio), None)
            rate = stream.codec_context.sample_rate if stream else 0
            if not rate:
                return None
            stated = _stated(path, container, stream)
            cut = is_cut(path, container.format.name)
    except NoDecoder:
        raise
    except Exception:  # PyAV has many
        return None
    if cut:
        return Layout((Link(rate, None, (Run(0),)),), None, "torn", "PyAV")
    if stated is None:
        return Layout((Link(rate, None, (Run(0),)),), None, "open", "PyAV")
    return Layout((Link(rate, round(stated * rate), (Run(0),)),), stated, "marked", "PyAV")


def _stated(path: Path, container: "InputContainer", stream: Any) -> float | None:
    """Seconds of sound that the file states."""
    if container.format.name in (*_BARE, *_STREAMED):
        return None  # a guess from its size
    if container.format.name == "asf" and (known := stated_by_asf(path)):
        return known
    seconds = 0.0
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration and len(container.streams) == 1:
        seconds = container.duration / 1e6
    return seconds if seconds > 0 else None


def decoded_by_pyav(path: Path, layout: Layout, lost: "Lost", offset: float = 0.0,
                    duration: float | None = None) -> Iterator["Decoded"]:
    """As `inside_musicnn.sound.decoding.decoded`, for these files.

    Raises:
        Exception: of PyAV, where nothing can be decoded.
    """
    end = math.inf if duration is None else offset + duration
    place = 0.0  # seconds that have been decoded, gaps included
    waiting: list[np.ndarray] = []
    held, last = 0, 0  # frames that wait, and their rate
    for rate, block in _timed(path, lost):
        first = max(0, round((offset - place) * rate))
        after = len(block) if math.isinf(end) else min(len(block), round((end - place) * rate))
        place += len(block) / rate
        part = block[first:after] if first < after else block[:0]
        if waiting and (rate != last or part.shape[1] != waiting[-1].shape[1]):
            yield last, np.concatenate(waiting)
            waiting, held = [], 0
        if len(part):
            waiting.append(part)
            held, last = held + len(part), rate
        if held >= _BLOCK * rate:
            yield last, np.concatenate(waiting)
            waiting, held = [], 0
        if place >= end:
            break
    if waiting:
        yield last, np.concatenate(waiting)
    if layout.stated is not None and place < min(layout.stated, end) - TOLERANCE:
        lost(Damage(place, layout.stated - place, at_end=True))
    elif layout.ending == "torn" and place < end:
        lost(Damage(place, None, at_end=True))


def _timed(path: Path, lost: "Lost") -> Iterator["Decoded"]:
    """What is decoded, with silence where the times of its frames leave a gap."""
    begun: float | None = None  # the time of the first frame
    place = 0.0
    for frame, time, failed in _frames(path):
        rate = frame.sample_rate
        if time is not None and begun is None:
            begun = time - (failed or 0.0)
        gap = failed or 0.0
        if time is not None and begun is not None:
            gap = time - begun - place
        if failed is not None or gap > TOLERANCE:
            known = 0 < gap <= LONGEST_GAP
            lost(Damage(place, gap if known else None))
            count = round(gap * rate) if known else 0
            while count > 0:
                silence = np.zeros((min(count, rate), 1), np.float32)
                yield rate, silence
                count -= len(silence)
                place += len(silence) / rate
            if not known and time is not None:
                begun = time - place
        samples = _samples(frame)
        place += len(samples) / rate
        yield rate, samples


def _frames(path: Path) -> Iterator[tuple["AudioFrame", float | None, float | None]]:
    """Frames of sound, each with its time, and the seconds before it that cannot be decoded.

    Without a container times are only counted: there is none, and what cannot be decoded is as
    long as its bytes would be.
    """
    import av

    failed: float | None = None
    size = count = 0  # of packets that were decoded, in bytes
    with _opened(path) as container:
        stream, bare = container.streams.audio[0], container.format.name in _BARE
        packets = container.demux(stream)
        while True:
            with quiet_stderr():
                try:
                    packet = next(packets)
                except (StopIteration, av.error.EOFError):
                    return
                except av.error.FFmpegError:  # the file goes no further
                    return
                try:
                    frames = packet.decode()
                except av.error.EOFError:
                    return
                except av.error.FFmpegError:
                    seconds = float((packet.duration or 0) * (packet.time_base or 0))
                    if bare and size:
                        seconds *= max(1, round(packet.size * count / size))
                    failed = (failed or 0.0) + seconds
                    continue
            size, count = size + packet.size, count + 1
            for frame in frames:
                time = None
                if not bare and frame.pts is not None and frame.time_base is not None:
                    time = float(frame.pts * frame.time_base)
                yield frame, time, failed
                failed = None


def _samples(frame: "AudioFrame") -> np.ndarray:
    """The samples of a frame, float32, shape (frames, channels)."""
    from av.audio.frame import format_dtypes

    channels = len(frame.layout.channels)
    if not frame.format.is_planar:
        return as_float(frame.to_ndarray().reshape(-1, channels))
    # Of more than eight channels PyAV's `to_ndarray` reads planes that are not there, and dies.
    kind = np.dtype(format_dtypes[frame.format.name])
    planes: tuple[Any, ...] = frame.planes[:channels]
    return as_float(np.column_stack([np.frombuffer(each, kind, frame.samples) for each in planes]))
