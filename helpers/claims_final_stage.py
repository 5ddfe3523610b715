"""The articles' open questions about what the series mean, with our answers.

The articles end before the final stage; chapters 13 to 15 show the answers at length.
"""

import numpy as np
from scipy.stats import spearmanr

from helpers.claim import ANSWERED, claim
from helpers.claims_second_stage import brightness
from helpers.decomposition import decompose
from helpers.layers import ROWS, SERIES, UNITS
from helpers.units import live_rows, live_units

LAST_SUM = SERIES - UNITS  # first of the 64 series of the last sum


def dead_series(net):
    """How many of the 753 series are constants: every unit that is added up in them is dead."""
    units = [np.isin(np.arange(UNITS), live_units(net, f"cnn_{number}")) for number in (2, 3, 4)]
    live = [units[0], units[0] | units[1], units[0] | units[1] | units[2]]
    return ROWS - len(live_rows(net)) + sum(int((~part).sum()) for part in live)


@claim(12, "MSD: what each of the 753 time series means", "an open question", "clip", chapter=15,
       section="all-structures-and-what-they-do")
def _series(context):
    size = np.zeros(SERIES)
    for patch in context.patches:
        size += np.abs(decompose(context.msd, patch, down_to="series").series).sum(axis=(0, 2))
    share = size[LAST_SUM:].sum() / size.sum()
    dead = dead_series(context.msd)
    return (f"{dead} are constants and mean nothing; each of the others moves each tag by an "
            f"amount that is known exactly for a given patch; {share:.0%} of all such "
            "contributions come from the 64 series of the last sum", ANSWERED)


@claim(12, "MSD: what it means that rows 5, 33 and 59 of the sum show much activity and rows 3, "
       "29 and 53 little", "an open question", "clip", chapter=15,
       section="rows-5-33-59-and-3-29-53")
def _activity(context):
    flat = context.msd.activations(context.patches, ["pool/flat", "tags/logits"])
    usual = context.msd.weights("pool")["mean"]
    effect = np.empty(UNITS)
    for row in range(UNITS):
        columns = slice(2 * (LAST_SUM + row), 2 * (LAST_SUM + row) + 2)
        held = flat["pool/flat"].copy()
        held[:, columns] = usual[columns]
        after = context.msd.activations(context.patches, ["tags/logits"],
                                        replace={"pool/flat": held})["tags/logits"]
        effect[row] = np.abs(after - flat["tags/logits"]).mean()
    agreement = spearmanr(brightness(context), effect).statistic
    ranks = np.argsort(np.argsort(-effect)) + 1
    return ("their activity is how evenly they use their range, and the normalisation of the "
            f"pooled values cancels it: rank correlation with the effect on the tags "
            f"{agreement:+.2f}; by effect the rows rank "
            + ", ".join(str(ranks[row]) for row in (5, 33, 59)) + " and "
            + ", ".join(str(ranks[row]) for row in (3, 29, 53)) + " of 64", ANSWERED)
