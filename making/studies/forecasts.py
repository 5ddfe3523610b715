"""What explanations foretell, against what happens when rows of U are held.

Of each recording three of the sampled patches. Six ways to give the live rows of U credit for the
50 logits: the exact sum (slope times distance from the remembered mean), integrated gradients,
occlusion (each row held alone), and three that know nothing of tags: the energy of a row, how much
it moves, and the exact sum's values dealt to other rows by lot. What they say is judged by holding
rows at their remembered means, twelve sizes of sets, and letting the network go on.

For the rows of the last sum: how bright they look, how much each does to the tags, and what it
would do if the normalisation of the pooled values did not know the row's own spread or mean.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from helpers.evidence.corpus import EXCERPT
from helpers.evidence.measures.second_stage import brightness
from inside_musicnn.network.above_u import CHOICES, AboveU, Patch
from inside_musicnn.network.layers import SERIES, UNITS
from inside_musicnn.network.weights import Weights
from making.studies.subject import Subject

METHODS = ("exact sum", "integrated gradients", "occlusion", "energy", "activity", "random")
SIZES, SETS, FEW = 12, 10, 3  # of sets; sets of each; of these, those with some choices held
PATCHES, DRAWN, STEPS = 3, 5, 6  # of a recording; tags by lot beside the highest; of the way
OF_A_SOURCE, MOST, EVERY = 2, 110, 5  # recordings; in all; of the excerpts
UNIT = 1 / 40  # logits: the step in which `moves` is kept
LAST_SUM = SERIES - UNITS

MEANINGS = {
    "sizes": "how many rows are held, (12,)",
    "agreement": "correlation of foretold and measured changes of a logit over ten random sets "
                 "of a size, mean over 50 tags and the patches, (6 methods, 12 sizes)",
    "agreement_in_size": "the same for the sizes of both, whatever their signs",
    "by_tag": "agreement, mean over sizes and patches, (3 methods, 50 tags)",
    "missed": "mean square of measured minus foretold change, (3 methods, 12 sizes)",
    "foretold": "mean square of the foretold change, (3 methods, 12 sizes)",
    "changed": "mean square of the measured change, (12 sizes,)",
    "freed": "mean square of what is missed if no choice is made anew, or only the ReLUs of the "
             "second stage, the maxima over time, the ReLUs of the dense layer: (4, 12 sizes)",
    "switched": "share of the three kinds of choices that are other ones, (3, 12 sizes)",
    "single": "each row alone, foretold against measured over the live rows: correlation, slope of "
              "measured over foretold, mean over tags, (2 methods, 2)",
    "falls": "change of a tag's logit with the rows held that come first by a method (random: "
             "any), for the highest tag and for five by lot, (2, 6 methods, 12 sizes)",
    "gap": "how far integrated gradients' sum lies from the difference that it should have, mean "
           "size, and mean size of that difference, (2,)",
    "moves": "mean contribution of each live row to each logit by the exact sum, in fortieths, "
             "(50, live)",
    "strength": "mean size of these contributions, (live,)",
    "brightness": "of the rows of the last sum, as part 12 draws them, (64,)",
    "effects": "mean change of a logit when maximum and mean of a row of the last sum are held at "
               "what is remembered; the same if all rows had the same gain; if held at zero; "
               "both: (4, 64)",
    "distances": "of maximum and mean of these rows from the remembered ones, in remembered "
                 "deviations, mean size, (2, 64)",
}
DTYPES = {name: "float16" for name in MEANINGS} | {"moves": "int8", "sizes": "int16"}


def takes(rows: Sequence[Any]) -> list[Any]:
    """110 recordings, the first of each source and of some a second; and every fifth excerpt."""
    seen: Counter[str] = Counter()
    first: list[Any] = []
    second: list[Any] = []
    for row in rows:
        if row.group != EXCERPT:
            seen[row.work.source] += 1
            if seen[row.work.source] <= OF_A_SOURCE:
                (first if seen[row.work.source] == 1 else second).append(row)
    kept = {row.id for row in (first + second)[:MOST]}
    excerpts = [row for row in rows if row.group == EXCERPT][::EVERY]
    return [row for row in rows if row.group != EXCERPT and row.id in kept] + excerpts


def measure(subject: Subject) -> dict[str, np.ndarray]:
    """One recording: see MEANINGS."""
    above, weights = _above(subject.model), subject.weights
    chosen = np.linspace(0, len(subject.patches) - 1, min(PATCHES, len(subject.patches)))
    varying = above.first_stage(subject.patches[chosen.round().astype(int)])
    found = [_one(Patch(above, varying[:, number]), weights, subject.random)
             for number in range(varying.shape[1])]
    return {name: np.mean([each[name] for each in found], axis=0) for name in found[0]} | {
        "moves": np.clip(np.rint(np.mean([each["moves"] for each in found], axis=0) / UNIT),
                         -127, 127)}


@cache
def _above(model: str) -> AboveU:
    return AboveU(Weights(model))


def sizes_of(live: int) -> np.ndarray:
    """Twelve sizes of sets, spaced evenly on a logarithmic axis as far as whole numbers go."""
    found: list[int] = []
    for size in np.geomspace(1, 0.97 * live, SIZES):
        found.append(max(round(size), found[-1] + 1 if found else 1))
    return np.array(found)


def credits_of(patch: Patch, random: np.random.Generator) -> dict[str, np.ndarray]:
    """What each method gives each live row, for each tag, (50, live)."""
    exact = patch.gradient_x_input()
    rows = patch.u - patch.above.steady[:, None]
    energy = (rows**2).mean(axis=1)
    activity = rows.std(axis=1)
    dealt = exact[:, random.permutation(exact.shape[1])]
    every = (exact, patch.integrated_gradients(STEPS), patch.occlusion(),
             np.tile(energy, (len(exact), 1)), np.tile(activity, (len(exact), 1)), dealt)
    return dict(zip(METHODS, every, strict=True))


def correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of the columns of two matrices; 0 where one does not vary."""
    one, other = (values - values.mean(axis=0) for values in (one, other))
    size = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return (one * other).sum(axis=0) / np.where(size > 1e-12, size, np.inf)


