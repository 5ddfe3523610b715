"""The released weights of MusiCNN and its tags, as the package musicnn installs them.

Explained in chapter 2; package files `MSD_musicnn/`, `MTT_musicnn/` and `configuration.py`.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from inside_musicnn.checksums import sha256
from inside_musicnn.errors import InputError
from inside_musicnn.extras import missing
from inside_musicnn.network.checkpoint import FILE, read_checkpoint
from inside_musicnn.network.layers import BLOCKS, Block

MODELS = {"MSD_musicnn": "Million Song Dataset", "MTT_musicnn": "MagnaTagATune"}
EPSILON = 1e-3  # of batch normalisation, TensorFlow's default
_FILES = (FILE, ".index")
_NORMALIZATION = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean",
                  "variance": "moving_variance"}


def check_model(name: str) -> str:
    """The model's name, or an InputError that lists the valid ones."""
    if name not in MODELS:
        raise InputError(f"There is no model '{name}'; choose one of {', '.join(MODELS)}.")
    return name


def check_block(name: str) -> str:
    """The block's name, or an InputError that lists the valid ones."""
    if name not in BLOCKS:
        raise InputError(f"There are no weights '{name}'; choose one of {', '.join(BLOCKS)}.")
    return name


def checksums_of_weights(model: str) -> dict[str, str]:
    """Checksums of the released weights of `model`: of the files inside the package musicnn, or,
    without it, of those that the library's own were made from."""
    package = _package()
    if package is None:
        from inside_musicnn.network.live_weights import stored_weights

        return dict(stored_weights(model).made_from)
    files = [package / model / name for name in _FILES]
    return {f"{model}/{file.name}": sha256(file) for file in files if file.exists()}


def package_is_there() -> bool:
    """Whether the package musicnn is installed."""
    return _package() is not None


@cache
def _package() -> Path | None:
    """The folder of the package musicnn, which is not imported."""
    found = find_spec("musicnn")
    return Path(found.origin).parent if found and found.origin else None


class Weights:
    """Learned parameters of one released network, by block.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".

    Attributes:
        folder: where the package keeps them.
        labels: the 50 tags, in the order of the last layer.

    Raises:
        InputError: unknown model, or the package is not installed.
    """

    def __init__(self, model: str) -> None:
        self.model = check_model(model)
        package = _package()
        if package is None:
            raise InputError(missing("original", "The original network, whole,"))
        self.folder = package / model
        from musicnn import configuration

        self.labels: list[str] = list(
            configuration.MTT_LABELS if "MTT" in model else configuration.MSD_LABELS)
        self._blocks: dict[str, dict[str, np.ndarray]] = {}

    @cached_property
    def _variables(self) -> dict[str, np.ndarray]:
        return read_checkpoint(self.folder, self.model)

    def block(self, name: str) -> dict[str, np.ndarray]:
        """The parameters of one block: see `MusiCNN.weights`."""
        if check_block(name) not in self._blocks:
            self._blocks[name] = self._read(BLOCKS[name])
        return dict(self._blocks[name])

    def _read(self, block: Block) -> dict[str, np.ndarray]:
        found = {}
        if block.layer:
            found["kernel"] = self._variables[f"{block.layer}/kernel"]
            found["bias"] = self._variables[f"{block.layer}/bias"]
        if block.normalization:
            for key, name in _NORMALIZATION.items():
                found[key] = self._variables[f"{block.normalization}/{name}"]
        found = with_gain_and_offset(found)
        for values in found.values():
            values.flags.writeable = False  # shared by all who ask
        return found


def with_gain_and_offset(block: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters of a block with its normalisation, if it has one, as a gain and an offset too."""
    found = dict(block)
    if "gamma" in found:
        gamma, beta, mean, variance = (found[key].astype(np.float64) for key in _NORMALIZATION)
        gain = gamma / np.sqrt(variance + EPSILON)
        found["gain"] = gain.astype(np.float32)
        found["offset"] = (beta - mean * gain).astype(np.float32)
    return found
