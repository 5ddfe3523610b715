"""What stands beside the numbers of a tag: its answers to what is no music, with how much of the
music scores lower; and what its strongest units would give by chance."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.evidence import intervals
from helpers.evidence.nothing import Nothing

REPEATS, LOTS, SEED = 1000, 200, 0


def beside_nothing(scores: np.ndarray, ids: Sequence[str] | np.ndarray,
                   source: dict[str, object], nothing: Nothing) -> list[dict[str, Any]]:
    """For each tag, fields of its record: the interval of its mean score, and its answers to
    sounds that are no music, each with the share of patches that score lower.

    Args:
        scores: (patches, 50).
        ids: the recording of each patch.
        source: from a recording to whose it is: what intervals draw from.
        nothing: the network's answers.
    """
    answers = nothing.answers
    values = np.concatenate([scores, *(scores < answer for answer in answers.values())], axis=1)
    names, rows = intervals.by_recording(values, np.asarray(ids))
    sources = [source[name] for name in names]
    if len(set(sources)) < intervals.FEWEST:
        ends = np.full((2, values.shape[1]), np.nan)
    else:
        found = intervals.mean(rows, sources, repeats=REPEATS)
        ends = np.array([found.low, found.high])
    ends, shares = ends.reshape(2, -1, scores.shape[1]), values.mean(axis=0).reshape(
        -1, scores.shape[1])
    told = []
    for tag in range(scores.shape[1]):
        lower = [{"sound": sound, "score": answer[tag], "share_below": shares[row, tag]}
                 | _between(ends[:, row, tag])
                 for row, (sound, answer) in enumerate(answers.items(), 1)]
        told.append({"mean_interval": _between(ends[:, 0, tag]), "nothing": lower})
    return [{name: value for name, value in each.items() if value} for each in told]


def _between(ends: np.ndarray) -> dict[str, float]:
    return {} if np.isnan(ends).any() else {"low": float(ends[0]), "high": float(ends[1])}


def by_lot(given: np.ndarray, lots: int = LOTS) -> tuple[float, float]:
    """The null of the strongest: what the largest and the smallest contribution of a layer's units
    to one tag stays below and above in 19 of 20 cases, if each unit's contributions are dealt to
    other tags.

    Args:
        given: mean contributions, (units, tags).

    Returns:
        the smallest and the largest; the same for all tags, since any tag gets any of them.
    """
    random = np.random.default_rng(SEED)
    dealt = [random.permuted(given, axis=1) for _ in range(lots)]
    return (float(np.quantile([each.min(axis=0) for each in dealt], 0.05)),
            float(np.quantile([each.max(axis=0) for each in dealt], 0.95)))
