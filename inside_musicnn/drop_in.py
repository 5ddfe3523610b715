"""In place of the package's own calls: `extractor` and `top_tags`, right for every patch.

    from musicnn.extractor import extractor    # becomes
    from inside_musicnn.drop_in import extractor

Signatures, keys, shapes and types are those of `musicnn/extractor.py` and `musicnn/tagger.py`,
version 0.1.0. What differs is what the package gets wrong; the README has the table.
Explained in chapters 2 and 3.
"""

import functools
import math

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.file_names import visible
from inside_musicnn.network.layers import FAMILIES, FRAMES
from inside_musicnn.sound.recordings import open_recording
from inside_musicnn.sound.spectrogram import FFT_SIZE, FRAME_SECONDS, HOP, SAMPLE_RATE

PATCHES = 32  # of 187 frames, computed at once
TIMBRAL = sum(units for name, (_, _, units, _) in FAMILIES.items() if name.startswith("timbral"))
# The package's keys: layer of this book, and which of its columns.
FEATURES = {
    "timbral": ("cnn_1/out", slice(None, TIMBRAL)),
    "temporal": ("cnn_1/out", slice(TIMBRAL, None)),
    "cnn1": ("cnn_2/norm", slice(None)),
    "cnn2": ("cnn_3/sum", slice(None)),
    "cnn3": ("cnn_4/sum", slice(None)),
    "mean_pool": ("pool/mean", slice(None)),
    "max_pool": ("pool/max", slice(None)),
    "penultimate": ("dense/norm", slice(None)),
}
LEFT_OUT = ("MTT_vgg", "MSD_vgg", "MSD_musicnn_big")


def extractor(file_name, model="MTT_musicnn", input_length=3, input_overlap=False,
              extract_features=True):
    """Taggram, tags and features of a recording, as `musicnn.extractor.extractor` gives them.

    Args:
        file_name: path of an audio file, or a clip in data/.
        model: "MTT_musicnn" or "MSD_musicnn".
        input_length: seconds of a patch; 3 gives the 187 frames that the networks know.
        input_overlap: seconds from the start of one patch to the start of the next (the package
            calls it an overlap, and so do we); False for patches side by side.
        extract_features: whether to return features.

    Returns:
        taggram: float32, shape (patches, 50).
        labels: list of the 50 tags.
        features: dict, only if asked for. float32: "timbral" (408 columns), "temporal" (153),
            "cnn1", "cnn2", "cnn3" (64 each) with a row for each frame, patch after patch;
            "mean_pool", "max_pool" (753) and "penultimate" (200) with a row for each patch.

    Raises:
        InputError: a model that is not there, a wrong length or overlap, or a file that
            `load_clip` would refuse; a recording shorter than one patch.
    """
    net = _network(model)
    frames, hop = _frames(input_length, input_overlap)
    layers = dict.fromkeys(layer for layer, _ in FEATURES.values()) if extract_features else ()
    parts = [net.activations(patches, ["tags/sigmoid", *layers])
             for patches in open_recording(file_name).patch_batches(
                 max(1, PATCHES * FRAMES // frames), frames, hop)]
    taggram = np.concatenate([part["tags/sigmoid"] for part in parts])
    if not extract_features:
        return taggram, list(net.labels)
    return taggram, list(net.labels), {key: _feature(parts, *where)
                                       for key, where in FEATURES.items()}


def _feature(parts, layer, columns):
    """One feature of all patches; series of frames follow one another."""
    values = np.concatenate([part[layer][..., columns] for part in parts])
    return values.reshape(-1, values.shape[-1])


def top_tags(file_name, model="MTT_musicnn", topN=3,  # noqa: N803
             input_length=3, input_overlap=False, print_tags=True, save_tags=False):
    """The most likely tags of a recording, by their mean over its patches: `musicnn.tagger`.

    Args:
        file_name, model, input_length, input_overlap: as `extractor`.
        topN: how many tags.
        print_tags: whether to print them as well.
        save_tags: a file to which a line with them is added, or False.

    Returns:
        list of tags, most likely first.

    Raises:
        InputError: as `extractor`, or topN below 1.
    """
    if topN < 1:
        raise InputError(f"The number of tags is {topN}; it must be 1 or more.")
    taggram, labels = extractor(file_name, model, input_length, input_overlap, False)
    found = [labels[i] for i in taggram.mean(axis=0).argsort()[-topN:][::-1]]
    if print_tags:
        print(f"[{visible(file_name)}] Top{topN} tags: ")
        print("\n".join(f" - {tag}" for tag in found))
    if save_tags:
        with open(save_tags, "a", encoding="utf-8") as file:
            file.write(f"{visible(file_name)},{model},input_length={input_length},"
                       f"input_overlap={input_overlap},{','.join(found)}\n")
    return found


@functools.lru_cache(maxsize=2)
def _network(model):
    """The original network, opened once and not at each call."""
    from inside_musicnn.network.musicnn import MODELS, MusiCNN

    if model in LEFT_OUT:
        raise InputError(f"The model '{model}' is not offered here; choose one of "
                         f"{', '.join(MODELS)}, or call the package itself.")
    return MusiCNN(model)


def _frames(input_length, input_overlap):
    """Frames of a patch and from one to the next, counted as the package counts them."""
    frames = _to_frames(input_length, "input_length", 1)
    return frames, _to_frames(input_overlap, "input_overlap", 0) if input_overlap else frames


def _to_frames(seconds, what, more):
    """`seconds` in frames, as librosa rounds them, plus `more`."""
    try:
        known = math.isfinite(seconds)
    except TypeError:
        known = False
    frames = more + (int(seconds * SAMPLE_RATE) - FFT_SIZE // 2) // HOP if known else 0
    if frames < 1:
        raise InputError(f"The {what} is {seconds!r}; it must be a number of seconds, at least "
                         f"{FRAME_SECONDS * (2 - more):g}.")
    return frames
