"""What the study *units* measured, over the corpus: distributions, contributions, moments,
likeness."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpers.evidence import intervals
from helpers.evidence.corpus import EXCERPT, WHOLE, read_recordings, stored_corpus
from helpers.evidence.studies import stored_study
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FAMILIES
from inside_musicnn.sound.shipped import clip_facts
from inside_musicnn.sound.spectrogram import FRAME_SECONDS
from making.studies import edges_and_places, runner, units

REPEATS, DRAWS, SEED = 1000, 20, 0
UNITS_AT_ONCE = 64
BEST, LOWEST, RANDOM, NEAREST = 4, 2, 4, 5


@dataclass(frozen=True, eq=False)
class Activity:
    """All units of one network over the corpus; arrays begin with an axis of units.

    Attributes:
        units: numbers of the units of each layer, in the order of that axis.
        counts, counts_dealt: values in each class over all patches, (units, 33).
        mean, deviation: over all frames of all patches, (units,).
        contribution, held: mean over recordings, lower and upper end of the 95 % interval by
            source, (3, units, 50).
        likeness: from each layer to the correlation of its units over all patches.
        likeness_by_chance: from each layer to the size that the largest correlation of a unit with
            the others reaches in 19 of 20 cases when its recordings are dealt anew.
        moments: of each unit, as the record has them.
    """

    units: dict[str, np.ndarray]
    counts: np.ndarray
    counts_dealt: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    contribution: np.ndarray
    held: np.ndarray
    likeness: dict[str, np.ndarray]
    likeness_by_chance: dict[str, float]
    moments: list[dict[str, Any]] = field(repr=False)

    def places(self, layer: str) -> slice:
        """Where a layer's units stand."""
        first = 0
        for name, numbers in self.units.items():
            if name == layer:
                return slice(first, first + len(numbers))
            first += len(numbers)
        raise KeyError(layer)

    def deviations(self) -> dict[str, np.ndarray]:
        return {name: self.deviation[self.places(name)] for name in self.units}


def activity(model: str, place: Path = runner.PLACE) -> Activity:
    """The study's results of one network, brought together."""
    results = place / "studies" / "units" / runner.key_of(units)[:16]
    rows = runner.rows_of(units)
    whole = [row for row in rows if row.group == WHOLE]
    sources = read_recordings().set_index("id")["source"].loc[[row.id for row in whole]].to_numpy()
    names = units.inside(model)
    return together(names, (_load(results, model, row) for row in whole), sources, moments(
        [(row.id, _load(results, model, row)) for row in rows if row.group == EXCERPT], names,
        lambda name: clip_facts(name)["source"]))


def together(names: dict[str, np.ndarray], found: Iterable[dict[str, np.ndarray]],
             sources: Sequence[object] | np.ndarray, told: list[dict[str, Any]]) -> Activity:
    """What was measured of one recording after the other, brought together.

    Args:
        names: numbers of the units of each layer, as `units.inside` gives them.
        found: what the study measures of each recording, and its "count" of patches.
        sources: whose each recording is: what intervals draw from.
        told: of each unit its moments.
    """
    total = dict.fromkeys(("counts", "counts_dealt", "mean", "square"), 0.0)
    kept: dict[str, list[np.ndarray]] = {"contribution": [], "held": [], "mean": []}
    for each in found:
        of_patches = each["mean"][:, ~np.isnan(each["mean"][0])]
        for name in total:
            total[name] = total[name] + (of_patches.sum(axis=1) if name == "mean" else each[name]
                                         * (each["count"] if name == "square" else 1))
        for name, rows in kept.items():
            rows.append((of_patches if name == "mean" else each[name]).astype(np.float32))
    patches = np.array([rows.shape[1] for rows in kept["mean"]])
    mean, square = (total[name] / patches.sum() for name in ("mean", "square"))
    of_patches = np.concatenate(kept["mean"], axis=1).astype(np.float64)
    ids = np.repeat(np.arange(len(patches)), patches)
    likeness, by_chance, first = {}, {}, 0
    for name, numbers in names.items():
        values = of_patches[first : first + len(numbers)]
        with np.errstate(invalid="ignore"):
            likeness[name] = np.corrcoef(values)
        by_chance[name] = likest_by_chance(values, ids)
        first += len(numbers)
    return Activity(
        names, np.asarray(total["counts"], np.int64), np.asarray(total["counts_dealt"], np.int64),
        mean, np.sqrt(np.maximum(square - mean**2, 0)), with_ends(kept["contribution"], sources),
        with_ends(kept["held"], sources), likeness, by_chance, told)


def _load(results: Path, model: str, row: runner.Row) -> dict[str, np.ndarray]:
    file = results / f"{model}-{row.group}-{row.id}.npz"
    if not file.is_file():
        raise InputError(f"The study of the units has not measured '{row.id}' yet; run `python -m "
                         "making.studies units` first.")
    stored = np.load(file)
    return {name: stored[name].astype(np.float64) if stored[name].dtype.kind == "f"
            else stored[name] for name in stored.files}


