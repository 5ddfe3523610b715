"""In place of the package's own calls: `extractor` and `top_tags`, right for every patch.

    from musicnn.extractor import extractor    # becomes
    from inside_musicnn import extractor

Signatures, keys, shapes and types are those of `musicnn/extractor.py` and `musicnn/tagger.py`,
version 0.1.0; both take `damaged` and `original` besides, by keyword. The answers are those of the
compact network: rows of units that do not live are at the constants that they are, all else
differs by rounding. What differs otherwise is what the package gets wrong; the README has the
table. Explained in chapters 2, 3 and 17.
"""

import functools
import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.file_names import visible
from inside_musicnn.network.layers import FAMILIES, FRAMES
from inside_musicnn.network.musicnn import MODELS, MusiCNN
from inside_musicnn.sound.recordings import PATCHES_AT_ONCE, AudioName, open_recording
from inside_musicnn.sound.spectrogram import FFT_SIZE, FRAME_SECONDS, HOP, SAMPLE_RATE

TIMBRAL = sum(units for name, (_, _, units, _) in FAMILIES.items() if name.startswith("timbral"))
# How far what the compact network gives may be from the original, in either network and in any of
# the shipped recordings. Of U, what is dead moves by so little, and is held still.
AGREEMENT = {"taggram": 1e-4, "timbral": 2e-2, "temporal": 2e-2, "cnn1": 1e-4, "cnn2": 2e-3,
             "cnn3": 1e-2, "mean_pool": 2e-2, "max_pool": 2e-2, "penultimate": 5e-4}
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

Tags = tuple[np.ndarray, list[str]]
TagsAndFeatures = tuple[np.ndarray, list[str], dict[str, np.ndarray]]
Function = TypeVar("Function", bound=Callable[..., Any])


def _in_place_of_the_packages(function: Function) -> Function:
    """Let who asks for its signature be told the package's: what we add is keywords only."""
    signature = inspect.signature(function)
    known = [each for each in signature.parameters.values() if each.kind is not each.KEYWORD_ONLY]
    function.__signature__ = signature.replace(parameters=known)  # type: ignore[attr-defined]
    return function


@overload
def extractor(file_name: AudioName, model: str = ..., input_length: float = ...,
              input_overlap: float = ..., extract_features: Literal[True] = ...,
              *, damaged: bool = ..., original: bool = ...) -> TagsAndFeatures: ...
@overload
def extractor(file_name: AudioName, model: str = ..., input_length: float = ...,
              input_overlap: float = ..., *, extract_features: Literal[False],
              damaged: bool = ..., original: bool = ...) -> Tags: ...
@overload
def extractor(file_name: AudioName, model: str, input_length: float, input_overlap: float,
              extract_features: Literal[False], *, damaged: bool = ...,
              original: bool = ...) -> Tags: ...


@_in_place_of_the_packages
def extractor(file_name: AudioName, model: str = "MTT_musicnn", input_length: float = 3,
              input_overlap: float = False, extract_features: bool = True, *,
              damaged: bool = False, original: bool = False) -> Tags | TagsAndFeatures:
    """Taggram, tags and features of a recording, as `musicnn.extractor.extractor` gives them.

    What is lost or doubtful in it is said as a warning.

    Args:
        file_name: path of an audio file, a clip in data/, or "-" for the standard input.
        model: "MTT_musicnn" or "MSD_musicnn".
        input_length: seconds of a patch; 3 gives the 187 frames that the networks know.
        input_overlap: seconds from the start of one patch to the start of the next (the package
            calls it an overlap, and so do we); False for patches side by side.
        extract_features: whether to return features.
        damaged: whether to read a file in which sound is lost; then it is silence.
        original: whether to ask the original graph, which needs TensorFlow.

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
    net = _network(model, original)
    frames, hop = _frames(input_length, input_overlap)
    layers = dict.fromkeys(layer for layer, _ in FEATURES.values()) if extract_features else ()
    recording = open_recording(file_name, damaged=damaged)
    count = max(1, PATCHES_AT_ONCE * FRAMES // frames)
    parts = [net.activations(patches, ["tags/sigmoid", *layers])
             for patches in recording.patch_batches(count, frames, hop)]
    for note in recording.notes:
        warnings.warn(visible(note), stacklevel=2)
    taggram = np.concatenate([part["tags/sigmoid"] for part in parts])
    if not extract_features:
        return taggram, list(net.labels)
    return taggram, list(net.labels), {key: _feature(parts, *where)
                                       for key, where in FEATURES.items()}


def _feature(parts: Sequence[dict[str, np.ndarray]], layer: str, columns: slice) -> np.ndarray:
    """One feature of all patches; series of frames follow one another."""
    values = np.concatenate([part[layer][..., columns] for part in parts])
    return values.reshape(-1, values.shape[-1])


@_in_place_of_the_packages
def top_tags(file_name: AudioName, model: str = "MTT_musicnn", topN: int = 3,
             input_length: float = 3, input_overlap: float = False, print_tags: bool = True,
             save_tags: str | Path | Literal[False] = False, *, damaged: bool = False,
             original: bool = False) -> list[str]:
    """The most likely tags of a recording, by their mean over its patches: `musicnn.tagger`.

    Args:
        file_name, model, input_length, input_overlap, damaged, original: as `extractor`.
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
    taggram, labels = extractor(file_name, model, input_length, input_overlap, False,
                                damaged=damaged, original=original)
    found = [labels[i] for i in taggram.mean(axis=0).argsort()[-topN:][::-1]]
    if print_tags:
        print(f"[{visible(file_name)}] Top{topN} tags: ")
        print("\n".join(f" - {tag}" for tag in found))
    if save_tags:
        with open(save_tags, "a", encoding="utf-8") as file:
            file.write(f"{visible(file_name)},{model},input_length={input_length},"
                       f"input_overlap={input_overlap},{','.join(found)}\n")
    return found


@functools.lru_cache(maxsize=4)
def _network(model: str, original: bool) -> MusiCNN:
    """The network, opened once and not at each call."""
    if model in LEFT_OUT:
        raise InputError(f"The model '{model}' is not offered here; choose one of "
                         f"{', '.join(MODELS)}, or call the package itself.")
    return MusiCNN(model, compact=not original)


def _frames(input_length: float, input_overlap: float) -> tuple[int, int]:
    """Frames of a patch and from one to the next, counted as the package counts them."""
    frames = _to_frames(input_length, "input_length", 1)
    return frames, _to_frames(input_overlap, "input_overlap", 0) if input_overlap else frames


def _to_frames(seconds: float, what: str, more: int) -> int:
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
