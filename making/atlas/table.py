"""The atlas as one table: a record for each unit of both networks, written as Parquet.

Page, JSON and table of a unit are one record; `DESCRIPTIONS` says what each field holds.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.evidence.corpus import stored_corpus
from helpers.evidence.nothing import Nothing, answers_to_nothing
from inside_musicnn import MusiCNN
from inside_musicnn.atlas import KEY, Units, plain, units
from inside_musicnn.network.live_weights import stored_weights
from inside_musicnn.network.unit_facts import OF_TAGS as TAG
from inside_musicnn.network.unit_facts import SIZES, SUM_OF, Facts
from inside_musicnn.network.weights import MODELS, Weights, checksums_of_weights
from inside_musicnn.sound.shipped import DATA
from inside_musicnn.versions import everything
from making.atlas import tuning, words
from making.atlas.activity import DRAWS, NEAREST, Activity, activity, of_tags, positions
from making.atlas.tag_nulls import beside_nothing
from making.recordings.packages import PLACE
from making.studies import units as study

FOLDER = DATA / "units"
MADE = """Made by `python -m making.studies units`, then `python -m making.atlas`. What each unit
would hear best stands in `best/`. In Python:

    from inside_musicnn import units
    units("MSD_musicnn")["cnn_1/out", 12]"""

DESCRIPTIONS = {
    "model": "MSD_musicnn or MTT_musicnn",
    "layer": "name of the tensor, as on the page *The layer map*",
    "number": "of the row, unit or tag, from 0",
    "name": "what the book calls it; of a tag, the tag",
    "symbol": "the articles' symbol of the layer, as TeX; may be empty",
    "chapter": "the chapter that explains the layer",
    "family": "of CNN_1: timbral_38, timbral_67, temporal_128, temporal_64 or temporal_32",
    "unit": "of CNN_1: its number in the family",
    "alive": "whether the kernel's norm is above the threshold (of a sum: that of any part)",
    "norm": "Frobenius norm of the kernel; of a sum, the largest of its parts'",
    "threshold": "the rule's: chapter 4 shows the gap around it",
    "times_threshold": "norm over threshold: the margin of the rule",
    "gain": "factor of the normalisation",
    "offset": "what the normalisation adds",
    "bias": "what the convolution or dense layer adds",
    "sense": "correlation where the gain is positive, else anti-correlation: the value falls as "
             "the music grows more like the kernel",
    "constant": "of dead units: what they give, whatever the music",
    "kernel": "of live units of CNN_1: weights, (frames, bands)",
    "reads": "the strongest live units below: layer, number; weights as they are applied to the "
             "lower unit's output (one for each frame; of dense units for maximum and mean, with "
             "the gain of their normalisation); strength: norm of the weights, each times the "
             "lower unit's deviation over the corpus (of dense units times that of maximum and "
             "mean, which the network remembers)",
    "feeds": "the strongest live units above, likewise",
    "edges": "between the 33 classes of `counts`",
    "counts": "how many frames of the corpus (of dense units and tags: patches) lie in each class",
    "counts_dealt": "the null: the same with the kernel's weights dealt to other places, once, by "
                    "lot",
    "mean": "over all frames of the sampled patches of the corpus",
    "deviation": "standard deviation, likewise",
    "mean_interval": "of tags: ends of the 95 % interval of the mean score, by source",
    "nothing": "of tags: what is answered to sounds that are no music: sound, score; the share of "
               "patches of the corpus that score lower (share_below), and its interval by source "
               "(low, high)",
    "positions": "of CNN_1: share of frames in which the kernel was found with its lower edge at "
                 "each mel band",
    "highest": "moments in the shipped recordings, the highest of each of four authors: recording, "
               "seconds from its beginning, value, and for CNN_1 the lower edge in mel bands",
    "lowest": "moments at which the value is smallest",
    "random": "moments drawn by lot, of four recordings",
    "tuning": "answers to probes: for each curve its unit, what is tried (`values`), which of "
              "maximum and mean over time is told (`over_time`), and mean, lowest and highest "
              "answer over phases and timbres",
    "description": "where the unit is most active, in words; only where the rule of "
                   "`making/atlas/words.py` gives them",
    "description_test": "of the words that the first half of the shipped recordings chose "
                        "(`tried`): rank correlation over the patches of the other half (`score`), "
                        "with the ends of its 95 % interval by author; what the words of other "
                        "units stay below in 19 of 20 cases (`null`), and the share of these that "
                        "do as well (`chance`); patches, recordings and authors of that half",
    "contribution": "to the logit of each tag, exact, against the remembered mean: mean over the "
                    f"recordings of the corpus, {study.CREDITED} patches of each, and the ends of "
                    "a 95 % interval by source",
    "held": "change of each logit when the unit alone is held at its remembered mean, likewise, "
            f"on {study.HELD} of these patches",
    "map": "x and y in the map of the layer: classical scaling of one minus the correlations of "
           "activity; and the share of its variance that the two directions hold",
    "like_kernel": "units of the same family or layer with the likest kernels: number, cosine",
    "cosine_by_chance": "the null: what the largest cosine of a unit stays below in 19 of 20 "
                        "cases if its weights are dealt to other places",
    "like_activity": "units of the layer with the likest activity over the patches of the corpus: "
                     "number, correlation",
    "unlike_activity": "those with the most opposed activity",
    "correlation_by_chance": "the null: what the largest correlation, of either sign, stays below "
                             "in 19 of 20 cases if whole recordings are dealt to one another",
}


def records(model: str, place: Path = PLACE, say: Callable[[str], None] = print
            ) -> list[dict[str, Any]]:
    """All records of one network, layer after layer."""
    say(f"{model}: the study")
    active = activity(model, place)
    facts = Facts(stored_weights(model), active.deviations())
    say(f"{model}: probes")
    curves = dict(tuning.responses(model))
    kernels = {layer: Kernels(facts, layer) for layer in SIZES if layer not in (*SUM_OF, TAG)}
    say(f"{model}: words")
    told = words.descriptions(model)

    def fixed(layer: str, number: int, place: int) -> dict[str, Any]:
        near = {} if layer in (*SUM_OF, TAG) else kernels[layer].near(number)
        return of_probes(curves, layer, place) | near | told.get((layer, number), {})

    found = assembled(facts, active, positions(model), of_tags(model), fixed, say)
    return with_nothing(found, nothing_of(model))


def nothing_of(model: str) -> list[dict[str, Any]]:
    """See `beside_nothing`: on the stored corpus."""
    corpus = stored_corpus(model)
    return beside_nothing(corpus.scores, corpus.ids, dict(zip(
        corpus.ids, corpus.sources, strict=True)), answers_of(model))


def answers_of(model: str) -> Nothing:
    return answers_to_nothing(MusiCNN(model, compact=True, threads=1))


def with_nothing(rows: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records with what is told of each tag beside its numbers."""
    return [in_order(row | plain(told[row["number"]])) if row["layer"] == TAG else row
            for row in rows]


