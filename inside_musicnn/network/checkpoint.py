"""Reads the released weights without TensorFlow, whose import takes seconds.

The file `.data-00000-of-00001` is raw numbers, one variable after another in the order of their
names, and nothing else. Its checksum says that it is the released one, and the layers say which
variables there are and how large each is: so there is no format to parse, and no copy of the
weights to keep. Tests hold every variable to TensorFlow's own reader.
"""

from pathlib import Path

import numpy as np

from inside_musicnn.checksums import sha256
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BLOCKS

FILE = ".data-00000-of-00001"
RELEASED = {  # SHA-256 of the file, as musicnn 0.1.0 installs it
    "MSD_musicnn": "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
    "MTT_musicnn": "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
}
_SLOTS = ("", "/Adam", "/Adam_1")  # a learned variable, and the averages that its optimiser kept


def read_checkpoint(folder: Path, model: str) -> dict[str, np.ndarray]:
    """All variables of one network's checkpoint, the optimiser's too, by TensorFlow's names.

    Args:
        folder: where the package musicnn keeps them.
        model: "MSD_musicnn" or "MTT_musicnn".

    Returns:
        float32 arrays; kernels have the shape that `MusiCNN.weights` gives them.

    Raises:
        InputError: the file is missing, or is not the released one.
    """
    file = folder / FILE
    try:
        released = sha256(file) == RELEASED[model]
        numbers = np.fromfile(file, "<f4")
    except OSError as error:
        raise InputError(f"The weights {file} cannot be read ({error.strerror}); install the "
                         "package musicnn again.") from None
    if not released:
        raise InputError(f"The weights {file} are damaged or not those of musicnn 0.1.0; install "
                         "the package musicnn again.")
    found, first = {}, 0
    for name, shape in sorted(_shapes().items()):
        size = int(np.prod(shape))
        found[name] = numbers[first : first + size].reshape(shape)
        first += size
    return found


def _shapes() -> dict[str, tuple[int, ...]]:
    """The shape of every variable, by its name."""
    learned: dict[str, tuple[int, ...]] = {}
    kept: dict[str, tuple[int, ...]] = {"beta1_power": (), "beta2_power": ()}  # the optimiser's
    for block in BLOCKS.values():
        if block.layer:
            learned[f"{block.layer}/kernel"] = block.kernel
            learned[f"{block.layer}/bias"] = (block.units,)
        if block.normalization:
            for name in ("gamma", "beta"):
                learned[f"{block.normalization}/{name}"] = (block.units,)
            for name in ("moving_mean", "moving_variance"):
                kept[f"{block.normalization}/{name}"] = (block.units,)
    return kept | {name + slot: shape for name, shape in learned.items() for slot in _SLOTS}
