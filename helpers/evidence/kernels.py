"""What chapters ask of the kernels of the second stage: which of their frames they use, and how."""

from typing import NamedTuple

import numpy as np


class Timing(NamedTuple):
    """How kernels use their frames.

    Attributes:
        profile: norm of each unit's weights at each frame, (frames, units).
        level: share of level of each unit, (units,). For each row, the squared sum of the weights
            over time is compared with their number times the sum of their squares: 1 if all are
            equal, a mean; 0 if they cancel, pure change; one over the number of frames on average
            if they have nothing to do with each other.
        neighbours: correlation of the weights of neighbouring frames, all units together, without
            taking their means out.
    """

    profile: np.ndarray
    level: np.ndarray
    neighbours: float


def timing(kernels: np.ndarray) -> Timing:
    """How kernels use their frames.

    Args:
        kernels: shape (frames, rows, units).
    """
    weights = kernels.astype(float)
    squares = weights**2
    level = (weights.sum(axis=0) ** 2).sum(axis=0) / (len(weights) * squares.sum(axis=(0, 1)))
    products = (weights[1:] * weights[:-1]).sum()
    neighbours = products / np.sqrt(squares[1:].sum() * squares[:-1].sum())
    return Timing(np.sqrt(squares.sum(axis=1)), level, float(neighbours))