def random_sets(live: int, size: int, random: np.random.Generator) -> np.ndarray:
    """Truth values, (SETS, live)."""
    order = np.argsort(random.random((SETS, live)), axis=1)
    return order.argsort(axis=1) < size


def _one(patch: Patch, weights: Weights, random: np.random.Generator) -> dict[str, np.ndarray]:
    live = len(patch.varying)
    credit, sizes = credits_of(patch, random), sizes_of(live)
    tags = np.r_[patch.logits.argmax(), random.permutation(len(patch.logits))[:DRAWN]]
    found: dict[str, list[Any]] = {name: [] for name in (
        "agreement", "agreement_in_size", "missed", "foretold", "changed", "freed", "switched",
        "of_tags", "by_chance")}
    for size in sizes:
        sets = random_sets(live, size, random)
        real = patch.changes(sets)
        foretold = np.stack([-(sets @ values.T) for values in credit.values()])
        found["of_tags"].append([correlations(each, real) for each in foretold])
        found["agreement_in_size"].append([
            correlations(np.abs(each), np.abs(real)).mean() for each in foretold])
        found["missed"].append(((real - foretold[:3]) ** 2).mean(axis=(1, 2)))
        found["foretold"].append((foretold[:3] ** 2).mean(axis=(1, 2)))
        found["changed"].append((real**2).mean())
        found["freed"].append([((real[:FEW] - patch.changes(sets[:FEW], free)) ** 2).mean()
                               for free in ((), *((kind,) for kind in CHOICES))])
        found["switched"].append(_switched(patch, sets[:FEW]))
        found["by_chance"].append(real.mean(axis=0)[tags])
    of_tags = np.array(found.pop("of_tags"))  # (sizes, methods, tags)
    by_chance = np.array(found.pop("by_chance"))
    values = {name: np.moveaxis(np.array(each), 0, -1) for name, each in found.items() if each}
    values["agreement"] = of_tags.mean(axis=2).T
    falls = np.stack([*(_falls(patch, credit[name], tags, sizes) for name in METHODS[:-1]),
                      by_chance.T], axis=1)  # (tags, methods, sizes)
    return values | {
        "sizes": sizes, "by_tag": of_tags[:, :3].mean(axis=0),
        "single": np.array([_single(credit[name], credit["occlusion"]) for name in METHODS[:2]]),
        "falls": np.stack([falls[0], falls[1:].mean(axis=0)]),
        "gap": _gap(patch, credit["integrated gradients"]),
        "moves": credit["exact sum"], "strength": np.abs(credit["exact sum"]).mean(axis=0),
    } | _last_sum(patch, weights)


