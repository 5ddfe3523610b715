"""Recordings as the pages of the atlas use them: one file of sound and one picture of the
spectrogram of each, for all pages."""

import io
from pathlib import Path

import matplotlib
import numpy as np
import soundfile
from PIL import Image

from helpers.page.plots import SPECTROGRAM
from inside_musicnn import Clip, load_clip
from inside_musicnn.sound.shipped import RECORDING, clip_names
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

QUALITY = 85  # of the pictures, of 100
MOST = 6.0  # dB mel values above are drawn as this: log10(1 + 10000 x energy)


def write_recordings(folder: Path) -> None:
    """All shipped recordings: see `write_sound`."""
    folder.mkdir(parents=True)
    for name in clip_names(RECORDING):
        write_sound(folder, name, load_clip(name))


def write_sound(folder: Path, name: str, clip: Clip) -> None:
    """NAME.mp3, mono as the network hears it, at a constant rate so that players can seek; and
    NAME.webp, one pixel for each frame and mel band, low bands at the bottom: a picture to look
    at, a third as large as one that keeps every digit."""
    colours = (matplotlib.colormaps[SPECTROGRAM](np.arange(256))[:, :3] * 255).round()
    sound = io.BytesIO()
    soundfile.write(sound, np.clip(clip.samples, -1, 1), SAMPLE_RATE, format="MP3",
                    subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0.75)
    (folder / f"{name}.mp3").write_bytes(sound.getvalue())
    values = (np.clip(clip.db_mel / MOST, 0, 1) * 255).round().astype(np.uint8)
    picture = Image.fromarray(values.T[::-1], mode="P")
    picture.putpalette(colours.astype(np.uint8).ravel().tolist())
    picture.convert("RGB").save(folder / f"{name}.webp", quality=QUALITY)
