"""The tensors between CNN_1 and the pooling, as the compact network can give and take them.

The compact network computes only what varies: for each live unit a number from which its row
follows by one gain and one constant. Here these become rows of the original's shapes, and rows
that somebody has edited become what varies, so that the compact network can go on from them.
A forward from U on takes a fraction of a millisecond.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.folding import Folded
from inside_musicnn.network.layers import ROWS, UNITS

if TYPE_CHECKING:
    from inside_musicnn.network.compact import Compact

LAYERS_BETWEEN = ("cnn_1/out", "cnn_2/norm", "cnn_3/norm", "cnn_4/norm", "stage_2/out")
_RECTIFIED = {f"cnn_{number}/norm": f"cnn_{number}/relu" for number in (2, 3, 4)}
GIVEN = (*LAYERS_BETWEEN, *_RECTIFIED.values(), "cnn_3/sum", "cnn_4/sum")  # to look at, besides
STEADY_TO = 0.05  # how far a row that the compact network holds constant may be from that constant


class Rows:
    """How the rows of one layer follow from what varies.

    Attributes:
        live: numbers of the rows that vary, shape (live,).
        gain: factor of what varies, as the network was folded, shape (live,).
        steady: the part of each row that does not vary, likewise, shape (rows,).
    """

    def __init__(self, live: np.ndarray, gain: np.ndarray, steady: np.ndarray) -> None:
        self.live, self.gain, self.steady = live, gain, steady
        self._gain, self._steady = gain.astype(np.float32), steady.astype(np.float32)

    def full(self, varying: np.ndarray) -> np.ndarray:
        """From (live, patches, frames) to the layer's own shape, (patches, frames, rows)."""
        values = np.empty((*varying.shape[1:], len(self._steady)), np.float32)
        values[:] = self._steady
        values[..., self.live] += np.moveaxis(varying, 0, 2) * self._gain
        return values

    def varying(self, values: np.ndarray, name: str) -> np.ndarray:
        """The way back.

        Raises:
            InputError: a row that the compact network holds constant has another value.
        """
        off = np.abs(values - self._steady).max(axis=(0, 1), initial=0)
        off[self.live] = 0
        if off.max(initial=0) > STEADY_TO:
            raise InputError(f"Row {off.argmax()} of '{name}' is a constant of the compact "
                             "network, which cannot go on from other values of it; edit the rows "
                             "of live units, or open the original network.")
        varying = (values[..., self.live] - self._steady[self.live]) / self._gain
        return np.ascontiguousarray(np.moveaxis(varying, 2, 0))


class Between:
    """A compact network that gives the tensors of its second stage, and goes on from edited ones.

    Args:
        compact: the network.
    """

    def __init__(self, compact: "Compact") -> None:
        self._compact = compact
        self.rows = rows_of(compact.folded)

    def run(self, patches: np.ndarray, names: Iterable[str], replaced: Mapping[str, np.ndarray]
            ) -> dict[str, np.ndarray]:
        """Named layers, dict of float32 arrays, patch axis first.

        Args:
            patches: shape (n, frames, 96).
            names: from GIVEN and LAYERS_OF_COMPACT.
            replaced: mapping from names of LAYERS_BETWEEN to values of the layer's shape.
        """
        names = list(names)
        found: dict[str, np.ndarray] = {}

        def changed(name: str, varying: np.ndarray | None) -> np.ndarray:
            if varying is not None and (rectified := _RECTIFIED.get(name)) in names:
                found[rectified] = self.rows[rectified].full(varying)
            if name in replaced:
                varying = self.rows[name].varying(replaced[name], name)
            assert varying is not None
            if name in names:
                found[name] = self.rows[name].full(varying)
            return varying

        below = None if "cnn_1/out" in replaced else self._compact.first_stage(patches)
        series = self._compact.second_stage(changed("cnn_1/out", below), changed)
        last = [name for name in names if name not in GIVEN]
        if last:
            found |= self._compact.final(*self._compact.pooled(series), last)
        return {name: found[name] for name in names}


def rows_of(folded: Folded) -> dict[str, Rows]:
    """The rows of each layer of GIVEN."""
    dense = folded.dense
    of_u = dense.rows < ROWS
    found = {"cnn_1/out": Rows(dense.rows[of_u], dense.gain[of_u], dense.steady[:ROWS])}
    for number in (2, 3, 4):
        cnn = getattr(folded, f"cnn_{number}")
        found[f"cnn_{number}/norm"] = Rows(cnn.live, cnn.gain, cnn.steady())
        found[f"cnn_{number}/relu"] = Rows(cnn.live, np.ones(len(cnn.live)), cnn.rectified())
    _, _, two, three = np.split(dense.steady, ROWS + UNITS * np.arange(3))
    for name, below, steady in (("cnn_3/sum", folded.below[4], two),
                                ("cnn_4/sum", folded.below["sum"], three)):
        found[name] = Rows(below, np.ones(len(below)), steady)
    return found | {"stage_2/out": Rows(dense.rows, dense.gain, dense.steady)}