def _falls(patch: Patch, credit: np.ndarray, tags: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Change of each tag's logit with the rows held that have most credit, (tags, sizes)."""
    place = np.argsort(np.argsort(-credit[tags], axis=1, kind="stable"), axis=1)
    sets = place[:, None] < sizes[:, None]  # (tags, sizes, live)
    changes = patch.changes(sets.reshape(-1, sets.shape[2]))
    changes = changes.reshape(*sets.shape[:2], -1)
    return np.take_along_axis(changes, tags[:, None, None], axis=2)[..., 0]


def _switched(patch: Patch, sets: np.ndarray) -> list[float]:
    made, before = patch.held(sets)[1], patch.choices
    relu = np.concatenate([(a != b).reshape(-1) for a, b in zip(made.on, before.on, strict=True)])
    frame = np.concatenate([(a != b).reshape(-1)
                            for a, b in zip(made.frame, before.frame, strict=True)])
    return [relu.mean(), frame.mean(), (made.dense != before.dense).mean()]


def _single(foretold: np.ndarray, measured: np.ndarray) -> list[float]:
    both = correlations(foretold.T, measured.T)
    slope = both * measured.std(axis=1) / np.maximum(foretold.std(axis=1), 1e-12)
    return [both.mean(), slope.mean()]


def _gap(patch: Patch, credit: np.ndarray) -> list[float]:
    due = -patch.changes(np.ones((1, len(patch.varying)), bool))[0]
    return [np.abs(credit.sum(axis=1) - due).mean(), np.abs(due).mean()]


def _last_sum(patch: Patch, weights: Weights) -> dict[str, np.ndarray]:
    """What the rows of the last sum look like, and what they do."""
    above, dense, pool = patch.above, weights.block("dense"), weights.block("pool")
    rows = np.repeat(above.folded.dense.steady[LAST_SUM:, None], patch.frames, axis=1)
    rows[above.folded.below["sum"]] += patch.parts[2][:, 0]
    now = np.stack([rows.max(axis=1), rows.mean(axis=1)])  # (2, 64)
    columns = 2 * np.arange(LAST_SUM, SERIES) + np.array([[0], [1]])
    usual, gain = pool["mean"][columns], pool["gain"][columns]
    alike = np.sign(gain) * np.median(np.abs(gain), axis=1, keepdims=True)
    kernel = dense["kernel"][columns]  # (2, 64, 200)
    bias = _dense_bias(patch)
    tags = dense["gain"][:, None] * weights.block("tags")["kernel"]
    effects = []
    for reference, factor in ((usual, gain), (usual, alike), (0 * usual, gain), (0 * usual, alike)):
        moved = ((reference - now) * factor)[..., None] * kernel
        after = np.maximum(bias + moved.sum(axis=0), 0) - np.maximum(bias, 0)
        effects.append(np.abs(after @ tags).mean(axis=1))
    deviation = np.sqrt(pool["variance"][columns] + 1e-3)
    return {"brightness": brightness(rows.T), "effects": np.array(effects),
            "distances": np.abs(now - usual) / deviation}


def _dense_bias(patch: Patch) -> np.ndarray:
    """The 200 values before the ReLU of the dense layer."""
    above = patch.above
    pooled = [[patch.largest[:, None], patch.mean[:, None]]]
    for number, rows in enumerate(patch.parts, 1):
        signs = above._signs(number)
        pooled.append([(rows * signs).max(axis=2) * signs[:, 0], rows.mean(axis=2)])
    largest, mean = (np.concatenate([part[kind] for part in pooled]) for kind in (0, 1))
    return above.dense_bias(largest, mean)[0]
