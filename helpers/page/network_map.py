"""The map of MusiCNN at the head of each chapter: "we are here".

Drawn from LAYERS as SVG, once with the stages side by side and once stacked, for narrow screens.
Here is what lies where; `templates/network_map.html` draws it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from IPython.display import HTML, display

from helpers.page.chapters import pages
from helpers.page.markup import fill
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FAMILIES, LAYERS
from inside_musicnn.network.weights import MODELS

CELL, ROW, GAP, PAD = 59, 25, 6, 8  # width and height of a cell; space between columns; margin
STEPS = ("conv", "bias", "relu", "norm", "max", "sum")  # from top to bottom: rows of the drawing
TITLES = {"input": "Input", "first": "First stage: CNN_1", "second": "Second stage",
          "final": "Final stage"}
WORDS = {"relu": "ReLU", "norm": "normalise", "conv": "filter", "linear": "weigh",
         "db_mel": "dB mel", "normalized": "normalise", "flat": "interleave"}
LAYERS_OF_UNITS = ("cnn_1/out", "cnn_2/norm", "cnn_3/norm", "cnn_4/norm", "dense/norm",
                   "tags/logits")  # that the pages *The units* look into
TINTS = {"input": "#f1ede4", "first": "#e4eef5", "second": "#e6f1e4", "final": "#f3e8ef"}


class Column(NamedTuple):
    """A column of the drawing: a block of layers from top to bottom, with its shape below."""

    stage: str
    title: str
    note: str
    layers: tuple[str, ...]
    rows: tuple[int, ...]
    shape: str


def _columns() -> Iterator[Column]:
    yield Column("input", "audio", "to picture", ("input/db_mel", "input/normalized"), (0, 1),
                 "187 × 96")
    for name, (frames, bands, units, _) in FAMILIES.items():
        names = tuple(f"cnn_1/{name}/{step}" for step in STEPS[:5])
        yield Column("first", name.split("_")[0], f"{bands} × {frames}", names, (0, 1, 2, 3, 4),
                     f"187 × {units}")
    yield Column("first", "U", "all rows", ("cnn_1/out",), (5,), "187 × 561")
    for number in (2, 3, 4):
        steps = STEPS[:4] + (("sum",) if number > 2 else ())
        names = tuple(f"cnn_{number}/{step}" for step in steps)
        rows = tuple(STEPS.index(step) for step in steps)
        kernel = "561 × 7" if number == 2 else "64 × 7"
        yield Column("second", f"CNN_{number}", kernel, names, rows, "187 × 64")
    yield Column("second", "concat.", "all rows", ("stage_2/out",), (5,), "187 × 753")
    yield Column("final", "pooling", "over time", ("pool/max", "pool/mean", "pool/flat",
                                                   "pool/norm"), (0, 1, 2, 3), "1506")
    yield Column("final", "dense", "all to all", tuple(f"dense/{step}" for step in (
        "linear", "bias", "relu", "norm")), (0, 1, 2, 3), "200")
    yield Column("final", "tags", "all to all", ("tags/logits", "tags/sigmoid"), (0, 1), "50")


TOP, BOTTOM = 62, 26  # room above the cells for titles, below them for shapes


def _row_y(row: int) -> int:
    return TOP + row * (ROW + 6)


class Text(NamedTuple):
    x: float
    y: float
    words: str
    size: float = 11.5
    bold: bool = False


class Path(NamedTuple):
    """A line; an arrow head at its end where it leads into something."""

    points: str
    arrow: bool = True


def _line(x1: float, y1: float, x2: float, y2: float, arrow: bool = True) -> Path:
    return Path(f"M{x1:g} {y1:g} L{x2:g} {y2:g}", arrow)


class Cell(NamedTuple):
    """A layer at its place; `here` if the map points at it."""

    x: float
    y: float
    name: str
    here: bool

    @property
    def word(self) -> str:
        step = self.name.rsplit("/", 1)[1]
        return {"cnn_1/out": "U", "stage_2/out": "concat."}.get(self.name, WORDS.get(step, step))

    @property
    def tip(self) -> str:
        layer = LAYERS[self.name]
        return f"{self.name} {layer.shape}: {layer.description} (chapter {layer.chapter})"

    @property
    def address(self) -> str:
        """The page of its chapter, beside the page that shows the map."""
        return f"{pages()[LAYERS[self.name].chapter]}.html"


@dataclass
class Stage:
    """One stage with its own corner as origin; `x` and `y` are where that lies in the drawing."""

    name: str
    width: int
    height: int
    x: float = 0
    y: int = 0
    texts: list[Text] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    @property
    def tint(self) -> str:
        return TINTS[self.name]

    def add(self, column: Column, x: int, here: Collection[str]) -> None:
        """One column: title, note, cells joined from top to bottom, shape."""
        middle = x + CELL / 2
        self.texts += [Text(middle, 39, column.title, 12, True), Text(middle, 54, column.note),
                       Text(middle, self.height - BOTTOM + 12, column.shape)]
        steps = list(zip(column.layers, column.rows, strict=True))
        for (name, row), (_, below) in zip(steps, steps[1:], strict=False):
            if name == "pool/max":  # maximum and mean stand side by side in the flow: both go on
                y, end = _row_y(row) + ROW / 2, _row_y(below + 1) + ROW / 2
                self.paths.append(Path(f"M{x:g} {y:g} L{x - 5:g} {y:g} L{x - 5:g} {end:g} "
                                       f"L{x - 1:g} {end:g}"))
            else:
                self.paths.append(_line(middle, _row_y(row) + ROW, middle, _row_y(below) - 1))
        self.cells += [Cell(x, _row_y(row), name, name in here) for name, row in steps]


def _joins(stage: str, places: Sequence[int]) -> Iterator[Path]:
    """Lines between the columns of one stage, whose left edges are given."""
    if stage == "first":
        y = _row_y(5) + ROW / 2
        *xs, last = places
        for x in xs:
            yield _line(x + CELL / 2, _row_y(4) + ROW, x + CELL / 2, y, arrow=False)
        yield _line(xs[0] + CELL / 2, y, last - 1, y)
    if stage == "second":
        y = _row_y(5) + ROW / 2
        two, three, four, concatenated = places
        yield _line(two + CELL / 2, _row_y(3) + ROW, two + CELL / 2, y, arrow=False)
        yield _line(two + CELL / 2, y, three - 1, y)
        yield _line(three + CELL, y, four - 1, y)
        yield _line(four + CELL, y, concatenated - 1, y)
        for x, last in ((two + CELL, 3), (three + CELL, 5)):
            # what CNN_2 and the first sum hand on to the next filter
            y_from, y_to = _row_y(last) + ROW / 2, _row_y(0) + ROW / 2
            yield Path(f"M{x:g} {y_from:g} C{x + GAP + 2:g} {y_from:g} {x - 2:g} {y_to:g} "
                       f"{x + GAP - 1:g} {y_to:g}")
    if stage == "final":
        for a, b in zip(places, places[1:], strict=False):
            yield _line(a + CELL, _row_y(3) + ROW / 2, b - 1, _row_y(0) + ROW / 2)


def _stages(here: Collection[str], stacked: bool) -> list[Stage]:
    columns: dict[str, list[Column]] = {}
    for column in _columns():
        columns.setdefault(column.stage, []).append(column)
    heights = {stage: _row_y(1 + max(column.rows[-1] for column in group)) + BOTTOM
               for stage, group in columns.items()}  # as many rows as its longest column has
    stages = []
    for name, group in columns.items():
        places = range(PAD, PAD + len(group) * (CELL + GAP), CELL + GAP)
        stage = Stage(name, places[-1] + CELL + PAD,
                      heights[name] if stacked else max(heights.values()))
        stage.texts.append(Text(stage.width / 2, 19, TITLES[name], 13, True))
        stage.paths += _joins(name, places)
        for column, x in zip(group, places, strict=True):
            stage.add(column, x, here)
        stages.append(stage)
    return stages


def _drawing(here: Collection[str], stacked: bool) -> dict[str, object]:
    """The stages, the lines between them, and the size of it all."""
    stages, paths, x, y = _stages(here, stacked), [], 2, 2
    widest = max(stage.width for stage in stages)
    for stage in stages:
        stage.x, stage.y = 2 + (widest - stage.width) / 2 if stacked else x, y
        if stacked:
            end = y + stage.height
            paths.append(_line(2 + widest / 2, end, 2 + widest / 2, end + GAP + 3))
            y = end + GAP + 4
        else:
            end, middle = x + stage.width, y + stage.height / 2
            paths.append(_line(end, middle, end + GAP + 3, middle))
            x = end + GAP + 4
    width, height = (widest + 4, y - GAP - 2) if stacked else (
        x - GAP - 2, max(stage.height for stage in stages) + 4)
    return {"name": "stacked" if stacked else "wide", "width": width, "height": height,
            "stages": stages, "paths": paths[:-1]}  # after the last stage comes nothing


def network_map(*here: str) -> HTML:
    """The map as HTML; the layers named are highlighted.

    Args:
        here: names from LAYERS, or the beginnings of names: "cnn_4" stands for all of CNN_4.

    Raises:
        InputError: nothing in LAYERS has such a name.
    """
    found: set[str] = set()
    for name in here:
        matching = {layer for layer in LAYERS if layer == name or layer.startswith(f"{name}/")}
        if not matching:
            raise InputError(f"There is no layer '{name}' to show on the map; LAYERS lists them.")
        found |= matching
    drawings = [_drawing(found, stacked) for stacked in (False, True)]
    units = [layer for layer in LAYERS_OF_UNITS if any(
        name.split("/")[0] == layer.split("/")[0] for name in found)]
    return HTML(fill("network_map.html", drawings=drawings, width=CELL, row=ROW, here=here,
                     units=units, models=list(MODELS)))


def we_are_here(*here: str) -> None:
    """Show the map with the layers of this chapter highlighted."""
    display(network_map(*here))
