"""What the original package answered for the sounds in data/: see data/reference/."""

import json

import numpy as np

from inside_musicnn.sound.clips import DATA, clip_names

FILES = {"numpy1": "NumPy 1.26 and TensorFlow 2.15", "published": "NumPy 1.16 and TensorFlow 1.15"}


def reference(clip, model, kind="numpy1"):
    """The stored arrays of one clip and model, by the package's own keys.

    `taggram` and `labels` are there for each clip in data/; for "disco", "piano", "lucky_13" and
    "ave_maria" also the first patch's features, `cnn1_second` (what the package gave for the
    second patch), `patches` (the first two) and `mel_power_float16` (frames, 96).

    Args:
        clip: a name in data/.
        model: "MSD_musicnn" or "MTT_musicnn".
        kind: "numpy1" or "published", the environment that the package ran in; there is no
            "published" for recordings.

    Returns:
        dict of arrays, empty if there is no reference for such a clip.
    """
    with np.load(DATA / "reference" / f"{_file(clip, kind)}.npz") as stored:
        found = {name: stored[name] for name in stored.files if name.startswith(f"{clip}/")}
    named = {name.removeprefix(f"{clip}/"): values for name, values in found.items()}
    return {name.removeprefix(f"{model}/"): values for name, values in named.items()
            if "/" not in name or name.startswith(f"{model}/")}


def _file(clip, kind):
    recording = kind == "numpy1" and clip in clip_names("recording")
    return "numpy1_recordings" if recording else kind


def versions(kind="numpy1"):
    """The versions of Python and the libraries that wrote the reference."""
    with np.load(DATA / "reference" / f"{kind}.npz") as stored:
        return json.loads(str(stored["versions"]))
