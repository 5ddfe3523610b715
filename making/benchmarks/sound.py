"""What is measured: patches, and a long file, made of the synthesised clips in data/."""

import numpy as np
import soundfile

from inside_musicnn.sound.clips import DATA, clip_names, load_clip

BLOCK = 2**16  # samples written at once: the encoder takes no long ones


def write_patches(file, count):
    """Save `count` patches, shape (count, 187, 96), so that neighbours come from other clips."""
    clips = [load_clip(name).patches() for name in clip_names()]
    shortest = min(map(len, clips))
    woven = np.stack([patches[:shortest] for patches in clips], axis=1).reshape(-1, 187, 96)
    np.save(file, woven[:count])


def write_song(file, seconds):
    """Write the clips one after the other, again and again: stereo, 44.1 kHz, OGG.

    Same clips, same samples.
    """
    clips = [soundfile.read(DATA / f"{name}.ogg", dtype="float32") for name in clip_names()]
    rate = clips[0][1]
    stereo = np.concatenate([samples for samples, _ in clips])
    left = round(seconds * rate)
    with soundfile.SoundFile(file, "w", rate, 2, format="OGG", subtype="VORBIS") as song:
        for first in range(0, left, BLOCK):
            count = min(BLOCK, left - first)
            song.write(stereo.take(range(first, first + count), axis=0, mode="wrap"))