def with_ends(rows: list[np.ndarray], sources: Sequence[object] | np.ndarray) -> np.ndarray:
    """Mean over recordings, and the ends of its interval by source, (3, units, 50); not a number
    where there are too few sources for an interval."""
    values, found = np.array(rows, np.float64), []
    for first in range(0, values.shape[1], UNITS_AT_ONCE):  # the same drawings for all
        part = values[:, first : first + UNITS_AT_ONCE].reshape(len(values), -1)
        if len(set(sources)) < intervals.FEWEST:
            ends = [part.mean(axis=0), *np.full((2, part.shape[1]), np.nan)]
        else:
            of_mean = intervals.mean(part, sources, repeats=REPEATS)
            ends = [of_mean.estimate, of_mean.low, of_mean.high]
        found.append(np.reshape(ends, (3, -1, values.shape[2])))
    return np.concatenate(found, axis=1)


def likest_by_chance(rows: np.ndarray, ids: np.ndarray, draws: int = DRAWS) -> float:
    """The null of the largest correlations: whole recordings are dealt to one another, so that
    patches of one stay together and what goes along belongs to other music.

    Args:
        rows: values of a layer's units over all patches, (units, patches).
        ids: numbers of the patches' recordings, rising.
    """
    random = np.random.default_rng(SEED)
    groups = [np.flatnonzero(ids == each) for each in np.unique(ids)]
    normal = rows - rows.mean(axis=1, keepdims=True)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    largest = []
    for _ in range(draws):
        order = np.concatenate([groups[each] for each in random.permutation(len(groups))])
        found = np.abs(normal @ normal[:, order].T)
        np.fill_diagonal(found, 0)
        largest.append(found.max(axis=1))
    return float(np.quantile(largest, 0.95))


def moments(found: list[tuple[str, dict[str, np.ndarray]]], names: dict[str, np.ndarray],
            source: Callable[[str], object]) -> list[dict[str, Any]]:
    """For each unit: the best moments of some recordings, one of each source; the lowest; and some
    drawn by lot."""
    layer_of = [name for name, numbers in names.items() for _ in numbers]
    random = np.random.default_rng(SEED)
    drawn = random.permuted(np.tile(np.arange(len(found)), (len(layer_of), 1)), axis=1)[:, :RANDOM]
    every = []
    for unit, layer in enumerate(layer_of):
        def moment(name: str, kind: str, row: dict[str, np.ndarray], unit: int = unit,
                   layer: str = layer) -> dict[str, Any]:
            at = int(row[f"{kind}_at"][unit])
            told: dict[str, Any] = {"recording": name, "seconds": at * FRAME_SECONDS,
                                    "value": float(row[kind][unit])}  # of dense units: a patch's
            if kind == "highest" and layer == "cnn_1/out":
                told["band"] = int(row["highest_place"][unit])
            return told

        by_value = sorted(found, key=lambda each: -each[1]["highest"][unit])
        low = sorted(found, key=lambda each: each[1]["lowest"][unit])
        every.append({
            "highest": [moment(name, "highest", row) for name, row in of_one(source, by_value)],
            "lowest": [moment(name, "lowest", row) for name, row in low[:LOWEST]],
            "random": [moment(*(found[each][0], "random", found[each][1]))
                       for each in drawn[unit]]})
    return every


def of_one(source: Callable[[str], object], found: list[tuple[str, Any]]
           ) -> list[tuple[str, Any]]:
    """The first ones, no two of one source."""
    kept: dict[object, tuple[str, Any]] = {}
    for name, row in found:
        kept.setdefault(source(name), (name, row))
    return list(kept.values())[:BEST]


def positions(model: str) -> list[np.ndarray]:
    """Share of frames in which each live unit of CNN_1 won at each position in frequency."""
    counts = stored_study("edges_and_places", model)["positions"].astype(np.int64).sum(axis=0)
    return positions_of(units.inside(model)["cnn_1/out"], counts)


def positions_of(live: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    """Shares from counts of all live units of CNN_1, one after the other."""
    found, first, row = [], 0, 0
    for family, (_, _, size, _) in FAMILIES.items():
        width = edges_and_places.family_positions(family)
        for _ in np.flatnonzero((live >= row) & (live < row + size)):
            part = counts[first : first + width]
            found.append(part / max(part.sum(), 1))
            first += width
        row += size
    assert first == len(counts)
    return found


def of_tags(model: str) -> tuple[np.ndarray, np.ndarray, list[list[dict[str, Any]]]]:
    """Mean and deviation of each tag's score over the corpus, and where among the excerpts it is
    highest, one of each author."""
    whole, excerpts = stored_corpus(model), stored_corpus(model, EXCERPT)
    best = []
    for tag in range(whole.scores.shape[1]):
        order = np.argsort(-excerpts.scores[:, tag], kind="stable")
        rows = [(excerpts.ids[row], row) for row in order]
        best.append([{"recording": name, "seconds": float(excerpts.patches["start"][row]),
                      "value": float(excerpts.scores[row, tag])}
                     for name, row in of_one(
                         lambda name: clip_facts(name)["source"], rows)])
    return whole.scores.mean(axis=0), whole.scores.std(axis=0), best
