"""The numbers of the folded network as the page's script takes them.

The bytes of the numbers stand sorted by their place, all highest bytes first: signs and exponents
are alike, so that this packs better. MTT's larger weights leave out the lowest byte, rounded, and
so hold 16 significant bits; `tests/test_room.py` tells what this does to the scores.
"""

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from inside_musicnn.network.folding import Folded, fold
from inside_musicnn.network.layers import FAMILIES, ROWS, SERIES, family_slices
from inside_musicnn.network.live_weights import LiveWeights, stored_weights

BYTES = {"MSD_musicnn": 4, "MTT_musicnn": 3}  # that are kept of the four of each number


@dataclass(frozen=True)
class Packed:
    """The weights of one network for the page.

    Attributes:
        about: what it consists of: tags, families, rows, and the arrays' names, shapes in order.
        numbers: all arrays, one after the other, packed, as text.
    """

    about: dict[str, Any]
    numbers: str


def packed(model: str) -> Packed:
    """The weights of one network, from those that come with the library."""
    kept = stored_weights(model)
    folded = fold(kept)
    arrays = {name: np.asarray(values, np.float32) for name, values in
              _arrays(kept, folded).items()}
    about = {
        "model": model, "labels": kept.labels, "silence": float(np.float32(folded.silence)),
        "families": [{"name": name, "frames": frames, "bands": bands,
                      "units": [int(unit) for unit in folded.families[name].live],
                      "first": family_slices()[name].start}
                     for name, (frames, bands, _, _) in FAMILIES.items()],
        "live": {number: [int(unit) for unit in getattr(folded, f"cnn_{number}").live]
                 for number in (2, 3, 4)},
        "below": {str(key): [int(row) for row in rows] for key, rows in folded.below.items()},
        "rows": [int(row) for row in folded.dense.rows], "bytes": BYTES[model],
        "arrays": {name: list(values.shape) for name, values in arrays.items()}}
    flat = np.concatenate([values.ravel() for values in arrays.values()])
    return Packed(about, base64.b64encode(zlib.compress(by_place(flat, BYTES[model]), 9)).decode())


def by_place(numbers: np.ndarray, kept: int) -> bytes:
    """The highest `kept` bytes of float32 numbers, all first bytes first."""
    bits = numbers.astype("<f4").view("<u4").astype(np.uint64)
    drop = 8 * (4 - kept)
    if drop:  # to the nearest, to the even one of two
        bits += (np.uint64(1 << (drop - 1)) - np.uint64(1)) + ((bits >> np.uint64(drop))
                                                              & np.uint64(1))
    parts = [(bits >> np.uint64(8 * place)) & np.uint64(255) for place in range(3, 3 - kept, -1)]
    return np.concatenate(parts).astype(np.uint8).tobytes()


def _arrays(kept: LiveWeights, folded: Folded) -> dict[str, np.ndarray]:
    """All numbers by name."""
    found: dict[str, np.ndarray] = {}
    for name, family in folded.families.items():
        found |= {f"{name}/kernel": family.kernel.transpose(2, 0, 1),  # units, frames, bands
                  f"{name}/sign": family.sign, f"{name}/bias": family.bias}
    for number in (2, 3, 4):
        cnn = getattr(folded, f"cnn_{number}")
        found |= {f"cnn_{number}/{name}": getattr(cnn, name)
                  for name in ("kernel", "bias", "gain", "constants")}
    dense = folded.dense
    usual = kept.block("pool")["mean"].astype(np.float64).reshape(SERIES, 2)[dense.rows]
    steady = dense.steady[dense.rows]
    found |= {f"dense/{name}": getattr(dense, name) for name in (
        "kernel_max", "kernel_mean", "bias", "kernel_tags", "bias_tags", "gain")}
    # What the network remembers as usual of each row, as what varies in it.
    found["dense/usual"] = (usual[:, 1] - steady) / dense.gain
    found["dense/steady"] = steady
    assert (dense.rows < ROWS).sum() == sum(len(each.live) for each in folded.families.values())
    return found
