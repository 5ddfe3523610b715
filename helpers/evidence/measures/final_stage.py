"""Measures of the articles' open questions about what the series mean.

The articles end before the final stage; chapters 13 to 15 show the answers at length.
"""

import numpy as np
from scipy.stats import rankdata, spearmanr

from helpers.evidence.intervals import mean
from helpers.evidence.ledger import PROPOSED, measures
from helpers.evidence.measures.second_stage import brightness
from helpers.evidence.studies import StoredStudy, stored_study
from inside_musicnn.network.decomposition import decompose
from inside_musicnn.network.layers import SERIES, UNITS
from inside_musicnn.network.units import live_series

LAST_SUM = SERIES - UNITS  # first of the 64 series of the last sum
BRIGHT, DIM = [5, 33, 59], [3, 29, 53]  # rows of it that part 12 names


@measures
def meaning_of_series(context):
    size = np.zeros(SERIES)
    for patch in context.patches:
        size += np.abs(decompose(context.msd, patch, down_to="series").series).sum(axis=(0, 2))
    live = len(live_series(context.msd))
    return PROPOSED, {"dead": SERIES - live, "live": live,
                      "share": float(size[LAST_SUM:].sum() / size.sum())}


def rows_at_work(net, patches) -> tuple[np.ndarray, np.ndarray]:
    """What the 64 rows of the last sum look like and what they do.

    Returns:
        brightness: as part 12 of the articles shows it, (64,).
        effect: mean change of a logit, over all tags and patches, when the row's maximum and mean
            are held at the values that the network remembers as usual, (64,).
    """
    found = net.activations(patches, ["stage_2/out", "pool/flat", "tags/logits"])
    usual = net.weights("pool")["mean"]
    effect = np.empty(UNITS)
    for row in range(UNITS):
        columns = slice(2 * (LAST_SUM + row), 2 * (LAST_SUM + row) + 2)
        held = found["pool/flat"].copy()
        held[:, columns] = usual[columns]
        after = net.activations(patches, "tags/logits", replace={"pool/flat": held})["tags/logits"]
        effect[row] = np.abs(after - found["tags/logits"]).mean()
    return brightness(found["stage_2/out"][..., LAST_SUM:].reshape(-1, UNITS)), effect


def ranks_of(values: np.ndarray) -> np.ndarray:
    """The rank of each value: 1 for the largest."""
    return np.argsort(np.argsort(-values, kind="stable")) + 1


@measures
def meaning_of_activity(context):
    study = stored_study("forecasts", "MSD_musicnn")
    found = activity_against_effect(study)
    agreement, ranks = mean(found["agreement"], study.sources), found["ranks"].mean(axis=0)
    return PROPOSED, {"agreement": float(agreement.estimate), "low": float(agreement.low),
                      "high": float(agreement.high), "recordings": len(study.recordings),
                      "by_lot": shuffled_rows(study)[0],
                      "bright": ranks[BRIGHT], "dim": ranks[DIM]}


def activity_against_effect(study: StoredStudy) -> dict[str, np.ndarray]:
    """For each recording of the study "forecasts", about the rows of the last sum.

    Returns:
        agreement: rank correlation of brightness with effect, (recordings,); `variants`: the same
        with the four effects of the study, (recordings, 4); ranks: by effect, 1 for the largest,
        (recordings, 64).
    """
    bright, effects = study["brightness"].astype(float), study["effects"].astype(float)
    variants = np.array([[spearmanr(look, effect).statistic for effect in of_one]
                         for look, of_one in zip(bright, effects, strict=True)])
    ranks = np.array([ranks_of(of_one[0]) for of_one in effects])
    return {"agreement": variants[:, 0], "variants": variants, "ranks": ranks}


def shuffled_rows(study: StoredStudy, repeats: int = 500) -> np.ndarray:
    """What the mean of `variants` is if brightness is dealt to other rows, alike in all recordings:
    between which two values in 95 of 100 deals, (4, 2)."""
    bright, effects = (rankdata(study[name].astype(float), axis=-1)
                       for name in ("brightness", "effects"))
    bright, effects = ((values - values.mean(axis=-1, keepdims=True))
                       / values.std(axis=-1, keepdims=True) for values in (bright, effects))
    together = np.einsum("ni,nvj->vij", bright, effects) / len(bright) / bright.shape[1]
    random, rows = np.random.default_rng(0), np.arange(bright.shape[1])
    found = [together[:, random.permutation(rows), rows].sum(axis=1) for _ in range(repeats)]
    return np.quantile(found, [0.025, 0.975], axis=0).T
