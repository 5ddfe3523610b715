"""Intervals by the bootstrap: recordings are drawn again, never patches.

Patches of one recording are alike, and so are recordings of one author: who counts them as
independent gets intervals that are too narrow. Here whole clusters are drawn with replacement, as
many as there are, and the statistic is computed anew; the interval lies between quantiles of what
comes out. The cluster is the source of a recording (its author, else its package) wherever
several recordings share one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from helpers.evidence.basis import numbers_of
from inside_musicnn.errors import InputError

REPEATS, LEVEL, SEED = 2000, 0.95, 0
FEWEST = 5  # clusters; fewer give no interval worth the name

Statistic = Callable[..., Any]


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval.

    Attributes:
        estimate: the statistic of the data as they are; a number or an array.
        low, high: ends of the interval, of the same shape.
        level: how often such intervals hold the truth, about: 0.95.
        clusters: how many were drawn from.
        draws: the statistic of each drawing, shape (repeats, ...).
    """

    estimate: Any
    low: Any
    high: Any
    level: float
    clusters: int
    draws: np.ndarray = field(repr=False)

    def excludes(self, value: float = 0.0) -> Any:
        """Whether the whole interval lies on one side of a value."""
        return (self.low > value) | (self.high < value)

    def text(self, digits: int = 2) -> str:
        """One number with its interval, such as "0.31 (0.25 to 0.38)"."""
        return (f"{float(self.estimate):.{digits}f} ({float(self.low):.{digits}f} to "
                f"{float(self.high):.{digits}f})")


def bootstrap(statistic: Statistic, *columns: np.ndarray, clusters: Sequence[object] | np.ndarray,
              repeats: int = REPEATS, level: float = LEVEL, seed: int = SEED) -> Interval:
    """An interval for a statistic of rows that come in clusters.

    Args:
        statistic: from the columns, cut to the rows drawn, to a number or an array.
        columns: arrays with a row for each recording (or whatever is counted), shape (n, ...).
        clusters: for each row the cluster it belongs to, shape (n,): its author, for example.
        repeats: how many drawings.
        level: share of them between `low` and `high`.
        seed: of the drawings.

    Raises:
        InputError: columns of different lengths, or fewer than five clusters.
    """
    number = numbers_of(clusters)
    if any(len(column) != len(number) for column in columns):
        raise InputError("Each column needs one row for every label of a cluster.")
    count = int(number.max(initial=-1)) + 1
    if count < FEWEST:
        raise InputError(f"An interval needs {FEWEST} clusters or more; these rows are of "
                         f"{count}.")
    rows = [np.flatnonzero(number == cluster) for cluster in range(count)]
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(repeats):
        drawn = np.concatenate([rows[cluster] for cluster in random.integers(0, count, count)])
        draws.append(statistic(*(column[drawn] for column in columns)))
    values = np.asarray(draws)
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Interval(statistic(*columns), low, high, level, count, values)


def mean(values: np.ndarray, clusters: Sequence[object] | np.ndarray, **options: Any) -> Interval:
    """The mean over rows with its interval; of shape (n,) or (n, columns)."""
    return bootstrap(lambda rows: rows.mean(axis=0), np.asarray(values, float), clusters=clusters,
                     **options)


def share(true: np.ndarray, clusters: Sequence[object] | np.ndarray, **options: Any) -> Interval:
    """The share of rows for which something holds, with its interval."""
    return mean(np.asarray(true, float), clusters, **options)


def correlation(x: np.ndarray, y: np.ndarray, clusters: Sequence[object] | np.ndarray,
                by_rank: bool = False, **options: Any) -> Interval:
    """Pearson's or Spearman's correlation of two columns, with its interval."""
    from scipy import stats

    def of(first: np.ndarray, second: np.ndarray) -> float:
        if by_rank:
            first, second = stats.rankdata(first), stats.rankdata(second)
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(np.corrcoef(first, second)[0, 1])

    return bootstrap(of, np.asarray(x, float), np.asarray(y, float), clusters=clusters, **options)


def by_recording(values: np.ndarray, ids: Sequence[str] | np.ndarray, how: str = "mean"
                 ) -> tuple[np.ndarray, np.ndarray]:
    """One row for each recording, from rows of patches.

    Args:
        values: shape (patches, ...).
        ids: the recording of each patch.
        how: what pandas calls it: "mean", "max", "median", ...

    Returns:
        the ids in the order of their first appearance, and an array of shape (recordings, ...).
    """
    flat = np.asarray(values).reshape(len(values), -1)
    grouped = pd.DataFrame(flat).groupby(np.asarray(ids), sort=False)
    rows = grouped.agg(how)
    return rows.index.to_numpy(), rows.to_numpy().reshape(-1, *np.shape(values)[1:])
