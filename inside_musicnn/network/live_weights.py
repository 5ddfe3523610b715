"""The weights of what lives: all that MusiCNN's tags need, in a file that comes with the library.

A unit whose kernel is practically zero gives a constant, whatever the music. So of the released
weights only the kernels of live units are kept, number for number, and sums of what the constants
add to them. `making/weights` writes the files from the package musicnn; where they are, the
compact network needs neither that package nor TensorFlow. Explained in chapter 17.
"""

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from inside_musicnn import checksums
from inside_musicnn.errors import InputError
from inside_musicnn.extras import missing
from inside_musicnn.network.layers import BLOCKS, FAMILIES, ROWS, SERIES, UNITS
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.network.weights import check_block, check_model, with_gain_and_offset

FOLDER = Path(__file__).resolve().parents[1] / "weights"
STORED = {  # SHA-256 of the files that come with this version
    "MSD_musicnn": "9b8fc633275550e1815fd6f0755ba32ab1c186480d0fa56fa023e4e3428268e4",
    "MTT_musicnn": "4162ea7598134369eebcffb04eae2af32de841107ff0f594285d9cf2b6153818",
}
_VECTORS = ("bias", "gamma", "beta", "mean", "variance")  # of every unit, in float32


class Source(Protocol):
    """Learned parameters of one network, whole."""

    model: str
    labels: list[str]

    def block(self, name: str) -> Mapping[str, np.ndarray]:
        """The parameters of one block of BLOCKS, as `MusiCNN.weights` gives them."""


class _OfUnits(dict[str, np.ndarray]):
    """Parameters of a block without its kernel."""

    def __missing__(self, key: str) -> np.ndarray:
        if key == "kernel":
            raise InputError(missing("original", "A whole kernel, with the units that are "
                                                 "constants,"))
        raise KeyError(key)


@dataclass(frozen=True, eq=False)
class LiveWeights:
    """What is kept of one network. All dicts are by block: see BLOCKS.

    Attributes:
        model: the network's name.
        labels: its 50 tags, in the order of the last layer.
        threshold: kernel norm up to which a unit counts as a constant.
        made_from: checksums of the released files.
        norms: Frobenius norm of each unit's kernel, float64, shape (units,).
        live: numbers of the live units, rising.
        kernels: float32, the released numbers: families of CNN_1, (frames, bands, live); CNN_2 to
            CNN_4, (frames, varying rows below, live); "dense", (varying series, 2, live), for
            maximum and mean; "tags", (live dense units, 50).
        added: float64: what all constants below add, exactly rounded: CNN_2 to CNN_4, through each
            frame of the kernel, (frames, live); "dense", with its bias, (200,); "tags", with its
            bias, (50,).
        vectors: float32, of all units: bias, and gamma, beta, mean, variance of normalisations.
    """

    model: str
    labels: list[str]
    threshold: float
    made_from: dict[str, str]
    norms: dict[str, np.ndarray]
    live: dict[str, np.ndarray]
    kernels: dict[str, np.ndarray]
    added: dict[str, np.ndarray]
    vectors: dict[str, dict[str, np.ndarray]]

    def block(self, name: str) -> dict[str, np.ndarray]:
        """The parameters of one block as `MusiCNN.weights` gives them, but for the kernel.

        Raises:
            InputError: unknown block; or, from the dict, the kernel is asked for.
        """
        return _OfUnits(with_gain_and_offset(self.vectors[check_block(name)]))

    def rows_of_u(self) -> np.ndarray:
        """Rows of U whose unit lives, rising."""
        starts = np.cumsum([0, *(units for _, _, units, _ in FAMILIES.values())])
        return np.concatenate([self.live[f"cnn_1/{name}"] + start for name, start in zip(
            FAMILIES, starts, strict=False)])

    def rows_below(self, number: int) -> np.ndarray:
        """Rows that vary below CNN_2, 3 or 4; 5 stands for the last sum."""
        if number == 2:
            return self.rows_of_u()
        return np.unique(np.concatenate([self.live[f"cnn_{each}"] for each in range(2, number)]))

    def series(self) -> np.ndarray:
        """Those of the 753 series that vary, rising."""
        above = (ROWS + UNITS * place + self.rows_below(place + 3) for place in range(3))
        return np.concatenate([self.rows_of_u(), *above])

    def steady(self, block: str) -> np.ndarray:
        """The part of each unit's normalised output that does not vary, float64, (units,)."""
        gain, bias, offset = (self.block(block)[name].astype(np.float64)
                              for name in ("gain", "bias", "offset"))
        steady = gain * np.maximum(bias, 0) + offset
        steady[self.live[block]] = offset[self.live[block]]
        return steady

    def steady_series(self) -> np.ndarray:
        """The same of each of the 753 series, float64."""
        of_u = [self.steady(f"cnn_1/{name}") for name in FAMILIES]
        sums = np.cumsum([self.steady(f"cnn_{number}") for number in (2, 3, 4)], axis=0)
        return np.concatenate([*of_u, *sums])


