"""Ways to break the network, one block at a time. No bound may let one of them pass.

All in float64, so that the fault alone makes the difference, on every processor the same one.
"""

from collections.abc import Callable

import numpy as np

from arithmetic import rounding
from arithmetic.network import GIVEN, Layers
from inside_musicnn.network.layers import FAMILIES, LAYERS
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.network.weights import EPSILON

TALL = ("cnn_1/timbral_38", "cnn_1/timbral_67", "cnn_2", "cnn_3", "cnn_4")
CONVOLUTIONS = (*(f"cnn_1/{name}" for name in FAMILIES), "cnn_2", "cnn_3", "cnn_4")
LAYERED = (*CONVOLUTIONS, "dense")  # kernel, bias, ReLU, normalisation
NORMALISED = ("input", *LAYERED, "pool")
LINEAR = (*LAYERED, "tags")
SHOWN_BY = {  # block -> where a fault is seen
    block: f"{block}/norm" for block in (*LAYERED, "pool")
} | {f"cnn_1/{name}": f"cnn_1/{name}/max" for name in FAMILIES} | {
    "input": "input/normalized", "tags": "tags/logits"}


Weights = dict[str, np.ndarray]


def kernel(change: Callable) -> Callable:
    """A fault that changes the kernel of one unit: `change` gets it without its unit axis."""
    def changed(weights: Weights, unit: int) -> Weights:
        wrong = weights["kernel"].copy()
        wrong[..., unit] = change(wrong[..., unit])
        return weights | {"kernel": wrong}
    return changed


def number(key: str, change: Callable) -> Callable:
    """A fault that changes one of the numbers that a unit has."""
    def changed(weights: Weights, unit: int) -> Weights:
        wrong = weights[key].copy()
        wrong[unit] = change(wrong[unit])
        return weights | {key: wrong}
    return changed


def swapped(weights: Weights, unit: int) -> Weights:
    """Two live units have changed places."""
    other = next(each for each in live(weights)[::-1] if each != unit)
    wrong = weights["kernel"].copy()
    wrong[..., [unit, other]] = wrong[..., [other, unit]]
    return weights | {"kernel": wrong}


# What is wrong -> the blocks in which it can be, and the weights of such a block.
OF_WEIGHTS = {
    "kernel moved by a frame": (CONVOLUTIONS, kernel(lambda k: np.roll(k, 1, axis=0))),
    "kernel backwards in time": (CONVOLUTIONS, kernel(lambda k: k[::-1])),
    "kernel moved by a row": (TALL, kernel(lambda k: np.roll(k, 1, axis=1))),
    "inputs moved by one": (("dense", "tags"), kernel(lambda k: np.roll(k, 1))),
    "two units swapped": (LINEAR, swapped),
    "bias left out": (LINEAR, number("bias", lambda _: 0.0)),
    "sign of the gain flipped": (NORMALISED, number("gamma", lambda gamma: -gamma)),
    "mean left out": (NORMALISED, number("mean", lambda _: 0.0)),
    "offset left out": (NORMALISED, number("beta", lambda _: 0.0)),
    "epsilon forgotten": (NORMALISED, number("variance", lambda value: value - EPSILON)),
}
# What is wrong -> the layer that is wrong, from the layers that are right.
OF_TENSORS = {
    "maxima before means": ("pool/flat", lambda of: np.concatenate(
        [of("pool/max"), of("pool/mean")])),
    "means before maxima": ("pool/flat", lambda of: np.stack(
        [of("pool/mean"), of("pool/max")], axis=1).ravel()),
    "minimum over time": ("pool/max", lambda of: of("stage_2/out").min(axis=0)),
    "mean without the last frame": ("pool/mean", lambda of: of("stage_2/out")[:-1].mean(axis=0)),
    "temporal rows before timbral ones": ("cnn_1/out", lambda of: np.concatenate(
        [of(f"cnn_1/{name}/max") for name in sorted(FAMILIES)], axis=1)),
    "first skip left out": ("cnn_3/sum", lambda of: of("cnn_3/norm")),
    "second skip left out": ("cnn_4/sum", lambda of: of("cnn_4/norm")),
    "sums in place of series": ("stage_2/out", lambda of: np.concatenate(
        [of("cnn_1/out"), *(of(f"cnn_{number}/norm") for number in (2, 3, 4))], axis=1)),
    "bands upside down": ("input/db_mel", lambda of: of("input/db_mel")[:, ::-1]),
    "time backwards": ("input/db_mel", lambda of: of("input/db_mel")[::-1]),
    "ReLU left out before the tags": ("dense/relu", lambda of: of("dense/bias")),
}


def live(weights: Weights) -> np.ndarray:
    """Numbers of the units of a block whose kernel is not dead."""
    flat = weights["kernel"].reshape(-1, weights["kernel"].shape[-1])
    return np.flatnonzero(np.linalg.norm(flat, axis=0) > THRESHOLD)


def unit_to_break(layers: Layers, block: str) -> int:
    """The unit in which a fault of this block shows on this patch.

    With a kernel: the live one that is on most, or in CNN_1 varies most. In the pooling: the live
    series with the smallest variance, where epsilon counts most.
    """
    weights = layers.weights[block]
    if block in LAYERED:
        units = live(weights)
        if block.startswith("cnn_1"):
            active = layers[f"{block}/max"].value.std(axis=0) / np.abs(weights["gain"])
        else:
            active = layers[f"{block}/relu"].value.reshape(-1, len(weights["bias"])).mean(axis=0)
        return int(units[active[units].argmax()])
    if block == "pool":
        return int(np.where(weights["variance"] > EPSILON, weights["variance"], np.inf).argmin())
    return 0


def broken(layers: Layers, block: str, change: Callable) -> np.ndarray:
    """The layer `SHOWN_BY[block]` as it is with wrong weights in that block."""
    right = layers.weights[block]
    wrong = change(right, unit_to_break(layers, block))
    differ = np.zeros(len(right["bias" if "bias" in right else "gamma"]), bool)
    for key, values in wrong.items():
        differ |= (values != right[key]).reshape(-1, len(differ)).any(axis=0)
    units = np.flatnonzero(differ) if block != "input" else slice(None)  # computed again
    below = GIVEN[block] if block != "pool" else "pool/flat"
    part = Layers({"input": layers.weights["input"],
                   block: {key: values[..., units] for key, values in wrong.items()}},
                  np.zeros((1, 0)))
    given = layers[below].value
    part[below] = rounding.given(given[..., units] if block == "pool" else given)
    result = layers[SHOWN_BY[block]].value.copy()
    result[..., units] = part[SHOWN_BY[block]].value
    return result


def replaced(layers: Layers, layer: str, values: np.ndarray) -> Layers:
    """The layers as they are with other values in one of them, from there on."""
    names = list(LAYERS)
    before = set(names[: names.index(layer)])
    if layer.startswith("cnn_1/"):  # families stand side by side
        before |= {f"cnn_1/{name}/max" for name in FAMILIES}
    wrong = Layers(layers.weights, layers["input/db_mel"].value)
    wrong.update({name: known for name, known in layers.items() if name in before})
    wrong[layer] = rounding.given(values)
    return wrong
