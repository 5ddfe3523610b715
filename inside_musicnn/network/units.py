"""Units that live and units that do not, by the size of their kernels.

Explained in chapters 4, 5 and 9; articles, parts 9 and 12.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FAMILIES, ROWS, UNITS, family_slices

THRESHOLD = 1e-2  # kernel norm above which a unit counts as live; chapter 4 shows the gap around it


class HasWeights(Protocol):
    """A network whose learned parameters can be asked for, such as a MusiCNN."""

    def weights(self, block: str) -> Mapping[str, np.ndarray]:
        """The parameters of one block by name."""


def kernel_norms(net: HasWeights, block: str) -> np.ndarray:
    """Frobenius norm of each unit's kernel, shape (units,), for a block such as "cnn_2"."""
    kernel = net.weights(block)["kernel"].astype(np.float64)
    return np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1))))


def live_units(net: HasWeights, block: str, threshold: float = THRESHOLD) -> np.ndarray:
    """Numbers of the units of one block whose kernel norm is above `threshold`, rising."""
    return np.flatnonzero(kernel_norms(net, block) > threshold)


def live_rows(net: HasWeights, threshold: float = THRESHOLD) -> np.ndarray:
    """Numbers of the rows of U whose unit lives, rising."""
    return np.concatenate([live_units(net, f"cnn_1/{name}", threshold) + rows.start
                           for name, rows in family_slices().items()])


def live_series(net: HasWeights) -> np.ndarray:
    """Numbers of the 753 series after the second stage that some live unit can move, rising.

    A row of a sum is dead only if all that is added up in it is dead.
    """
    one, two, three = (live_units(net, f"cnn_{number}") for number in (2, 3, 4))
    first_sum = np.union1d(one, two)
    parts = (one, first_sum, np.union1d(first_sum, three))
    return np.concatenate([live_rows(net), *(ROWS + UNITS * place + part
                                             for place, part in enumerate(parts))])


def constants(net: HasWeights) -> np.ndarray:
    """What each row of U would be if its kernel were zero, shape (561,); from the weights alone."""
    blocks = [net.weights(f"cnn_1/{name}") for name in FAMILIES]
    return np.concatenate([w["gain"] * np.maximum(w["bias"], 0) + w["offset"] for w in blocks])


def row_unit(row: int) -> tuple[str, int]:
    """Family and unit within it of a row of U: row 204 is ("timbral_67", 0).

    Raises:
        InputError: a row that U does not have.
    """
    if not 0 <= row < ROWS:
        raise InputError(f"U has no row {row}; its rows are 0 to {ROWS - 1}.")
    for name, (*_, units, _) in FAMILIES.items():
        if row < units:
            return name, int(row)
        row -= units
    raise AssertionError("the families fill U")


def least_alike(values: np.ndarray, count: int) -> tuple[list[int], np.ndarray]:
    """Pick rows that correlate least with one another, for showing a few different ones.

    Begins with the two least correlated, then adds the one whose greatest correlation with those
    chosen is smallest.

    Args:
        values: shape (n, values); a row that does not vary counts as alike to all.
        count: how many to pick, at most n.

    Returns:
        list of row numbers, and the matrix of absolute correlations, shape (n, n).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.nan_to_num(np.abs(np.corrcoef(values)), nan=1.0)
    alike = alike.round(6)  # a choice must not hang on rounding: of equal ones, the first
    pairs = alike + 2 * np.eye(len(alike))  # none with itself, even if all are alike
    chosen = [int(i) for i in np.unravel_index(pairs.argmin(), pairs.shape)]
    while len(chosen) < min(count, len(alike)):
        closest = alike[chosen].max(axis=0)
        closest[chosen] = np.inf
        chosen.append(int(closest.argmin()))
    return chosen, alike
