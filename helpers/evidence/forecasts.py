"""The study "forecasts": what explanations foretell against what happens, with intervals."""

import numpy as np

from helpers.evidence.intervals import Interval, bootstrap, mean
from helpers.evidence.studies import StoredStudy, stored_study
from inside_musicnn.network.folding import fold
from inside_musicnn.network.layers import BANDS, FAMILIES
from inside_musicnn.network.weights import Weights

METHODS = ("exact sum", "integrated gradients", "occlusion", "energy", "activity", "random")
FORECASTS = METHODS[:3]  # those that have a sign and a size in logits
KINDS = ("ReLUs of the second stage", "maxima over time", "ReLUs of the dense layer")
UNIT = 1 / 40  # logits: the step in which the study keeps mean contributions
REPEATS = 500


def mean_of(study: StoredStudy, values: np.ndarray) -> Interval:
    """Mean over recordings, with its interval by source; of any shape (recordings, ...)."""
    return mean(np.asarray(values, float), study.sources, repeats=REPEATS)


def explained(study: StoredStudy) -> Interval:
    """Share of the squared changes of the logits that is foretold, (3 methods, sizes).

    1 is a perfect forecast, 0 as good as to say that nothing will change; below, it is worse.
    """
    def of(missed: np.ndarray, changed: np.ndarray) -> np.ndarray:
        return 1 - missed.sum(axis=0) / changed.sum(axis=0)[None]

    return bootstrap(of, study["missed"].astype(float), study["changed"].astype(float),
                     clusters=study.sources, repeats=REPEATS)


def left_over(study: StoredStudy) -> Interval:
    """What is left of the exact sum's squared miss if one kind of choice is made anew, (3 kinds,).

    Summed over the sizes up to a quarter of the rows, where the forecast is worth mending.
    """
    small = study["sizes"][0] <= study["sizes"][0].max() / 4

    def of(freed: np.ndarray) -> np.ndarray:
        total = freed[:, :, small].sum(axis=(0, 2))
        return total[1:] / total[0]

    return bootstrap(of, study["freed"].astype(float), clusters=study.sources, repeats=REPEATS)


def contributions(study: StoredStudy, rows: np.ndarray) -> Interval:
    """Mean contribution of some of the live rows to each logit, (50, rows), with intervals.

    Args:
        rows: their numbers among the live rows.
    """
    return mean(study["moves"][:, :, rows] * UNIT, study.sources, repeats=200)


def winning_places(model: str) -> np.ndarray:
    """Between which positions in frequency each live kernel was found, in the middle four fifths
    of the frames of all stored recordings, each recording counting the same: (live, 2)."""
    study = stored_study("edges_and_places", model)
    counts = study["positions"].astype(float)
    counts = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    found, first = [], 0
    for name, family in fold(Weights(model)).families.items():
        positions = BANDS - FAMILIES[name][1] + 1
        for _ in family.live:
            course = counts[first : first + positions].cumsum()
            found.append(np.searchsorted(course, [0.1 * course[-1], 0.9 * course[-1]]))
            first += positions
    return np.array(found)
