"""The layers whose units can be looked up one by one, and which of these live.

What varies in each, from the folded network, becomes the values of the original's tensors. The
atlas of the units is made from here.
"""

from dataclasses import dataclass

import numpy as np

from inside_musicnn.network.between import rows_of
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
    u, one, two, three = np.split(remembered[1::2].astype(np.float64), ROWS + UNITS * np.arange(3))
    usual = {"cnn_1/out": u, "cnn_2/norm": one, "cnn_3/norm": two - one, "cnn_4/norm": three - two,
             "cnn_3/sum": two, "cnn_4/sum": three}
    rows = rows_of(folded)
    return {name: LiveLayer(rows[name].live, rows[name].gain, rows[name].steady[rows[name].live],
                            means[rows[name].live]) for name, means in usual.items()}