def in_order(record: dict[str, Any]) -> dict[str, Any]:
    """The described fields of a record, in the order of the descriptions."""
    return {name: record[name] for name in DESCRIPTIONS if name in record}


def assembled(facts: Facts, active: Activity, won: list[np.ndarray],
              scores: tuple[np.ndarray, np.ndarray, list[list[dict[str, Any]]]],
              fixed: Callable[[str, int, int], dict[str, Any]], say: Callable[[str], None] = print
              ) -> list[dict[str, Any]]:
    """All records of one network from their parts.

    Args:
        facts: what the weights say.
        active: what its units do on some music.
        won: see `positions`.
        scores: see `of_tags`.
        fixed: from layer, number and place among the live units to the fields that do not hang
            on music.
    """
    model = facts.kept.model
    maps = {layer: classical_scaling(likeness) for layer, likeness in active.likeness.items()}
    found = []
    for layer, size in SIZES.items():
        say(f"{model}: {layer}")
        live = {int(number): place for place, number in enumerate(facts.live(layer))}
        for number in range(size):
            record = facts.of(layer, number).record()
            if number in live:
                record |= fixed(layer, number, live[number])
            if number in live and layer != TAG:
                record |= measured(active, layer, live[number])
                record |= {"map": maps[layer][live[number]]}
            if layer == "cnn_1/out" and number in live:
                record["positions"] = won[live[number]]
            if layer == TAG:
                record |= {"mean": scores[0][number], "deviation": scores[1][number],
                           "highest": scores[2][number]}
            found.append({name: plain(record[name]) for name in DESCRIPTIONS if name in record})
    return found


