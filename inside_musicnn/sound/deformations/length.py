"""Deformations that keep the length of the sound."""

import numpy as np


def to_length(samples: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Cut, or filled with silence at the end, to the length of another; (n, channels)."""
    missing = max(0, len(like) - len(samples))
    return np.pad(samples[: len(like)], ((0, missing), (0, 0)))
