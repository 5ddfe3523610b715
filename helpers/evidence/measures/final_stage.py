"""Measures of the articles' open questions about what the series mean.

The articles end before the final stage; chapters 13 to 15 show the answers at length.
"""

import numpy as np
from scipy.stats import spearmanr

from helpers.evidence.ledger import ANSWERED, measures
from helpers.evidence.measures.second_stage import brightness, tensors
from inside_musicnn.network.decomposition import decompose
from inside_musicnn.network.layers import SERIES, UNITS
from inside_musicnn.network.units import live_series

LAST_SUM = SERIES - UNITS  # first of the 64 series of the last sum


@measures
def meaning_of_series(context):
    size = np.zeros(SERIES)
    for patch in context.patches:
        size += np.abs(decompose(context.msd, patch, down_to="series").series).sum(axis=(0, 2))
    return ANSWERED, {"dead": SERIES - len(live_series(context.msd)),
                      "share": float(size[LAST_SUM:].sum() / size.sum())}


def effect_of_rows(net, patches):
    """Mean change of a logit when each row of the last sum is held at its usual values, (64,)."""
    flat = net.activations(patches, ["pool/flat", "tags/logits"])
    usual = net.weights("pool")["mean"]
    effect = np.empty(UNITS)
    for row in range(UNITS):
        columns = slice(2 * (LAST_SUM + row), 2 * (LAST_SUM + row) + 2)
        held = flat["pool/flat"].copy()
        held[:, columns] = usual[columns]
        after = net.activations(patches, ["tags/logits"],
                                replace={"pool/flat": held})["tags/logits"]
        effect[row] = np.abs(after - flat["tags/logits"]).mean()
    return effect


@measures
def meaning_of_activity(context):
    effect = effect_of_rows(context.msd, context.patches)
    bright = brightness(tensors(context)["cnn_4/sum"])
    ranks = np.argsort(np.argsort(-effect)) + 1
    return ANSWERED, {"agreement": float(spearmanr(bright, effect).statistic),
                      "bright": ranks[[5, 33, 59]], "dim": ranks[[3, 29, 53]]}