def measured(active: Activity, layer: str, place: int) -> dict[str, Any]:
    """What the corpus says of one live unit."""
    at = active.places(layer).start + place
    numbers, likeness = active.units[layer], active.likeness[layer][place].copy()
    likeness[place] = np.nan
    known = np.flatnonzero(~np.isnan(likeness))
    order = known[np.argsort(-likeness[known], kind="stable")]

    def near(some: np.ndarray) -> list[dict[str, Any]]:
        return [{"number": int(numbers[each]), "correlation": likeness[each]} for each in some]

    def ends(values: np.ndarray) -> dict[str, Any]:
        return {name: row for name, row in zip(("mean", "low", "high"), values[:, at], strict=True)
                if not np.isnan(row).any()}

    return {"edges": study.EDGES, "counts": active.counts[at],
            "counts_dealt": active.counts_dealt[at], "mean": active.mean[at],
            "deviation": active.deviation[at], **active.moments[at],
            "contribution": ends(active.contribution), "held": ends(active.held),
            "like_activity": near(order[:NEAREST]), "unlike_activity": near(order[::-1][:NEAREST]),
            "correlation_by_chance": active.likeness_by_chance[layer]}


def of_probes(curves: dict[str, dict[str, np.ndarray]], layer: str, place: int) -> dict[str, Any]:
    told = {}
    for name, answers in curves.items():
        curve, values = tuning.CURVES[name], answers[layer][place]
        told[name] = {"unit": curve.unit, "values": curve.values, "over_time": curve.over_time,
                      "about": curve.about, "mean": values.mean(axis=1),
                      "low": values.min(axis=1), "high": values.max(axis=1)}
    return {"tuning": told}


def classical_scaling(likeness: np.ndarray) -> np.ndarray:
    """A plane in which units lie close whose correlation is high: x, y, and the share of the
    variance of the squared distances that it holds, (units, 3)."""
    distances = 1 - np.nan_to_num(likeness)
    centring = np.eye(len(distances)) - 1 / len(distances)
    values, vectors = np.linalg.eigh(-centring @ distances @ centring / 2)
    largest = np.maximum(values[-2:], 0)
    plane = vectors[:, -2:] * np.sqrt(largest)
    plane *= np.where(plane[np.abs(plane).argmax(axis=0), [0, 1]] < 0, -1, 1)
    share = largest.sum() / np.maximum(values, 0).sum()
    return np.column_stack([plane[:, ::-1], np.full(len(plane), share)])


class Kernels:
    """The kernels of a layer's live units, compared with those of their shape."""

    def __init__(self, facts: Facts, layer: str) -> None:
        random = np.random.default_rng(0)
        self.groups = []
        weights, kernels = Weights(facts.kept.model), {}
        for number in map(int, facts.live(layer)):
            block, unit = facts.block(layer, number)
            kernels[number] = weights.block(block)["kernel"][..., unit].astype(np.float64)
        for shape in dict.fromkeys(kernel.shape for kernel in kernels.values()):
            numbers = [each for each, kernel in kernels.items() if kernel.shape == shape]
            rows = np.array([kernels[each].ravel() for each in numbers])
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            dealt = [self._largest(random.permuted(rows, axis=1) @ rows.T) for _ in range(DRAWS)]
            self.groups.append((numbers, rows @ rows.T, float(np.quantile(dealt, 0.95))))

    @staticmethod
    def _largest(cosines: np.ndarray) -> np.ndarray:
        """The largest cosine of each row with another unit."""
        return np.where(np.eye(len(cosines), dtype=bool), -1, cosines).max(axis=1)

    def near(self, number: int) -> dict[str, Any]:
        """The units with the likest kernels, and what the first of them would be by chance."""
        numbers, cosines, by_chance = next(each for each in self.groups if number in each[0])
        own = cosines[numbers.index(number)]
        order = [place for place in np.argsort(-own, kind="stable") if numbers[place] != number]
        return {"like_kernel": [{"number": numbers[place], "cosine": own[place]}
                                for place in order[:NEAREST]],
                "cosine_by_chance": by_chance}


