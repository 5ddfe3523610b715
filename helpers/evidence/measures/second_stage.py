"""Measures of the articles' claims of parts 10 to 12: second stage.

Chapters 10 to 12 show each at length.
"""

import numpy as np

from helpers.evidence.ledger import PROPOSED, holds, measures, on_music, told
from helpers.evidence.margins import (
    ROUNDING,
    Answer,
    above,
    below,
    doubtful,
    every,
    leaders,
    ranks,
)
from inside_musicnn.network.units import THRESHOLD, live_units

LAYERS_12 = ["cnn_2/norm", "cnn_3/norm", "cnn_4/relu", "cnn_4/norm", "cnn_4/sum", "stage_2/out"]
NEAR, SHARE = 0.5, 0.03  # the article's values are rounded: ours may be so far away, or by a share
NORMS = ("cnn_2/norm", "cnn_3/norm", "cnn_4/norm")


def tensors(context):
    """Tensors of the second stage of MSD, patches joined over time: name -> (frames, rows)."""
    if "second" not in context.memory:
        acts = context.msd.activations(context.patches, LAYERS_12)
        context.memory["second"] = {name: values.reshape(-1, values.shape[-1])
                                    for name, values in acts.items()}
    return context.memory["second"]


def _shape(context, block, expected):
    weights = context.msd.weights(block)
    frames, rows, units = weights["kernel"].shape
    return holds((units, rows, frames) == expected), {
        "units": units, "rows": rows, "frames": frames, "biases": len(weights["bias"])}


@measures
def cnn_2(context):
    return _shape(context, "cnn_2", (64, 561, 7))


@measures
def cnn_3(context):
    return _shape(context, "cnn_3", (64, 64, 7))


@measures
def cnn_4(context):
    return _shape(context, "cnn_4", (64, 64, 7))


@measures
def cnn_4_live_mtt(context):
    count = len(live_units(context.mtt, "cnn_4"))
    return holds(count == 64), {"count": count, "units": 64, "threshold": THRESHOLD}


@measures
def cnn_4_live_msd(context):
    live = live_units(context.msd, "cnn_4")
    return holds(len(live) == 63), {
        "count": len(live), "units": 64, "dead": np.setdiff1d(np.arange(64), live)}


@measures
def none_ignored(context):
    kernel = context.msd.weights("cnn_4")["kernel"].astype(np.float64)
    least = float(np.sqrt((kernel**2).sum(axis=(0, 2))).min())
    return holds(least > THRESHOLD), {"least": least}


def share_on(series):
    """Share of frames in which each series after ReLU is above zero, (frames, units)."""
    return (series > 0).mean(axis=0)


def _on(context, units):
    """Share of frames above zero before normalisation: of these units, and of the median live."""
    on = share_on(tensors(context)["cnn_4/relu"])
    return {"on": on[units], "median": float(np.median(on[live_units(context.msd, "cnn_4")]))}


def _doubt(context, name, limit, columns=slice(None)):
    return doubtful(tensors(context)[name][:, columns], limit)


@measures
def busy_units(context):
    found, doubt = _on(context, [44, 48]), _doubt(context, "cnn_4/relu", 0)
    answer = every(*(above(on, found["median"], doubt) for on in found["on"]))
    return on_music(context, "busy_units", answer, found)


@measures
def sparse_units(context):
    found, doubt = _on(context, [1, 60]), _doubt(context, "cnn_4/relu", 0)
    answer = every(*(below(on, found["median"], doubt) for on in found["on"]))
    return on_music(context, "sparse_units", answer, found)


def _these(places, tie, expected):
    """Whether the places that lead are these, or level with others."""
    return Answer.TIE if tie else Answer.of(set(places.tolist()) == expected)


@measures
def units_that_stay_high(context):
    means = tensors(context)["cnn_4/relu"].mean(axis=0)
    largest, tie = leaders(means, 2)
    return on_music(context, "units_that_stay_high", _these(largest, tie, {5, 33}), {
        "units": largest, "means": means[largest]})


@measures
def parameters_near_zero(context):
    live, weights = live_units(context.msd, "cnn_4"), context.msd.weights("cnn_4")
    near = {key: float((np.abs(weights[key][live]) < 0.01).mean())
            for key in ("gamma", "beta", "mean", "variance")}
    return holds(min(near.values()) > 0.9, max(near.values()) > 0.9), {"near": near}


