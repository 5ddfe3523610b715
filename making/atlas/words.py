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


def activity(model: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The mean of each live unit over each shipped patch.

    Yields:
        layer; numbers of its live units, (units,); their activity, (n, units).
    """
    weights = Weights(model)
    engine = Compact(weights, threads=1)
    layers = live_layers(engine.folded, weights.block("pool")["mean"])
    patches, parts = listened().patches, {}
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
    one, two = (each - each.mean(axis=0) for each in (one, two))
    sizes = np.outer(np.linalg.norm(one, axis=0), np.linalg.norm(two, axis=0))
    return one.T @ two / np.where(sizes > 0, sizes, np.inf)


@dataclass(frozen=True, eq=False)
class Tested:
    """The words of some units, tested; each array has one entry for each unit.

    Attributes:
        measure, sign: which measure, and 1 or -1.
        score, low, high: rank correlation in the half that scores, and the ends of its interval.
        null: what the words of other units stay below in 19 of 20 cases.
        chance: share of the others' words that do as well, this unit's own counted in.
    """

    measure: np.ndarray
    sign: np.ndarray
    score: np.ndarray
    low: np.ndarray
    high: np.ndarray
    null: np.ndarray
    chance: np.ndarray


def chosen(active: np.ndarray, measures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure and sign for each unit, from one half."""
    found = by_rank(active, measures)
    best = np.abs(found).argmax(axis=1)
    return best, np.where(found[np.arange(len(best)), best] < 0, -1, 1)


def tested(active: np.ndarray, measures: np.ndarray, authors: np.ndarray, best: np.ndarray,
           sign: np.ndarray) -> Tested:
    """Score words in one half.

    Args:
        active: (n, units).
        measures: (n, measures).
        authors: (n,).
        best, sign: the words of each unit, (units,).
    """
    units = np.arange(len(best))

    def own(some: np.ndarray, measured: np.ndarray) -> np.ndarray:
        return by_rank(some, measured)[units, best] * sign

    held = intervals.bootstrap(own, active, measures, clusters=authors, repeats=REPEATS)
    others = by_rank(active, measures)[:, best] * sign  # [u, v]: words of v, scored on u
    differ = (best[:, None] != best) | (sign[:, None] != sign)
    null, chance = np.full(len(best), np.nan), np.ones(len(best))
    for unit in units[differ.any(axis=1)]:
        scores = others[unit, differ[unit]]
        null[unit] = np.quantile(scores, 0.95)
        chance[unit] = (1 + (scores >= held.estimate[unit]).sum()) / (1 + len(scores))
    return Tested(best, sign, held.estimate, held.low, held.high, null, chance)


def kept(chance: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Which units of a layer have their words, by the last point of the rule."""
    return (false_discovery_control(chance) <= RATE) & (low > 0)


def words_of(measure: int, sign: int) -> str:
    return heard.MEASURES[measure].more if sign > 0 else heard.MEASURES[measure].less


def descriptions(model: str) -> dict[tuple[str, int], dict[str, Any]]:
    """What the table has of every live unit's words, by layer and number."""
    sound, layers = listened(), list(activity(model))
    active = np.concatenate([values for *_, values in layers], axis=1)
    best, sign = chosen(active[~sound.held], sound.measures[~sound.held])
    found = tested(active[sound.held], sound.measures[sound.held], sound.authors[sound.held],
                   best, sign)
    told, first = {}, 0
    for layer, numbers, _ in layers:
        here = slice(first, first + len(numbers))
        pass_ = kept(found.chance[here], found.low[here])
        for unit, number in enumerate(numbers, first):
            test = {name: float(getattr(found, name)[unit])
                    for name in ("score", "low", "high", "null", "chance")}
            tried = words_of(best[unit], sign[unit])
            told[layer, int(number)] = {"description_test": {
                "tried": tried, **test, "patches": int(sound.held.sum()),
                "recordings": len(set(sound.ids[sound.held])),
                "authors": len(set(sound.authors[sound.held]))}} | (
                    {"description": tried} if pass_[unit - first] else {})
        first += len(numbers)
    return told
