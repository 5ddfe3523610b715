"""Interventions: a tensor is edited, and the network goes on from there.

Five edits, each a plain function from an array to a new one, of any layer's values with the patch
axis first:

| edit | what it does |
|---|---|
| `remove` | sets values to zero |
| `hold` | sets values to what the layer has at rest, or to any other constant |
| `scale` | makes what stands out from rest larger or smaller |
| `swap` | takes the values of another recording |
| `freeze` | keeps the mean over time, or the value of one frame, and nothing of the movement |

`rows` names structures (rows of U), series (of `stage_2/out`) or units (of any other layer): the
last axis. `frames` names moments: the axis after the patches, of layers that have one. Both take
whatever an index takes; everything if None. `intervene` asks a network for a layer, edits it and
goes on:

    quiet = intervene(net, clip, "cnn_1/out", lambda u: remove(u, rows=[12]))
    at_rest = intervene(net, clip, "cnn_4/norm", lambda v: hold(v, resting(net, "cnn_4/norm")))

Both networks do that; the compact one from U upwards, where a forward takes a fraction of a
millisecond. Explained in chapters 15 and 20.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import LAYERS, check_layer
from inside_musicnn.network.units import constants

if TYPE_CHECKING:
    from inside_musicnn.network.musicnn import HasPatches, MusiCNN

Index = ArrayLike | slice | None  # rows or frames: numbers, truth values, a slice; None for all
Edit = Callable[[np.ndarray], np.ndarray]


def remove(values: np.ndarray, rows: Index = None, frames: Index = None) -> np.ndarray:
    """The same values with some set to zero."""
    return hold(values, 0.0, rows, frames)


def hold(values: np.ndarray, at: ArrayLike, rows: Index = None, frames: Index = None) -> np.ndarray:
    """The same values with some held at a constant.

    Args:
        values: shape (patches, ..., rows).
        at: one number, or one for each row of the layer, such as `resting(net, layer)`.
        rows, frames: which values; all if None.
    """
    constant = np.broadcast_to(np.asarray(at, values.dtype), values.shape)
    return _edited(values, constant, rows, frames)


def scale(values: np.ndarray, factor: float, rows: Index = None, frames: Index = None,
          around: ArrayLike = 0.0) -> np.ndarray:
    """The same values with the distance of some from `around` multiplied by `factor`.

    Args:
        around: one number, or one for each row of the layer, such as `resting(net, layer)`.
    """
    around = np.asarray(around, values.dtype)
    return _edited(values, factor * values + (1 - factor) * around, rows, frames)


def swap(values: np.ndarray, other: np.ndarray, rows: Index = None, frames: Index = None
         ) -> np.ndarray:
    """The same values with some taken from another recording.

    Args:
        other: values of the same layer; of as many patches, or of one that serves for all.

    Raises:
        InputError: the two do not fit.
    """
    if other.shape[1:] != values.shape[1:] or len(other) not in (1, len(values)):
        raise InputError(f"Values of shape {other.shape} cannot take the place of values of shape "
                         f"{values.shape}; give as many patches of the same layer, or one.")
    return _edited(values, np.broadcast_to(other, values.shape), rows, frames)


def freeze(values: np.ndarray, rows: Index = None, frame: int | None = None) -> np.ndarray:
    """The same values with some held still over time, in each patch for itself.

    Args:
        values: shape (patches, frames, ..., rows).
        frame: whose value to keep; the mean over time if None.
    """
    if values.ndim < 3:
        raise InputError("Only a layer with frames can be frozen; this one has the shape "
                         f"{values.shape}.")
    still = values.mean(axis=1) if frame is None else values[:, frame]
    return _edited(values, np.broadcast_to(still[:, None], values.shape), rows, None)


def _edited(values: np.ndarray, new: np.ndarray, rows: Index, frames: Index) -> np.ndarray:
    """`values`, with `new` in the chosen rows at the chosen frames."""
    chosen = _mask(values.shape[-1], rows, "row")
    if frames is not None:
        if values.ndim < 3:
            raise InputError("Only a layer with frames has moments to edit; this one has the shape "
                             f"{values.shape}.")
        moments = _mask(values.shape[1], frames, "frame")
        chosen = moments.reshape(-1, *[1] * (values.ndim - 2)) & chosen
    return np.where(chosen, new, values).astype(values.dtype, copy=False)


def _mask(count: int, index: Index, what: str) -> np.ndarray:
    mask = np.zeros(count, bool)
    try:
        mask[slice(None) if index is None else
             index if isinstance(index, slice) else np.asarray(index)] = True
    except IndexError:
        raise InputError(f"There is no {what} {index!r}; the layer has {count}, counted from "
                         "0.") from None
    return mask


def resting(net: "MusiCNN", layer: str) -> np.ndarray:
    """What each row of a layer would be if the kernel of its own unit were zero, from the weights.

    Of `stage_2/out` the sums of what their units give; float32, shape (rows,).

    Raises:
        InputError: the layer has no such value: it is none of U, the normalised outputs and sums
            of the second stage, and their concatenation.
    """
    check_layer(layer)
    if layer == "cnn_1/out":
        return constants(net)
    outputs = {number: _unit_at_rest(net, f"cnn_{number}") for number in (2, 3, 4)}
    known = {f"cnn_{number}/norm": values for number, values in outputs.items()}
    known["cnn_3/sum"] = outputs[2] + outputs[3]
    known["cnn_4/sum"] = known["cnn_3/sum"] + outputs[4]
    if layer == "stage_2/out":
        return np.concatenate([constants(net), outputs[2], known["cnn_3/sum"], known["cnn_4/sum"]])
    if layer not in known:
        raise InputError(f"The layer '{layer}' has no value at rest; choose one of cnn_1/out, "
                         f"{', '.join(known)}, stage_2/out.")
    return known[layer]


def _unit_at_rest(net: "MusiCNN", block: str) -> np.ndarray:
    weights = net.weights(block)
    return weights["gain"] * np.maximum(weights["bias"], 0) + weights["offset"]


def intervene(net: "MusiCNN", audio: "HasPatches | ArrayLike", layer: str, edit: Edit,
              layers: str | Sequence[str] = "tags/sigmoid") -> dict[str, np.ndarray]:
    """Go on from an edited layer.

    Args:
        net: either network; the compact one edits `cnn_1/out`, `cnn_2/norm`, `cnn_3/norm`,
            `cnn_4/norm` and `stage_2/out`, and there only rows of live units.
        audio: a clip, or patches of shape (n, frames, 96).
        layer: name of the layer to edit.
        edit: from its values, shape (n, ...), to what takes their place.
        layers: what to look at after it.

    Returns:
        dict from name to float32 array, as `MusiCNN.activations`.

    Raises:
        InputError: an unknown layer, or an edit that does not fit.
    """
    values = net.activations(audio, layer)[layer]
    return net.activations(audio, layers, replace={layer: edit(values)})


def has_frames(layer: str) -> bool:
    """Whether a layer has moments."""
    return "frame" in LAYERS[check_layer(layer)].axes
