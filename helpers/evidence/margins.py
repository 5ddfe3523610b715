"""Comparisons that rounding cannot turn: each has a margin, and what lies within it is a tie.

Two processors give activations that differ in the last digits of float32. A verdict, a rank or a
choice that is printed as a word must not depend on these.
"""

from enum import Enum

import numpy as np

# Of the largest value that goes into a comparison: tests hold that what float32 may get wrong in
# the tensors that claims look at is less.
ROUNDING = 1e-3
UNIT_ROUNDOFF = 2.0**-24  # of float32


class Answer(Enum):
    """Whether something is so."""

    YES = "yes"
    NO = "no"
    TIE = "tie"

    def __bool__(self) -> bool:
        """A tie is no yes."""
        return self is Answer.YES

    @classmethod
    def of(cls, true: bool) -> "Answer":
        """What needs no margin."""
        return cls.YES if true else cls.NO


def above(value: float, limit: float, margin: float | None = None) -> Answer:
    """Whether a value is above a limit by more than the margin, or below by more than it.

    Args:
        margin: `ROUNDING` of the larger of the two if None.
    """
    if margin is None:
        margin = ROUNDING * max(abs(value), abs(limit))
    if abs(value - limit) <= margin:
        return Answer.TIE
    return Answer.YES if value > limit else Answer.NO


def below(value: float, limit: float, margin: float | None = None) -> Answer:
    """Whether a value is below a limit by more than the margin."""
    return above(-value, -limit, margin)


def every(*answers: Answer) -> Answer:
    """Whether all of these are so: no if one is not, else a tie if one is a tie."""
    for answer in (Answer.NO, Answer.TIE):
        if answer in answers:
            return answer
    return Answer.YES


def same_but_for_rounding(found: np.ndarray, expected: np.ndarray, size: np.ndarray) -> bool:
    """Whether two ways to compute a few steps in float32 agree: eight roundings at most.

    Args:
        size: how large the numbers in between are, before they cancel.
    """
    return bool((np.abs(found - expected) <= 8 * UNIT_ROUNDOFF * size).all())


def doubtful(values: np.ndarray, limit: float) -> float:
    """The share of values that rounding might put on the other side of a limit, and one more.

    Args:
        values: shape (frames, rows), each row with a size of its own.

    Returns:
        the largest such share of any row.
    """
    margin = ROUNDING * np.maximum(np.abs(values).max(axis=0), abs(limit))
    close = (np.abs(values - limit) <= margin) & (values != limit)  # ReLU's zeros are zeros
    return float(close.mean(axis=0).max()) + 1 / len(values)


def leaders(values: np.ndarray, count: int) -> tuple[np.ndarray, bool]:
    """The places of the largest values, the largest first; of equal ones the first place first.

    Returns:
        places, shape (count,), and whether the last of them is level with the next.
    """
    order = np.argsort(-snapped(values), kind="stable")
    level = snapped(values)[order]
    return order[:count], bool(count < len(level) and level[count - 1] == level[count])


def ranks(values: np.ndarray) -> np.ndarray:
    """The rank of each value: 1 for the largest; those that are level share the best of theirs."""
    level = snapped(values)
    return 1 + (level[None] > level[:, None]).sum(axis=1)


def snapped(values: np.ndarray) -> np.ndarray:
    """Values of which those that rounding could exchange are equal: each chain of neighbours.

    In falling order, a value within `ROUNDING` of the largest from the one before it gets the
    value of that one.
    """
    values = np.asarray(values, np.float64)
    order = np.argsort(-values, kind="stable")
    steps = -np.diff(values[order])
    new = np.concatenate([[True], steps > ROUNDING * np.abs(values).max()])
    first = np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))
    result = np.empty_like(values)
    result[order] = values[order][first]
    return result
