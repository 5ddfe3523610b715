"""The pages of the atlas: an overview for each layer, a page and its JSON for each live unit and
each tag. All from the table of the units, by the templates beside this file."""

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pyarrow.parquet as pq
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from helpers.evidence.intervals import FEWEST
from inside_musicnn import LAYERS, MODELS
from inside_musicnn.atlas import BEST, KEY, Units, units
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound.shipped import RECORDING, clip_facts, clip_names
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, band_edges
from making.atlas import best_inputs, heard
from making.atlas.sounds import write_recordings
from making.atlas.table import DESCRIPTIONS, FOLDER
from making.atlas.tag_nulls import by_lot
from making.studies import units as study

HERE = Path(__file__).parent
TABLE = FOLDER / "units.parquet"
TAG, DENSE, SUMS = "tags/logits", "dense/norm", ("cnn_3/sum", "cnn_4/sum")
DRAWN = ("kernel", "edges", "counts", "counts_dealt", "mean", "deviation", "positions", "tuning",
         "contribution", "held", "best_input")  # what the charts of a page need of its record
TEXTS = {"cnn_1/out": "A row of the first stage", "dense/norm": "A unit of the penultimate layer"}
KINDS = (("highest", "Highest"), ("random", "Drawn by lot"), ("lowest", "Lowest"))
ACCOUNTS = ("cnn_1/out", "cnn_4/sum", "dense/norm")  # layers whose units a tag's page names
BEST_TEXT = "what it would hear best, made by us: " + "; ".join(
    f"{name}: {text}" for name, text in best_inputs.DESCRIPTIONS.items())
NEAR = 6
TURNS = 200


def write_atlas(site: Path, chapters: dict[int, str], table: Path = TABLE) -> int:
    """Write the atlas into a built site.

    Args:
        site: its folder; the pages go to "units" in it.
        chapters: addresses of the chapters' pages from the site's root, by number.
        table: the units.

    Returns:
        how many pages were written.
    """
    folder = site / "units"
    shutil.rmtree(folder, ignore_errors=True)
    write_recordings(folder / "atlas" / "sound")
    (folder / "atlas" / BEST.name).mkdir()
    for file in (table.parent / BEST.name).glob("*.mp3"):
        shutil.copy(file, folder / "atlas" / BEST.name)
    return write_pages(folder, table, chapters, Sounds({
        name: clip_facts(name) for name in clip_names(RECORDING)}))


@dataclass(frozen=True)
class Sounds:
    """What the pages show and play of the recordings.

    Attributes:
        recordings: what is known of each, by its name in the table.
        cuts: from a recording to its excerpts, each the second at which it begins and the name of
            its file in atlas/sound; the whole recording is one file where there are none.
        own: sentences on the reader's own recordings; none where they are the book's.
    """

    recordings: dict[str, dict[str, Any]]
    cuts: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    own: tuple[str, ...] = ()

    def place(self, moment: dict[str, Any], late: float = 0.0) -> dict[str, Any]:
        """The file in which a moment is heard, and the second of it, `late` seconds later."""
        name, seconds = moment["recording"], moment["seconds"]
        begin, file = max((cut for cut in self.cuts.get(name, [(0.0, name)])
                           if cut[0] <= seconds + 1e-6), key=lambda cut: cut[0])
        return {"file": file, "seconds": round(seconds - begin + late, 3)}


def write_pages(folder: Path, table: Path, chapters: dict[int, str], sounds: Sounds) -> int:
    """Write all pages into a folder that has atlas/sound, with the table beside them.

    Args:
        chapters: see `write_atlas`; none where the book is not beside the pages.

    Returns:
        how many pages were written.
    """
    shutil.copytree(HERE / "static", folder / "atlas", dirs_exist_ok=True)
    if table != folder / "units.parquet":
        shutil.copy(table, folder / "units.parquet")
    facts = json.loads(pq.read_schema(table).metadata[KEY])
    writer = Writer(folder, table, chapters, facts, sounds)
    count = 0
    for model in writer.models:
        for page in writer.of_model(units(model, table)):
            count += page
    writer.index()
    return count + 1