def keep_live(weights: Source, threshold: float = THRESHOLD,
              made_from: Mapping[str, str] | None = None) -> LiveWeights:
    """What to keep of a network's weights; the same on every processor, to the last bit.

    Args:
        weights: the learned parameters, whole.
        threshold: units of a smaller kernel norm go; 0 keeps all but exact zeros.
        made_from: checksums of the files that they were read from.
    """
    whole = {name: {key: np.asarray(values) for key, values in weights.block(name).items()}
             for name in BLOCKS}
    norms = {name: _norms(block["kernel"]) for name, block in whole.items() if "kernel" in block}
    live = {name: np.flatnonzero(values > threshold) for name, values in norms.items()}
    live["tags"] = np.arange(len(weights.labels))
    vectors = {name: {key: block[key] for key in _VECTORS if key in block}
               for name, block in whole.items()}
    kept = LiveWeights(weights.model, list(weights.labels), threshold, dict(made_from or {}),
                       norms, live, {}, {}, vectors)
    for name in FAMILIES:
        block = f"cnn_1/{name}"
        kept.kernels[block] = whole[block]["kernel"][..., live[block]]
    steady = kept.steady_series()
    below = {2: steady[:ROWS], 3: steady[ROWS : ROWS + UNITS],
             4: steady[ROWS + UNITS : ROWS + 2 * UNITS]}
    for number, constants in below.items():
        block = f"cnn_{number}"
        kernel = whole[block]["kernel"][..., live[block]]
        kept.kernels[block] = kernel[:, kept.rows_below(number)]
        kept.added[block] = _sums(kernel * constants[:, None], axis=1)
    _keep_final_stage(kept, whole, steady)
    return kept


def _keep_final_stage(kept: LiveWeights, whole: Mapping[str, Mapping[str, np.ndarray]],
                      steady: np.ndarray) -> None:
    """The dense layers; maximum and mean of a constant are the constant."""
    pool, dense, tags = ({key: values.astype(np.float64) for key, values in whole[name].items()}
                         for name in ("pool", "dense", "tags"))
    live = kept.live["dense"]
    dead = np.setdiff1d(np.arange(len(dense["bias"])), live)
    kernel = whole["dense"]["kernel"].reshape(SERIES, 2, -1)
    kept.kernels["dense"] = kernel[kept.series()][..., live]
    kept.kernels["tags"] = whole["tags"]["kernel"][live]
    below = dense["kernel"] * pool["gain"][:, None]
    kept.added["dense"] = _sums(np.concatenate([
        dense["bias"][None], dense["kernel"] * pool["offset"][:, None],
        below * np.repeat(steady, 2)[:, None]]), axis=0)
    lit = np.maximum(kept.added["dense"][dead], 0) * dense["gain"][dead]
    kept.added["tags"] = _sums(np.concatenate([
        tags["bias"][None], tags["kernel"] * dense["offset"][:, None],
        tags["kernel"][dead] * lit[:, None]]), axis=0)


def _norms(kernel: np.ndarray) -> np.ndarray:
    squares = kernel.astype(np.float64).reshape(-1, kernel.shape[-1]) ** 2
    return np.sqrt(_sums(squares, axis=0))


def _sums(terms: np.ndarray, axis: int) -> np.ndarray:
    """Exactly rounded sums, which no order of adding changes."""
    lines = np.moveaxis(terms, axis, -1)
    flat = [math.fsum(line) for line in lines.reshape(-1, lines.shape[-1]).tolist()]
    return np.array(flat, np.float64).reshape(lines.shape[:-1])


@cache
def stored_weights(model: str) -> LiveWeights:
    """The live weights that come with the library.

    Raises:
        InputError: unknown model, or the file is missing or damaged.
    """
    file = FOLDER / f"{check_model(model)}.npz"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"The weights {file} cannot be read ({error.strerror}); install "
                         "inside-musicnn again.") from None
    if checksums.of_bytes(content) != STORED[model]:
        raise InputError(f"The weights {file} are damaged or of another version; install "
                         "inside-musicnn again.")
    return unpacked(content)


def unpacked(content: bytes) -> LiveWeights:
    """Live weights from the bytes of a file; nothing in it is ever run."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays: dict[str, np.ndarray] = dict(archive)
    about = json.loads(str(arrays.pop("about")))
    found: dict[str, dict[str, Any]] = {kind: {} for kind in (
        "norms", "live", "kernel", "added", *_VECTORS)}
    for name, values in arrays.items():
        values.flags.writeable = False  # shared by all who ask
        block, kind = name.rsplit("/", 1)
        found[kind][block] = values
    vectors = {block: {kind: found[kind][block] for kind in _VECTORS if block in found[kind]}
               for block in BLOCKS}
    return LiveWeights(about["model"], about["labels"], about["threshold"], about["made_from"],
                       found["norms"], found["live"], found["kernel"], found["added"], vectors)


def packed(weights: LiveWeights, about: Mapping[str, str]) -> bytes:
    """The bytes of a file with live weights: a NumPy archive without compression, which is the
    same wherever it is made.

    Args:
        about: further facts, such as authors and licence.
    """
    told = json.dumps({**about, "model": weights.model, "threshold": weights.threshold,
                       "made_from": weights.made_from, "labels": weights.labels})
    arrays = {"about": np.array(told)}
    for kind, by_block, type_ in (("norms", weights.norms, "<f8"), ("live", weights.live, "<i8"),
                                  ("kernel", weights.kernels, "<f4"),
                                  ("added", weights.added, "<f8")):
        arrays |= {f"{block}/{kind}": values.astype(type_) for block, values in by_block.items()}
    for block, vectors in weights.vectors.items():
        arrays |= {f"{block}/{kind}": values.astype("<f4") for kind, values in vectors.items()}
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w") as archive:
        for name, values in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:  # of a fixed date
                np.lib.format.write_array(member, np.asarray(values, order="C"),
                                          allow_pickle=False)
    return place.getvalue()
