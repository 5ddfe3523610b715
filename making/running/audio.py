"""The audio of a run, as the chapters are told it: a name or a path that their kernels can open."""

from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from inside_musicnn.sound import standard_input
from inside_musicnn.sound.clips import Clip, clip_names, load_clip
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

_KEPT: list[TemporaryDirectory[str]] = []  # folders that go with the process


def check_audio(audio: str | Path, start: float, segments: int, damaged: bool
                ) -> tuple[str, Clip]:
    """The audio as the chapters will be told it, and the clip as far as they look at it.

    What comes by the standard input is a file for them. Of a damaged recording they get a copy of
    what can be read, with silence where sound is lost: so they need not know.

    Args:
        audio: a clip in data/, a path, or "-" for the standard input.
        start: where the chapters begin, in seconds.
        segments: how many they look at.
        damaged: whether a damaged recording is read.

    Raises:
        InputError: as `load_clip`.
    """
    if str(audio) == standard_input.NAME:
        audio = standard_input.standard_input()
    if str(audio) not in clip_names(None) and Path(audio).expanduser().exists():
        audio = Path(audio).expanduser().absolute()
    seconds = 3.0 * segments + 1  # chapters look at patches of 187 frames, 2.99 s each
    clip = load_clip(str(audio), start, seconds, damaged=damaged)
    if clip.damages:
        audio = _copy(load_clip(str(audio), duration=start + seconds, damaged=True))
    return str(audio), clip


def _copy(clip: Clip) -> Path:
    """A file with the samples of the clip, under the same name."""
    _KEPT.append(TemporaryDirectory(prefix="inside-musicnn-"))
    file = Path(_KEPT[-1].name) / f"{clip.name}.wav"
    soundfile.write(file, clip.samples, SAMPLE_RATE, subtype="FLOAT")
    return file
