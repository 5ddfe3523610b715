"""What chapters compare the network's series with: simple measures of the sound itself."""

import numpy as np


def flux(spectrogram: np.ndarray) -> np.ndarray:
    """How much a spectrogram rises into each frame: the increases of all its bands together.

    Args:
        spectrogram: shape (frames, bands).

    Returns:
        shape (frames - 1,), for the second frame and all later ones.
    """
    return np.maximum(np.diff(spectrogram.astype(float), axis=0), 0).sum(axis=1)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two series; 0 if one of them does not move."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
