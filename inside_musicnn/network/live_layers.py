"""The layers whose units can be looked up one by one, and which of these live.

What varies in each, from the folded network, becomes the values of the original's tensors. The
atlas of the units is made from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inside_musicnn.network.folding import Folded
from inside_musicnn.network.layers import ROWS, UNITS

CONVOLUTIONS = ("cnn_2/norm", "cnn_3/norm", "cnn_4/norm")
SUMS = ("cnn_3/sum", "cnn_4/sum")


@dataclass(frozen=True, eq=False)
class LiveLayer:
    """One layer of time series.

    Attributes:
        live: numbers of what varies in it, rising, shape (live,).
        gain: factor of what varies, shape (live,).
        steady: what does not vary of these, shape (live,).
        usual: the mean over time that the network remembers of each, shape (live,): the reference
            of the exact contributions.
    """

    live: np.ndarray
    gain: np.ndarray
    steady: np.ndarray
    usual: np.ndarray

    @property
    def usual_varying(self) -> np.ndarray:
        """The reference, as what varies, shape (live,)."""
        return (self.usual - self.steady) / self.gain

    def values(self, varying: np.ndarray) -> np.ndarray:
        """The tensor's values, from what varies, shape (live, ...)."""
        wide = (slice(None), *(None,) * (varying.ndim - 1))
        return varying * self.gain[wide] + self.steady[wide]


def live_layers(folded: Folded, remembered: np.ndarray) -> dict[str, LiveLayer]:
    """The layers of time series by name: "cnn_1/out", "cnn_2/norm" to "cnn_4/sum".

    Args:
        folded: the folded network.
        remembered: the means of the pooled normalisation, shape (1506,). Those of the outputs of
            CNN_3 and CNN_4 follow from those of the sums.
    """
    means = remembered[1::2].astype(np.float64)
    u, one, two, three = np.split(means, ROWS + UNITS * np.arange(3))
    dense, of_u = folded.dense, folded.dense.rows < ROWS
    steady = np.split(dense.steady, ROWS + UNITS * np.arange(3))
    found = {"cnn_1/out": LiveLayer(dense.rows[of_u], dense.gain[of_u],
                                    dense.steady[dense.rows[of_u]], u[dense.rows[of_u]])}
    usual: Mapping[str, np.ndarray] = {
        "cnn_2/norm": one, "cnn_3/norm": two - one, "cnn_4/norm": three - two}
    for name in CONVOLUTIONS:
        cnn = getattr(folded, name.split("/")[0])
        found[name] = LiveLayer(cnn.live, cnn.gain, cnn.steady()[cnn.live], usual[name][cnn.live])
    for name, rows, mean, constant in (("cnn_3/sum", folded.below[4], two, steady[2]),
                                       ("cnn_4/sum", folded.below["sum"], three, steady[3])):
        found[name] = LiveLayer(rows, np.ones(len(rows)), constant[rows], mean[rows])
    return found
