"""Words for a unit, where a rule gives them. The rule, set before its outcome was looked at:

1. A unit's activity is the mean of its value over each patch of the shipped recordings (a patch
   has one value of a dense unit).
2. The authors of the recordings are dealt by lot into two halves of about as many recordings.
3. In one half each measure of the sound (`making.atlas.heard`) is ranked against the activity, over
   all patches. The measure with the largest rank correlation in size gives the words; its sign
   says whether those for more or for less.
4. Their score is the same rank correlation in the other half, whose authors had no say, with an
   interval by author.
5. The null is a unit shuffled: in the other half the words of every other unit of the network that
   say something else are scored on this one. A recording's style moves most measures and most
   units at once, so that wrong words, too, have scores far from zero.
6. A unit has its words if so few of the others' do as well that, over the units of its layer, at
   most one in twenty of those with words has them by chance (Benjamini and Hochberg), and if the
   whole interval of the score lies above zero. Else it has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control, rankdata

from helpers.evidence import intervals
from inside_musicnn import load_clip
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.live_layers import live_layers
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound.shipped import RECORDING, clip_facts, clip_names
from making.atlas import heard, tuning

RATE, SEED, REPEATS = 0.05, 0, 1000
FIELDS = ("description", "description_test")  # of a record


@dataclass(frozen=True, eq=False)
class Listened:
    """The shipped recordings, patch after patch.

    Attributes:
        patches: dB mel, (n, 187, 96).
        ids, authors: the recording of each patch, and its author, (n,).
        measures: of each patch, (n, measures).
        held: whether a patch is of the half that scores, (n,).
    """

    patches: np.ndarray
    ids: np.ndarray
    authors: np.ndarray
    measures: np.ndarray
    held: np.ndarray


@cache
def listened() -> Listened:
    """The shipped recordings, divided."""
    names = list(clip_names(RECORDING))
    cut = [load_clip(name).patches() for name in names]
    ids = np.repeat(names, [len(each) for each in cut])
    source = {name: clip_facts(name)["source"] for name in names}
    authors = np.array([source[name] for name in ids])
    patches = np.concatenate(cut)
    return Listened(patches, ids, authors, heard.measured(patches),
                    np.isin(authors, list(half(list(source.values())))))


def half(sources: list[str]) -> set[str]:
    """Authors drawn by lot until they have half of the recordings or more."""
    drawn: set[str] = set()
    for author in np.random.default_rng(SEED).permutation(sorted(set(sources))):
        if 2 * sum(each in drawn for each in sources) >= len(sources):
            break
        drawn.add(str(author))
    return drawn


def activity(model: str, patches: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The mean of each live unit over each of some patches.

    Yields:
        layer; numbers of its live units, (units,); their activity, (n, units).
    """
    weights = Weights(model)
    engine = Compact(weights, threads=1)
    layers = live_layers(engine.folded, weights.block("pool")["mean"])
    parts: dict[str, list[np.ndarray]] = {}
    for first in range(0, len(patches), tuning.TOGETHER):
        some = patches[first : first + tuning.TOGETHER]
        for name, values in tuning.answers(engine, layers, some):
            parts.setdefault(name, []).append(values.mean(axis=2).T)
    live = {name: layer.live for name, layer in layers.items()} | {
        "dense/norm": engine.folded.dense.live}
    for name, numbers in live.items():
        yield name, numbers, np.concatenate(parts[name])


def by_rank(columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Rank correlation of each column with each other, (columns, others); 0 where one is
    constant."""
    one, two = (rankdata(each, axis=0) for each in (columns, others))
    one, two = one - one.mean(axis=0), two - two.mean(axis=0)
    sizes = np.outer(np.linalg.norm(one, axis=0), np.linalg.norm(two, axis=0))
    return one.T @ two / np.where(sizes > 0, sizes, np.inf)


def chosen(active: np.ndarray, measures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure and sign for each unit, from one half."""
    found = by_rank(active, measures)
    best = np.abs(found).argmax(axis=1)
    return best, np.where(found[np.arange(len(best)), best] < 0, -1, 1)


def against_others(active: np.ndarray, measures: np.ndarray, best: np.ndarray, sign: np.ndarray
                   ) -> dict[str, np.ndarray]:
    """Words scored in one half, and the words of all other units beside them.

    Args:
        active: (n, units).
        measures: (n, measures).
        best, sign: the words of each unit, (units,).

    Returns:
        for each unit its `score`, the `null` and its `chance`: see DESCRIPTIONS of the table.
    """
    scores = by_rank(active, measures)[:, best] * sign  # [u, v]: words of v, scored on u
    differ = (best[:, None] != best) | (sign[:, None] != sign)
    own = scores.diagonal()
    null, chance = np.full(len(best), np.nan), np.ones(len(best))
    for unit in np.flatnonzero(differ.any(axis=1)):
        others = scores[unit, differ[unit]]
        null[unit] = np.quantile(others, 0.95)
        chance[unit] = (1 + (others >= own[unit]).sum()) / (1 + len(others))
    return {"score": own, "null": null, "chance": chance}


def interval(active: np.ndarray, measures: np.ndarray, authors: np.ndarray, best: np.ndarray,
             sign: np.ndarray) -> dict[str, np.ndarray]:
    """The ends of the scores' intervals, by author."""
    def own(some: np.ndarray, measured: np.ndarray) -> np.ndarray:
        return by_rank(some, measured)[np.arange(len(best)), best] * sign

    found = intervals.bootstrap(own, active, measures, clusters=authors, repeats=REPEATS)
    return {"low": found.low, "high": found.high}


def kept(chance: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Which units of a layer have their words, by the last point of the rule."""
    return (false_discovery_control(chance) <= RATE) & (low > 0)


def words_of(measure: int, sign: int) -> str:
    return heard.MEASURES[measure].more if sign > 0 else heard.MEASURES[measure].less


def descriptions(model: str) -> dict[tuple[str, int], dict[str, Any]]:
    """What the table has of every live unit's words, by layer and number."""
    sound = listened()
    layers = list(activity(model, sound.patches))
    active = np.concatenate([values for *_, values in layers], axis=1)
    best, sign = chosen(active[~sound.held], sound.measures[~sound.held])
    heard_there, measures = active[sound.held], sound.measures[sound.held]
    found = against_others(heard_there, measures, best, sign) | interval(
        heard_there, measures, sound.authors[sound.held], best, sign)
    told, first = {}, 0
    for layer, numbers, _ in layers:
        here = slice(first, first + len(numbers))
        passed = kept(found["chance"][here], found["low"][here])
        for unit, number in enumerate(numbers, first):
            test = {name: float(found[name][unit])
                    for name in ("score", "low", "high", "null", "chance")}
            tried = words_of(best[unit], sign[unit])
            told[layer, int(number)] = {"description_test": {
                "tried": tried, **test, "patches": int(sound.held.sum()),
                "recordings": len(set(sound.ids[sound.held])),
                "authors": len(set(sound.authors[sound.held]))}} | (
                    {"description": tried} if passed[unit - first] else {})
        first += len(numbers)
    return told
