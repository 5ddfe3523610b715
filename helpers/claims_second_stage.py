"""The articles' claims of parts 10 to 12: second stage.

Values are those of the articles, facts carried over; the sentences are ours. A claim that the
articles make of their own clip is confirmed if it holds on the reader's, too; where it does not,
only the articles' clip could refute it. Chapters 10 to 12 show each at length.
"""

import numpy as np

from helpers.claim import ANSWERED, YOURS, claim, verdict
from helpers.units import THRESHOLD, live_units

LAYERS_12 = ["cnn_2/norm", "cnn_3/norm", "cnn_4/relu", "cnn_4/norm", "cnn_4/sum", "stage_2/out"]
NEAR = 0.5  # how far our value may be from the article's rounded one, at least
NORMS = ("cnn_2/norm", "cnn_3/norm", "cnn_4/norm")


def _tensors(context):
    """Tensors of the second stage of MSD, patches joined over time: name -> (frames, rows)."""
    if "second" not in context.memory:
        acts = context.msd.activations(context.patches, LAYERS_12)
        context.memory["second"] = {name: values.reshape(-1, values.shape[-1])
                                    for name, values in acts.items()}
    return context.memory["second"]


def _own(context, holds):
    """Verdict on what the articles say of their own clip."""
    return verdict(True) if holds else verdict(False) if context.has("GTZAN") else YOURS


def _shape(context, block, expected):
    frames, rows, units = context.msd.weights(block)["kernel"].shape
    return (f"{units} kernels of {rows} × {frames}, {len(context.msd.weights(block)['bias'])} "
            "biases", verdict((units, rows, frames) == expected))


# Parts 10 and 11


@claim(10, "CNN_2 has 64 units that read all 561 rows of U", "561 rows in, 64 out")
def _cnn_2(context):
    return _shape(context, "cnn_2", (64, 561, 7))


@claim(11, "The units of CNN_3 and the size of their kernels", "64 units, 64 × 7, with a bias")
def _cnn_3(context):
    return _shape(context, "cnn_3", (64, 64, 7))


# Part 12


@claim(12, "The units of CNN_4 and the size of their kernels", "64 units, 64 × 7, with a bias")
def _cnn_4(context):
    return _shape(context, "cnn_4", (64, 64, 7))


@claim(12, "MTT: kernels of CNN_4 that matter", "all 64")
def _mtt_live(context):
    count = len(live_units(context.mtt, "cnn_4"))
    return f"{count} of 64 have a norm above 0.01", verdict(count == 64)


@claim(12, "MSD: kernels of CNN_4 that matter", "all but one of 64")
def _msd_live(context):
    live = live_units(context.msd, "cnn_4")
    dead = sorted(set(range(64)) - set(live.tolist()))
    return (f"{len(live)} of 64; dead: {', '.join(map(str, dead))}", verdict(len(live) == 63))


@claim(12, "MSD: CNN_4 ignores no output of CNN_2 and CNN_3", "none ignored")
def _none_ignored(context):
    kernel = context.msd.weights("cnn_4")["kernel"].astype(np.float64)
    least = np.sqrt((kernel**2).sum(axis=(0, 2))).min()
    return (f"smallest norm of the weights on a row of their sum: {least:.2f}",
            verdict(least > THRESHOLD))


def _on(context, units):
    """Share of frames above zero before normalisation: of these units, and of the median live."""
    on = (_tensors(context)["cnn_4/relu"] > 0).mean(axis=0)
    return on[units], float(np.median(on[live_units(context.msd, "cnn_4")]))


@claim(12, "MSD: CNN_4 units 44 and 48 are very active", "active", "clip")
def _busy(context):
    on, median = _on(context, [44, 48])
    return (f"above zero in {on[0]:.0%} and {on[1]:.0%} of the frames; median unit {median:.0%}",
            _own(context, (on > median).all()))


@claim(12, "MSD: CNN_4 units 1 and 60 are sparse", "sparse", "clip")
def _sparse(context):
    on, median = _on(context, [1, 60])
    return (f"above zero in {on[0]:.0%} and {on[1]:.0%} of the frames; median unit {median:.0%}",
            _own(context, (on < median).all()))


@claim(12, "MSD: CNN_4 units 5 and 33 stay high", "high means", "clip")
def _high(context):
    means = _tensors(context)["cnn_4/relu"].mean(axis=0)
    largest = np.argsort(means)[::-1][:2].tolist()
    return (f"the largest means are those of units {largest[0]} ({means[largest[0]]:.1f}) and "
            f"{largest[1]} ({means[largest[1]]:.1f})", _own(context, set(largest) == {5, 33}))


@claim(12, "MSD: the parameters of the normalisation after CNN_4 are all pretty much zero",
       "all four")
