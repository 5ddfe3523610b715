"""What a file is and how its sound is laid out, found before any of it is decoded.

Which container it is, its first bytes say and not its name. Who decodes it is libsndfile where it
can, and PyAV else.
"""

import re
from pathlib import Path

import soundfile

from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.containers.au import read_unfinished_au
from inside_musicnn.sound.containers.flac import read_flac, read_info
from inside_musicnn.sound.containers.layout import Layout, Link, Run
from inside_musicnn.sound.containers.mpeg import read_mpeg
from inside_musicnn.sound.containers.ogg import read_ogg
from inside_musicnn.sound.containers.probing import MOST
from inside_musicnn.sound.containers.riff import NOT_KNOWN, read_riff
from inside_musicnn.sound.containers.tags import after_tags
from inside_musicnn.sound.decoding import native
from inside_musicnn.sound.others import read_other
from inside_musicnn.sound.pieces import Window

_TOO_LARGE = re.compile(r":\s*(\d+) \(should be (\d+)\)")  # a size, in words of libsndfile


def survey(path: Path, deep: bool = False) -> Layout | None:
    """How the sound of a file is laid out; None if nobody can decode it.

    Args:
        deep: look for damage in every frame of a FLAC file, which takes a while; else its decoder
            will find it.

    Raises:
        NoDecoder: it is not for libsndfile, and PyAV is not installed.
    """
    kind = _kind(path)
    layout = None
    if kind == "wav":
        layout = read_riff(path)
    elif kind == "ogg":
        layout = read_ogg(path)
    elif kind == "flac":
        info = read_info(path)
        layout = read_flac(path) if deep or (info and info.samples is None) else None
    elif kind == "mpeg":
        layout = read_mpeg(path)
    if layout is None or _is_plain(layout):
        known = read_unfinished_au(path) or _known(path)
        layout = (layout or known) if known else None
    return layout or read_other(path)


def _kind(path: Path) -> str:
    """The container, by the first bytes after tags."""
    with Window(path) as window:
        place = after_tags(window)
        start = window.at(place, 12)
    if start[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and start[8:] == b"WAVE":
        return "wav"
    if start[:4] in (b"OggS", b"fLaC"):
        return "ogg" if start[:4] == b"OggS" else "flac"
    if (start[:1] == b"\xff" and start[1:2] >= b"\xe0") or place or path.suffix.lower() == ".mp3":
        return "mpeg"
    return ""


def _is_plain(layout: Layout) -> bool:
    """Whether the decoder gets the file as it is."""
    return all(run.pieces is None for link in layout.links for run in link.runs)


def _known(path: Path) -> Layout | None:
    """What libsndfile says of a file."""
    try:
        with quiet_stderr():
            info = soundfile.info(native(path), verbose=True)
    except soundfile.SoundFileError:
        return None
    frames = info.frames if info.frames < MOST else None
    stated = None if frames is None else frames / info.samplerate
    sizes = _TOO_LARGE.findall(info.extra_info)
    if sizes and stated is not None:
        said, found = map(int, sizes[-1])
        if not any(said in each for each in NOT_KNOWN):
            stated *= said / max(1, found)
    return Layout((Link(info.samplerate, frames, (Run(0),)),), stated, "marked")
