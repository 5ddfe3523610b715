"""What the header of an audio file says, before any of its sound is decoded."""

from dataclasses import dataclass
from pathlib import Path

import soundfile

from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.decoding import native


@dataclass(frozen=True)
class Header:
    """What libsndfile reads at the head of a file.

    Attributes:
        frames: samples of one channel.
        rate: of these per second.
        stated: whether the header states the length; that of an MP3 without a Xing header is a
            guess from its size.
        cut: whether the file ends before its header says.
    """

    frames: int
    rate: int
    stated: bool
    cut: bool

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return self.frames / self.rate


def read_header(path: Path) -> Header | None:
    """The header of an audio file, or None where libsndfile cannot read it."""
    try:
        with quiet_stderr():
            info = soundfile.info(native(path), verbose=True)
    except soundfile.SoundFileError:
        return None
    stated = info.format != "MP3" or _has_xing_header(path)
    cut = "should be" in info.extra_info or _is_cut_ogg(path)
    return Header(info.frames, info.samplerate, stated, cut)


def _has_xing_header(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(2**18)
    return b"Xing" in start or b"Info" in start


def _is_cut_ogg(path: Path) -> bool:
    """Whether an Ogg file lacks its end: the last page of a stream carries a flag."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, path.stat().st_size - 2**17))
        tail = file.read()
    last = tail.rfind(b"OggS")
    return last < 0 or last + 5 >= len(tail) or not tail[last + 5] & 4
