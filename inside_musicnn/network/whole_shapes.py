"""Live weights in the shapes of the original's, for arithmetic that knows these alone.

Kernels of units that do not live, and weights that read their constants, are zero; what the
constants add is in the biases. So the same tensors follow, and the slopes of the logits with
respect to whatever varies are those of the compact network.
"""

from collections.abc import Mapping

import numpy as np

from inside_musicnn.network.layers import BLOCKS, DENSE, FAMILIES, SERIES
from inside_musicnn.network.live_weights import LiveWeights


class InWholeShapes:
    """Learned parameters by block, float64.

    Args:
        kept: the live weights.
        frames: of the patch: at its ends some constants lie in the padding.
    """

    def __init__(self, kept: LiveWeights, frames: int) -> None:
        self._kept, self._frames = kept, frames

    def weights(self, block: str) -> Mapping[str, np.ndarray]:
        """As `MusiCNN.weights`; biases of CNN_2 to CNN_4 have the shape (frames, units)."""
        found = {name: values.astype(np.float64)
                 for name, values in self._kept.block(block).items()}
        if block in self._kept.kernels:
            kernel = np.zeros(BLOCKS[block].kernel)
            getattr(self, "_" + block.split("/")[0])(block, kernel, found)
            found["kernel"] = kernel
        if block in ("pool", "dense"):
            found["offset"] = np.zeros_like(found["offset"])  # in the biases above
        return found

    def _cnn_1(self, block: str, kernel: np.ndarray, found: dict[str, np.ndarray]) -> None:
        kernel[..., self._kept.live[block]] = self._kept.kernels[block]

    def _cnn_n(self, block: str, kernel: np.ndarray, found: dict[str, np.ndarray]) -> None:
        kept, number = self._kept, int(block[-1])
        live, rows = kept.live[block], kept.rows_below(number)
        own = kept.kernels[block].astype(np.float64)
        kernel[:, rows[:, None], live] = own
        added = kept.added[block] - np.einsum("kru,r->ku", own, self._below(number)[rows])
        half = len(kernel) // 2
        frame = np.arange(self._frames)[:, None] + np.arange(-half, half + 1)
        bias = np.repeat(found["bias"][None], self._frames, axis=0)
        bias[:, live] += ((frame >= 0) & (frame < self._frames)) @ added
        found["bias"] = bias

    _cnn_2 = _cnn_3 = _cnn_4 = _cnn_n

    def _below(self, number: int) -> np.ndarray:
        """What does not vary in each row below CNN_2, 3 or 4."""
        if number == 2:
            return np.concatenate([self._kept.steady(f"cnn_1/{name}") for name in FAMILIES])
        return np.sum([self._kept.steady(f"cnn_{each}") for each in range(2, number)], axis=0)

    def _dense(self, block: str, kernel: np.ndarray, found: dict[str, np.ndarray]) -> None:
        kept, rows = self._kept, self._kept.series()
        live = kept.live["dense"]
        kernel.reshape(SERIES, 2, DENSE)[rows[:, None], :, live] = (
            kept.kernels["dense"].transpose(0, 2, 1))
        gain = kept.block("pool")["gain"].astype(np.float64)
        steady = np.zeros(SERIES)
        steady[rows] = kept.steady_series()[rows]
        found["bias"] = kept.added["dense"] - (np.repeat(steady, 2) * gain) @ kernel

    def _tags(self, block: str, kernel: np.ndarray, found: dict[str, np.ndarray]) -> None:
        kernel[self._kept.live["dense"]] = self._kept.kernels["tags"]
        found["bias"] = self._kept.added["tags"]