def significant(value: float) -> str:
    """Three significant digits, with a true minus."""
    if value is None:
        return "–"
    return f"{value:.3g}".replace("-", "−")


def folder_of(layer: str) -> str:
    return layer.replace("/", "-")


@dataclass(frozen=True, eq=False)
class Writer:
    """Writes pages.

    Attributes:
        folder: the atlas's, in the site.
        table: the units.
        chapters: see `write_atlas`.
        facts: of the table: its fields, corpus, versions.
        sounds: what is heard.
    """

    folder: Path
    table: Path
    chapters: dict[int, str]
    facts: dict[str, Any]
    sounds: Sounds

    @property
    def models(self) -> list[str]:
        """The networks that the table tells of."""
        return [model for model in MODELS if model in self.facts["corpus"]]

    @cached_property
    def environment(self) -> Environment:
        found = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True,
                            trim_blocks=True, undefined=StrictUndefined)
        found.filters["number"] = significant
        found.filters["decibels"] = lambda factor: -20 * np.log10(factor)
        found.globals["measures"] = heard.MEASURES
        return found

    def write(self, file: str, template: str, **values: Any) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * file.count("/")
        text = self.environment.get_template(template).render(
            up=up, recordings=self.sounds.recordings, heard=self.sounds.place, own=self.sounds.own,
            frame_ms=1000 * FRAME_SECONDS, sums=SUMS, fewest=FEWEST, credited=study.CREDITED,
            held=study.HELD, **values)
        path.write_text(text, encoding="utf-8")

    def chapter(self, number: int, up: str) -> dict[str, Any]:
        where = f"{up}../{self.chapters.get(number, 'index.html')}" if self.chapters else None
        return {"number": number, "address": where}

    def index(self) -> None:
        models = []
        for model in self.models:
            atlas = units(model, self.table)
            models.append((model, [{
                "layer": layer, "address": f"{model}/{folder_of(layer)}/index.html",
                "live": len(atlas.live(layer)), "text": LAYERS[layer].description,
                "worded": _worded(atlas.live(layer)),
                "size": sum(key[0] == layer for key in atlas)} for layer in atlas.layers]))
        self.write("index.html", "index.html", title="The units on your music" if self.sounds.own
                   else "The units", crumbs=[], models=models,
                   description="Every live unit of MusiCNN: kernel, moments, tuning, tags.",
                   basis=next(iter(self.facts["corpus"].values())),
                   count=len(self.sounds.recordings),
                   fields=DESCRIPTIONS | ({} if self.sounds.own else {"best_input": BEST_TEXT}))

    def of_model(self, atlas: Units) -> Iterator[int]:
        """Write all pages of one network; yields how many were written."""
        tags = [atlas[TAG, number]["name"] for number in range(50)]
        (self.folder / "atlas" / f"{atlas.model}.js").write_text(
            f"globalThis.same = {_in_script(same_in_all(atlas, tags))};\n", encoding="utf-8")
        directions = Directions(atlas.model, tags)
        lots = {layer: by_lot(np.array([record["contribution"]["mean"]
                                        for record in atlas.live(layer)])) for layer in ACCOUNTS}
        for layer in atlas.layers:
            records = [record for record in atlas.values() if record["layer"] == layer]
            self._overview(atlas, layer, records, tags)
            live = [record for record in records if record["alive"]]
            for place, record in enumerate(live):
                beside = {"before": _step(live[place - 1]) if place else None,
                          "after": _step(live[place + 1]) if place + 1 < len(live) else None}
                if layer == TAG:
                    self._page(atlas, record, tags, "tag.html", **beside,
                               **self._of_tag(atlas, record["number"], directions, lots))
                else:
                    self._page(atlas, record, tags, "unit.html", **beside,
                               **self._of_unit(atlas, record))
            yield len(live) + 1

    def _page(self, atlas: Units, record: dict[str, Any], names: list[str], template: str,
              **values: Any) -> None:
        layer, number = record["layer"], record["number"]
        place = f"{atlas.model}/{folder_of(layer)}/{number}"
        record = self._with_picture_beside(record, place)
        drawn = without_same({name: record[name] for name in DRAWN if name in record},
                             same_in_all(atlas, names))
        heading = record["name"] if layer == TAG else f"{layer} {number}"
        if "family" in record:
            heading += f": {record['name']}"
        text = TEXTS.get(layer) or f"A unit of {LAYERS[layer].block.upper()}"
        self.write(f"{place}.html", template, title=heading, record=record,
                   description=f"{heading} of {atlas.model}: what it is, hears and does.",
                   crumbs=[(atlas.model, "../../index.html#" + atlas.model),
                           (layer, "index.html")],
                   layer_text=text if layer not in SUMS else "A row of a sum",
                   model_text=atlas.model,
                   overview="index.html", json_name=f"{number}.json", kinds=KINDS,
                   chapter=self.chapter(record["chapter"], "../../"),
                   first=self.chapter(1, "../../"), rule=self.chapter(4, "../../"),
                   basis=self.facts["corpus"][atlas.model],
                   embedded=_in_script(drawn), **values)
        compact = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        (self.folder / f"{place}.json").write_text(compact + "\n", encoding="utf-8")

    def _with_picture_beside(self, record: dict[str, Any], place: str) -> dict[str, Any]:
        """The record as page and JSON have it: the picture of its best input is a file."""
        if "best_input" not in record:
            return record
        best = record["best_input"]
        file = (self.folder / place).with_suffix(".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(best["picture"]["png"]))
        return record | {"best_input": best | {"picture": best["picture"] | {"png": file.name}}}

    def _of_unit(self, atlas: Units, record: dict[str, Any]) -> dict[str, Any]:
        layer = record["layer"]

        def links(name: str, value: str) -> list[dict[str, Any]]:
            return [{"name": _called(atlas, each.get("layer", layer), each["number"]),
                     "address": _address(each.get("layer", layer), each["number"]),
                     "value": each[value]} for each in record.get(name, [])]

        of_kernels, of_activity = (record.get(f"{name}_by_chance")
                                   for name in ("cosine", "correlation"))
        return {"link_lists": [
            ("Reads", links("reads", "strength"), "strength", None),
            ("Feeds", links("feeds", "strength"), "strength", None),
            ("Likest kernels", links("like_kernel", "cosine"), "cosine", of_kernels),
            ("Likest activity", links("like_activity", "correlation"), "correlation",
             of_activity),
            ("Most opposed activity", links("unlike_activity", "correlation"), "correlation",
             of_activity)]}

    def _of_tag(self, atlas: Units, tag: int, directions: "Directions",
                lots: dict[str, tuple[float, float]]) -> dict[str, Any]:
        some = atlas.live(DENSE)[0]["contribution"]
        return {"intervals": "low" in some,
                "movers": self._movers(atlas, tag, lots), "near": directions.near(tag),
                "by_chance": directions.by_chance}

    def _movers(self, atlas: Units, tag: int, lots: dict[str, tuple[float, float]]
                ) -> list[tuple[str, list[dict[str, Any]], list[float], tuple[float, float]]]:
        """For three layers the units that raise a tag most, and those that lower it most; between
        what nine of ten units' contributions lie; and what the strongest would give by chance."""
        found = []
        for layer in ACCOUNTS:
            live = atlas.live(layer)
            ordered = sorted(live, key=lambda each: -each["contribution"]["mean"][tag])
            of_all = np.quantile([each["contribution"]["mean"][tag] for each in live],
                                 (0.05, 0.95)).tolist()
            found.append((layer, [
                {"name": _called(atlas, layer, each["number"]),
                 "address": _address(layer, each["number"])}
                | {end: each["contribution"][end][tag] if end in each["contribution"] else None
                   for end in ("mean", "low", "high")}
                for each in (*ordered[:NEAR], *ordered[-NEAR:])], of_all,
                lots[layer]))
        return found

    def _overview(self, atlas: Units, layer: str, records: list[dict[str, Any]], tags: list[str]
                  ) -> None:
        alive = [record for record in records if record["alive"]]
        columns, rows = overview_rows(layer, records, tags)
        points = [{"name": record["name"], "address": f"{record['number']}.html",
                   "x": record["map"][0], "y": record["map"][1],
                   "colour": colour} for record, colour in _coloured(layer, alive)]
        self.write(f"{atlas.model}/{folder_of(layer)}/index.html", "overview.html",
                   title=f"{layer} of {atlas.model}", live=len(alive), size=len(records),
                   description=f"All of {layer} of {atlas.model}, to sort and to search.",
                   crumbs=[(atlas.model, "../../index.html#" + atlas.model)],
                   layer_text=LAYERS[layer].description.capitalize(), here=layer,
                   chapter=self.chapter(records[0]["chapter"], "../../"), columns=columns,
                   rows=rows, tags=layer == TAG, worded=_worded(alive),
                   layers=[(other, f"../{folder_of(other)}/index.html") for other in atlas.layers],
                   points=_in_script({"points": points}) if points else "",
                   shown=alive[0]["map"][2] if points else 0,
                   points_colour="where in frequency the kernel wins most, from low to high"
                   if layer == "cnn_1/out" else "its mean contribution to the tags in size, from "
                   "little to much")


def overview_rows(layer: str, records: list[dict[str, Any]], tags: list[str]
                  ) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and rows of the table of a layer."""
    columns = ["number", "name", "lives", "norm", "mean", "deviation", "effect on tags", "raises",
               "lowers", "most active where"]
    if layer == "cnn_1/out":
        columns[2:2] = ["frequency"]
    if layer == TAG:
        columns = ["number", "name", "mean score", "deviation"]
    rows = []
    for record in records:
        cells = [_cell(record["number"], record["number"]),
                 _cell(record["name"],
                       address=f"{record['number']}.html" if record["alive"] else None)]
        if layer == TAG:
            cells += [_cell(significant(record[name]), record[name])
                      for name in ("mean", "deviation")]
        else:
            if layer == "cnn_1/out":
                hertz = _frequency(record)
                cells.append(_cell(f"{hertz:.0f} Hz" if hertz else "", hertz or ""))
            cells += [_cell("yes" if record["alive"] else "no"),
                      _cell(significant(record["norm"]), record["norm"])]
            cells += [*_measured_cells(record, tags), _cell(record.get("description", ""))]
        rows.append({"alive": record["alive"], "cells": cells})
    return columns, rows


def _measured_cells(record: dict[str, Any], tags: list[str]) -> list[dict[str, Any]]:
    if "contribution" not in record:
        return [_cell("", "")] * 5
    given = {end: np.array(values) for end, values in record["contribution"].items()}
    effect = float(np.abs(given["mean"]).mean())
    highest, lowest = int(given["mean"].argmax()), int(given["mean"].argmin())
    return [*(_cell(significant(record[name]), record[name]) for name in ("mean", "deviation")),
            _cell(significant(effect), effect),
            _cell(tags[highest] if "low" in given and given["low"][highest] > 0 else ""),
            _cell(tags[lowest] if "low" in given and given["high"][lowest] < 0 else "")]


def _worded(records: list[dict[str, Any]]) -> int | None:
    """How many of these units have words; None where none was tested."""
    if any("description_test" in record for record in records):
        return sum("description" in record for record in records)
    return None


def _cell(text: Any, sort: Any = None, address: str | None = None) -> dict[str, Any]:
    return {"text": text, "sort": sort, "address": address}


def _frequency(record: dict[str, Any]) -> float | None:
    """Centre of the kernel where it was found most often, in Hz."""
    if "positions" not in record:
        return None
    middle = int(np.argmax(record["positions"])) + len(record["kernel"][0]) // 2
    return float(band_edges()[middle, 1])


def _coloured(layer: str, alive: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """The units of a layer that have a place on its map, each with its colour of viridis."""
    found = [record for record in alive if "map" in record]
    values = np.array([np.log(_frequency(record) or 1) if layer == "cnn_1/out"
                       else np.mean(np.abs(record["contribution"]["mean"])) for record in found])
    if not found:
        return []
    colours = matplotlib.colormaps["viridis"](
        (values - values.min()) / max(np.ptp(values), 1e-12))
    return [(record, matplotlib.colors.to_hex(colour))
            for record, colour in zip(found, colours, strict=True)]


class Directions:
    """The directions of the tags in the penultimate layer, each of length one, without the
    direction that all fifty share; beside such directions turned at random in the same spread, as
    chapter 14 has it.

    Attributes:
        cosines: of each two tags, (50, 50).
        by_chance: lowest and highest cosine of any two tags in the middle 95 % of the turns, two
            pairs of numbers.
    """

    def __init__(self, model: str, tags: list[str]) -> None:
        one = Weights(model).block("tags")["kernel"].astype(np.float64)
        one /= np.linalg.norm(one, axis=0)
        along = one.mean(axis=1)
        along /= np.linalg.norm(along)
        rest = one - np.outer(along, along @ one)
        self.cosines, self.tags = cosines(rest), tags
        spreads = np.linalg.svd(rest, compute_uv=False)[:, None]
        random = np.random.default_rng(0)
        turns = np.linalg.qr(random.standard_normal((TURNS, len(tags), len(tags))))[0]
        apart = np.triu_indices(len(tags), 1)
        found = np.array([cosines(spreads * turn)[apart] for turn in turns])
        self.by_chance = [tuple(np.quantile(ends, (0.025, 0.975)))
                          for ends in (found.min(axis=1), found.max(axis=1))]

    def near(self, tag: int) -> list[tuple[str, list[dict[str, Any]]]]:
        order = [int(each) for each in np.argsort(-self.cosines[tag], kind="stable") if each != tag]

        def rows(some: list[int]) -> list[dict[str, Any]]:
            return [{"name": self.tags[each], "address": _address(TAG, each),
                     "cosine": self.cosines[tag, each]} for each in some]

        return [("Nearest", rows(order[:NEAR])), ("Most opposed", rows(order[::-1][:NEAR]))]


def cosines(matrix: np.ndarray) -> np.ndarray:
    """Of the columns of a matrix."""
    one = matrix / np.linalg.norm(matrix, axis=0)
    return one.T @ one


def same_in_all(atlas: Units, tags: list[str]) -> dict[str, Any]:
    """What the charts of all pages of a network need alike: the tags' names, the edges between
    classes of values, and of each curve all but the answers."""
    first = next(record for record in atlas.values() if "tuning" in record and "edges" in record)
    return {"tag_names": tags, "edges": first["edges"], "curves": {
        name: {part: value for part, value in curve.items() if part not in ("mean", "low", "high")}
        for name, curve in first["tuning"].items()}}


def without_same(drawn: dict[str, Any], same: dict[str, Any]) -> dict[str, Any]:
    """What a page's charts need beyond that."""
    found = {name: value for name, value in drawn.items() if same.get(name) != value}
    if "tuning" in found:
        found["tuning"] = {
            name: {part: value for part, value in curve.items()
                   if same["curves"].get(name, {}).get(part) != value}
            for name, curve in found["tuning"].items()}
    return found


def _step(record: dict[str, Any]) -> dict[str, str]:
    return {"address": f"{record['number']}.html", "name": record["name"]}


def _called(atlas: Units, layer: str, number: int) -> str:
    name = atlas[layer, number]["name"]
    return f"{layer} {number} ({name})" if layer == "cnn_1/out" else name


def _address(layer: str, number: int) -> str:
    return f"../{folder_of(layer)}/{number}.html"


def _in_script(values: dict[str, Any]) -> Markup:
    """JSON that may stand in a script element."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))

