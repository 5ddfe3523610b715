"""Write the independent reference: what the original package answers for the sounds in data/.

Runs the code of musicnn 0.1.0 as it is, under the library versions of its own time, so nothing
of this project is imported. README.md beside this file says how to make the two environments.

    python make_reference.py numpy1       # NumPy 1.26, TensorFlow 2.15, librosa 0.10
    python make_reference.py recordings   # the same, of the excerpts of real recordings
    python make_reference.py published    # NumPy 1.16, TensorFlow 1.15, librosa 0.8
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import librosa  # noqa: E402
import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import tensorflow as tf  # noqa: E402
from musicnn import configuration  # noqa: E402
from musicnn.extractor import batch_data, extractor  # noqa: E402

HERE = Path(__file__).resolve().parent
MODELS = ("MSD_musicnn", "MTT_musicnn")
LISTS = {"numpy1": "clips.json", "published": "clips.json", "recordings": "recordings.json"}
# Sounds whose patches and first-patch features are kept.
WHOLE = {"numpy1": ("disco", "piano"), "published": (), "recordings": ("lucky_13", "ave_maria")}
FRAMES = 187


def sounds(kind):
    """Names and paths of the sounds of a list."""
    entries = json.loads((HERE.parent / LISTS[kind]).read_text(encoding="utf-8"))
    return [(entry["name"], str(HERE.parent / entry["file"])) for entry in entries]


def reference(path, features):
    """Arrays by name for one sound.

    Only the first patch's features are kept: the package appends the same ones for every later
    patch. Its taggram is right for every patch.
    """
    arrays = {}
    for model in MODELS:
        taggram, labels, found = extractor(path, model=model)
        arrays[model + "/taggram"] = taggram
        arrays[model + "/labels"] = np.array(labels)
        if features:
            for key, values in found.items():
                first = values[:FRAMES] if len(values) % FRAMES == 0 else values[0]
                arrays[model + "/" + key] = np.squeeze(first).astype(np.float32)
            # Evidence of the package's fault: its second patch of cnn1 is the first again.
            arrays[model + "/cnn1_second"] = found["cnn1"][FRAMES : 2 * FRAMES]
    if features:
        audio, _ = librosa.load(path, sr=configuration.SR)
        power = librosa.feature.melspectrogram(
            y=audio, sr=configuration.SR, hop_length=configuration.FFT_HOP,
            n_fft=configuration.FFT_SIZE, n_mels=configuration.N_MELS).T.astype(np.float16)
        patches, spectrogram = batch_data(path, FRAMES, FRAMES)
        # What the package feeds the network follows from the float16 power; that is smaller.
        assert np.array_equal(np.log10(10000 * power + 1), spectrogram)
        assert np.array_equal(spectrogram[: len(patches) * FRAMES].reshape(patches.shape), patches)
        arrays["mel_power_float16"] = power[: len(patches) * FRAMES]
        arrays["patches"] = patches[:2]
    return arrays


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else ""
    if kind not in LISTS:
        sys.exit("Name what to make: numpy1, recordings or published.")
    if not np.__version__.startswith("1."):
        sys.exit("NumPy is " + np.__version__ + "; the reference needs NumPy 1.")
    versions = {"python": sys.version.split()[0], "numpy": np.__version__,
                "tensorflow": tf.__version__, "librosa": librosa.__version__,
                "soundfile": soundfile.__version__, "musicnn": "0.1.0"}
    arrays = {"versions": np.array(json.dumps(versions))}
    for name, path in sounds(kind):
        for key, values in reference(path, name in WHOLE[kind]).items():
            arrays[name + "/" + key] = values
    file = "numpy1_recordings" if kind == "recordings" else kind
    np.savez_compressed(str(HERE / (file + ".npz")), **arrays)


if __name__ == "__main__":
    main()
