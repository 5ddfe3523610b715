"""Loading audio: a clip of the book's own, or any file, as the network hears it.

Explained in chapters 1 and 3.
"""

import json
import math
import os
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import librosa
import numpy as np
import soundfile

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.quiet import quiet_stderr
from inside_musicnn.sound.decoding import mono_blocks
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, HOP, SAMPLE_RATE, cut_patches, db_mel

# tqdm, which librosa imports, asks for notebook widgets that no chapter has.
warnings.filterwarnings("ignore", message="IProgress not found")

DATA = Path(__file__).resolve().parents[2] / "data"
_TRUNCATED = ("The audio file {} is truncated: it ends before its header says; get a complete "
              "copy.")
_NOT_FINITE = ("The audio in {} has samples that are not a number or infinite; repair the file or "
               "export it again.")
SHORTEST = (FRAMES - 1) * HOP  # samples that fill one patch


@dataclass(frozen=True, eq=False)
class Clip:
    """A piece of audio, mono float32 at 16 kHz.

    Attributes:
        name: a short name: of the clip in data/, or of the file.
        title: what a page calls it.
        samples: shape (n,).
        offset: where in the file it starts, in seconds.
        path: the file, or None for a signal made in code.
    """

    name: str
    title: str
    samples: np.ndarray = field(repr=False)
    offset: float = 0.0
    path: Path | None = None

    @property
    def duration(self):
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE

    @cached_property
    def db_mel(self):
        """dB mel spectrogram, shape (frames, 96): see `inside_musicnn.sound.spectrogram.db_mel`."""
        return db_mel(self.samples)

    def patches(self, hop=FRAMES):
        """Patches of the dB mel spectrogram, shape (n, 187, 96), `hop` frames apart."""
        return cut_patches(self.db_mel, hop)

    def excerpt(self, start, seconds):
        """Samples from `start` (seconds after the clip's own start) for `seconds` seconds."""
        first = round(start * SAMPLE_RATE)
        return self.samples[first : first + round(seconds * SAMPLE_RATE)]

    def segment(self, number):
        """Samples under patch `number` (patches side by side), for listening."""
        seconds = FRAMES * FRAME_SECONDS
        return self.excerpt(number * seconds, seconds)


def clip_names():
    """Names of the clips in data/, mapped to their titles."""
    entries = json.loads((DATA / "clips.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry["title"] for entry in entries}


def load_clip(audio, offset=0.0, duration=None):
    """Load a clip by its name in data/, or any audio file by its path.

    The samples are those of `librosa.load(path, sr=16000)`: mono, resampled, float32.

    Args:
        audio: a name in data/ such as "disco", or a path to WAV, FLAC, OGG or MP3.
        offset: where to start, in seconds.
        duration: how much to load, in seconds; None for all that follows.

    Raises:
        InputError: one sentence, if the file is missing, a folder, empty, not audio, truncated,
            too short for one patch, has NaN or infinite samples, or `offset` lies outside it.
    """
    path, name, title = _find(audio)
    shown = f"'{audio}'"
    offset, duration = _seconds(offset, "offset"), _seconds(duration, "duration")
    length = _length(path, shown)
    if length is not None and offset >= length:
        raise InputError(beyond_the_end(shown, offset, length))
    samples = _decode(path, shown, offset, duration)
    expected = min(duration or math.inf, length - offset) if _promises(path, length) else 0
    if len(samples) / SAMPLE_RATE < expected - 0.1:
        raise InputError(_TRUNCATED.format(shown))
    if not np.isfinite(samples).all():
        raise InputError(_NOT_FINITE.format(shown))
    if len(samples) < SHORTEST:
        raise InputError(too_short(shown, len(samples)))
    return Clip(name, title, samples, offset, path)


def beyond_the_end(shown, offset, length):
    """The sentence on a start that lies after the audio's end; both in seconds."""
    return (f"The offset of {offset:g} s is beyond the end of {shown}, which lasts {length:.2f} s; "
            "choose a smaller one.")


def too_short(shown, samples, frames=FRAMES):
    """The sentence on audio of `samples` samples, which do not fill a patch of `frames` frames."""
    return (f"The audio in {shown} is too short: {samples / SAMPLE_RATE:.2f} s from the offset on, "
            f"and one patch of {frames} frames needs {(frames - 1) * HOP / SAMPLE_RATE:.2f} s.")


def unreadable(shown):
    """The sentence on a file that no decoder understands."""
    return (f"The file {shown} cannot be read as audio; give WAV, FLAC, OGG or MP3, complete and "
            "playable.")


def _find(audio):
    """Path, name and title of what the reader asked for."""
    titles = clip_names()
    if str(audio) in titles:
        return DATA / f"{audio}.ogg", str(audio), titles[str(audio)]
    if not str(audio):
        raise InputError(f"No audio is named; give a path or one of {', '.join(titles)}.")
    path = Path(audio).expanduser()
    if path.is_dir():
        raise InputError(f"'{audio}' is a folder; give the path of one audio file.")
    if not path.is_file():
        raise InputError(f"There is no audio file '{audio}'; give the path of one, or a clip of "
                         f"this book: {', '.join(titles)}.")
    if path.stat().st_size == 0:
        raise InputError(f"'{audio}' is an empty file of 0 bytes; give an audio file.")
    return path.resolve(), path.stem, path.stem


def native(path):
    """`path` as decoders take it: bytes where its name is not text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _seconds(value, what):
    """`value` as seconds; None stays None."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0 or (what == "duration" and seconds == 0):
        bound = "above 0" if what == "duration" else "0 or more"
        raise InputError(f"The {what} is {value!r}; it must be a number of seconds, {bound}.")
    return seconds


def _length(path, shown):
    """Seconds that the file's header promises, or None where libsndfile cannot read it."""
    try:
        with quiet_stderr():
            info = soundfile.info(native(path), verbose=True)
    except soundfile.SoundFileError:
        return None
    if info.frames == 0:
        raise InputError(f"The audio file {shown} holds no samples; give one with sound in it.")
    if "should be" in info.extra_info or _cut_ogg(path):
        raise InputError(_TRUNCATED.format(shown))
    return info.frames / info.samplerate


def _promises(path, length):
    """Whether the header states the length: an MP3 without a Xing header lets one guess it."""
    if length is None:
        return False
    with path.open("rb") as file:
        start = file.read(2**18)
    return soundfile.info(native(path)).format != "MP3" or b"Xing" in start or b"Info" in start


def _cut_ogg(path):
    """Whether an Ogg file lacks its end: the last page of a stream carries a flag."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, path.stat().st_size - 2**17))
        tail = file.read()
    last = tail.rfind(b"OggS")
    return last < 0 or last + 5 >= len(tail) or not tail[last + 5] & 4


def _decode(path, shown, offset, duration):
    """Samples by `librosa.load`; every way in which decoding fails becomes one sentence."""
    try:
        with warnings.catch_warnings(), quiet_stderr():
            warnings.simplefilter("ignore")  # librosa's word that it tries a second decoder
            try:
                samples = np.concatenate(list(mono_blocks(path, offset, duration)))
            except soundfile.SoundFileError:  # librosa knows other decoders
                samples, _ = librosa.load(native(path), sr=SAMPLE_RATE, offset=offset,
                                      duration=duration)
    except Exception as error:  # decoders raise errors of their own libraries
        if isinstance(error, librosa.ParameterError) and "finite" in str(error):
            raise InputError(_NOT_FINITE.format(shown)) from error
        raise InputError(unreadable(shown)) from error
    return samples