def _parameters(context):
    live, weights = live_units(context.msd, "cnn_4"), context.msd.weights("cnn_4")
    near = {key: float((np.abs(weights[key][live]) < 0.01).mean())
            for key in ("gamma", "beta", "mean", "variance")}
    return ("closer to zero than 0.01: " + ", ".join(f"{key} in {share:.0%} of the live units"
                                                     for key, share in near.items()),
            verdict(min(near.values()) > 0.9))


def _value(part, text, article, layer, pick):
    """Add a claim about the largest or smallest value of a tensor on the articles' own clip."""

    @claim(part, text, f"{article:g}", "GTZAN")
    def measure(context):
        found = float(pick(_tensors(context)[layer]))
        close = abs(found - article) <= max(NEAR, 0.03 * abs(article))
        return f"{found:.1f}", verdict(close)


_value(12, "Disco Duck: largest value before the normalisation after CNN_4", 10, "cnn_4/relu",
       np.max)
_value(12, "Disco Duck: smallest value after it", -17, "cnn_4/norm", np.min)
_value(12, "Disco Duck: largest value after it, about", 111, "cnn_4/norm", np.max)


@claim(12, "MSD: of the three normalised matrices the last is far more active", "the last", "clip")
def _more_active(context):
    shares = [float((_tensors(context)[name] > 1).mean()) for name in NORMS]
    return ("values above 1: " + ", ".join(f"{share:.0%}" for share in shares),
            _own(context, shares[2] > 2 * max(shares[:2])))


@claim(12, "MSD: units 4, 5, 52 and 53 give sparse series in the second and third matrix",
       "sparse", "clip")
def _sparse_rows(context):
    most = max(float((_tensors(context)[name][:, [4, 5, 52, 53]] > 1).mean(axis=0).max())
               for name in NORMS[1:])
    return f"above 1 in at most {most:.0%} of the frames", _own(context, most < 0.15)


@claim(12, "MSD: row 34 is active in one of the three matrices and quiet in the others", "one",
       "clip")
def _row_34(context):
    found = [_tensors(context)[name].astype(np.float64) for name in NORMS]
    greatest = (found[0] ** 2).sum(axis=0).max()
    energy = [10 * np.log10(max((values[:, 34] ** 2).sum() / greatest, 1e-12)) for values in found]
    first, second = sorted(energy)[::-1][:2]
    return (", ".join(f"{value:.0f} dB" for value in energy) + " after CNN_2, CNN_3 and CNN_4",
            _own(context, first - second > 20))


@claim(12, "MSD: the sum of the three is not sparse", "not sparse", "clip")
def _not_sparse(context):
    share = float((np.abs(_tensors(context)["cnn_4/sum"]) < 0.1).mean())
    return f"{share:.0%} of its values are closer to zero than 0.1", _own(context, share < 0.5)


_value(12, "Disco Duck: largest value of the sum, almost", 125, "cnn_4/sum", np.max)
_value(12, "Disco Duck: smallest value of the sum", -17, "cnn_4/sum", np.min)


def brightness(context):
    """Mean of each row of the sum, sorted and scaled to run from 0 to 1; 0 for constant rows."""
    matrix = _tensors(context)["cnn_4/sum"].astype(np.float64)
    span = np.ptp(matrix, axis=0)
    return (matrix.mean(axis=0) - matrix.min(axis=0)) / np.where(span > 0, span, 1)


@claim(12, "MSD: sorted and scaled, only rows 5, 33 and 59 of the sum show much activity",
       "5, 33, 59", "clip")
def _bright(context):
    best = np.argsort(brightness(context))[::-1][:3].tolist()
    return f"the three brightest: {', '.join(map(str, best))}", _own(context,
                                                                     set(best) == {5, 33, 59})


@claim(12, "MSD: sorted and scaled, rows 3, 29 and 53 of the sum show very little", "3, 29, 53",
       "clip")
def _dim(context):
    ranks = (np.argsort(np.argsort(-brightness(context))) + 1)[[3, 29, 53]]
    return (f"their ranks are {', '.join(map(str, ranks))} of 64",
            _own(context, (ranks > 48).all()))


@claim(12, "The size of what leaves the second stage", "753 × 187")
def _second_stage(context):
    frames, rows = context.msd.activations(context.patches[:1],
                                           ["stage_2/out"])["stage_2/out"].shape[1:]
    return f"{rows} × {frames}", verdict((rows, frames) == (753, 187))


@claim(12, "MSD: why values grow from 10 to above 100 in a normalisation", "an open question",
       section="the-answer-why-normalisation-makes-values-larger")
def _why(context):
    live, weights = live_units(context.msd, "cnn_4"), context.msd.weights("cnn_4")
    gain = np.abs(weights["gain"][live])
    return (f"answered: gains of up to {gain.max():.0f} (median {np.median(gain):.1f}), because "
            f"the deviation is below 1 in {(weights['variance'][live] < 1).mean():.0%} of the live "
            f"units and gamma is {np.median(np.abs(weights['gamma'][live])):.1f} in the median",
            ANSWERED)