def write(place: Path = PLACE, folder: Path = FOLDER, say: Callable[[str], None] = print) -> Path:
    """Make the table of both networks.

    Returns:
        the file.
    """
    rows = [record for model in MODELS for record in records(model, place, say)]
    return write_rows(rows, {"corpus": {
        model: str(stored_corpus(model).basis) for model in MODELS},
        "weights": {model: checksums_of_weights(model) for model in MODELS},
        "versions": everything(("pyarrow",))}, folder)


def write_facts(folder: Path = FOLDER) -> Path:
    """Make what the weights say anew in a table that is there, and what tags answer to nothing
    beside the stored corpus; all else stays.

    Returns:
        the file.
    """
    def of_model(model: str, atlas: Units) -> list[dict[str, Any]]:
        facts = Facts(stored_weights(model), deviations_of(atlas))
        new = [in_order(record | plain(facts.of(layer, number).record()))
               for (layer, number), record in atlas.items()]
        return with_nothing(new, nothing_of(model))

    return _anew(folder, of_model)


def write_words(folder: Path = FOLDER) -> Path:
    """Make the units' words anew in a table that is there; all else stays.

    Returns:
        the file.
    """
    def of_model(model: str, atlas: Units) -> list[dict[str, Any]]:
        told = words.descriptions(model)
        return [in_order({name: value for name, value in record.items()
                          if name not in words.FIELDS} | plain(told.get(key, {})))
                for key, record in atlas.items()]

    return _anew(folder, of_model)


def _anew(folder: Path, of_model: Callable[[str, Units], list[dict[str, Any]]]) -> Path:
    """Write a table anew, with the records that `of_model` makes of each network's."""
    file = folder / "units.parquet"
    about = json.loads(pq.read_schema(file).metadata[KEY])
    rows = [record for model in about["corpus"] for record in of_model(model, units(model, file))]
    return write_rows(rows, about, folder)


def deviations_of(atlas: Units) -> dict[str, np.ndarray]:
    """From each layer to the deviations of its live units."""
    return {layer: np.array([record["deviation"] for record in atlas.live(layer)])
            for layer in atlas.layers}


def write_rows(rows: list[dict[str, Any]], about: dict[str, Any], folder: Path = FOLDER,
               made: str = MADE) -> Path:
    """Write records as a table, in one step, with what is to be said of all, and its description.

    Args:
        made: what the description says of how it was made.

    Returns:
        the file.
    """
    table = pa.Table.from_pylist(rows, schema=schema_of(rows))
    table = table.replace_schema_metadata({KEY: json.dumps(about | {"fields": DESCRIPTIONS})})
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "units.parquet"
    aside = file.with_name(f".{file.name}")
    pq.write_table(table, aside, compression="zstd", compression_level=19)
    aside.rename(file)
    (folder / "README.md").write_text(readme(made), encoding="utf-8")
    return file


def readme(made: str = MADE) -> str:
    """What `data/units/README.md` says."""
    fields = "\n".join(f"| `{name}` | {text} |" for name, text in DESCRIPTIONS.items())
    return f"""# The units

`units.parquet` holds a record for every unit, row and tag of both networks that can be looked up:
the rows of U (`cnn_1/out`), the outputs of CNN_2, 3 and 4 (`cnn_2/norm` to `cnn_4/norm`), the rows
of both sums (`cnn_3/sum`, `cnn_4/sum`), the penultimate layer (`dense/norm`) and the tags
(`tags/logits`). Dead units have what the weights say of them, and no more. The pages *The units*
and their JSON are made from this table. Numbers have three significant digits.

{made}

| field | what it holds |
|---|---|
{fields}
"""


def schema_of(rows: list[dict[str, Any]]) -> pa.Schema:
    """Types as the fullest records have them, in the order of the descriptions; fields that no
    record has are left out."""
    found: dict[str, pa.DataType] = {}
    for name in DESCRIPTIONS:
        types = [pa.infer_type([row[name]]) for row in rows if row.get(name) not in (None, [])]
        if not types:
            continue
        found[name] = pa.unify_schemas(
            [pa.schema([(name, each)]) for each in set(types)],
            promote_options="permissive").field(name).type
    return pa.schema(found.items())