def _close(found, article):
    """The verdict on a value of the article's own clip."""
    found, near = float(found), max(NEAR, SHARE * abs(article))
    return told(below(abs(found - article), near, ROUNDING * abs(found)), {"found": found})


@measures
def largest_before(context):
    return _close(tensors(context)["cnn_4/relu"].max(), 10)


@measures
def smallest_after(context):
    return _close(tensors(context)["cnn_4/norm"].min(), -17)


@measures
def largest_after(context):
    return _close(tensors(context)["cnn_4/norm"].max(), 111)


@measures
def last_matrix_more_active(context):
    shares = [float((tensors(context)[name] > 1).mean()) for name in NORMS]
    doubts = [doubtful(tensors(context)[name].reshape(-1, 1), 1) for name in NORMS]
    answer = above(shares[2], 2 * max(shares[:2]), doubts[2] + 2 * max(doubts[:2]))
    return on_music(context, "last_matrix_more_active", answer, {"shares": shares})


@measures
def sparse_rows(context):
    rows = [4, 5, 52, 53]
    most = max(float((tensors(context)[name][:, rows] > 1).mean(axis=0).max())
               for name in NORMS[1:])
    doubt = max(_doubt(context, name, 1, rows) for name in NORMS[1:])
    return on_music(context, "sparse_rows", below(most, 0.15, doubt), {"most": most})


@measures
def row_34(context):
    found = [tensors(context)[name].astype(np.float64) for name in NORMS]
    greatest = (found[0] ** 2).sum(axis=0).max()
    energy = [10 * np.log10(max((values[:, 34] ** 2).sum() / greatest, 1e-12)) for values in found]
    first, second = sorted(energy)[::-1][:2]
    answer = above(first - second, 20, 0.1)
    return on_music(context, "row_34", answer, {"decibels": energy})


@measures
def sum_not_sparse(context):
    size = np.abs(tensors(context)["cnn_4/sum"]).reshape(-1, 1)
    share = float((size < 0.1).mean())
    return on_music(context, "sum_not_sparse", below(share, 0.5, doubtful(size, 0.1)),
                    {"share": share})


@measures
def largest_of_sum(context):
    return _close(tensors(context)["cnn_4/sum"].max(), 125)


@measures
def smallest_of_sum(context):
    return _close(tensors(context)["cnn_4/sum"].min(), -17)


def brightness(matrix):
    """Mean of each row, sorted and scaled to run from 0 to 1; 0 for constant rows.

    Args:
        matrix: series, shape (frames, rows); part 12 of the articles does so with the sum.
    """
    matrix = matrix.astype(np.float64)
    span = np.ptp(matrix, axis=0)
    return (matrix.mean(axis=0) - matrix.min(axis=0)) / np.where(span > 0, span, 1)


@measures
def bright_rows(context):
    best, tie = leaders(brightness(tensors(context)["cnn_4/sum"]), 3)
    return on_music(context, "bright_rows", _these(best, tie, {5, 33, 59}), {"rows": best})


@measures
def dim_rows(context):
    bright = brightness(tensors(context)["cnn_4/sum"])
    best = ranks(bright)[[3, 29, 53]]
    worst = len(bright) + 1 - ranks(-bright)[[3, 29, 53]]
    answer = every(*(Answer.YES if first > 48 else Answer.TIE if last > 48 else Answer.NO
                     for first, last in zip(best, worst, strict=True)))
    return on_music(context, "dim_rows", answer, {"ranks": best})


@measures
def size_of_second_stage(context):
    frames, rows = context.msd.activations(context.patches[:1],
                                           ["stage_2/out"])["stage_2/out"].shape[1:]
    return holds((rows, frames) == (753, 187)), {"rows": rows, "frames": frames}


@measures
def why_values_grow(context):
    live, weights = live_units(context.msd, "cnn_4"), context.msd.weights("cnn_4")
    gain = np.abs(weights["gain"][live])
    return PROPOSED, {
        "largest": float(gain.max()), "median": float(np.median(gain)),
        "small": float((weights["variance"][live] < 1).mean()),
        "gamma": float(np.median(np.abs(weights["gamma"][live])))}
