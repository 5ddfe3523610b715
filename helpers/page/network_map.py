"""The map of MusiCNN at the head of each chapter: "we are here".

Drawn from LAYERS as SVG, once with the stages side by side and once stacked, for narrow screens.
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from IPython.display import HTML, display

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FAMILIES, LAYERS

CELL, ROW, GAP, PAD = 59, 25, 6, 8  # width and height of a cell; space between columns; margin
STEPS = ("conv", "bias", "relu", "norm", "max", "sum")  # from top to bottom: rows of the drawing
TITLES = {"input": "Input", "first": "First stage: CNN_1", "second": "Second stage",
          "final": "Final stage"}
WORDS = {"relu": "ReLU", "norm": "normalise", "conv": "filter", "linear": "weigh",
         "db_mel": "dB mel", "normalized": "normalise", "flat": "interleave"}
HERE, PLAIN, INK, LINE = "#c8443c", "#ffffff", "#26323c", "#8a98a5"
TINTS = {"input": "#f1ede4", "first": "#e4eef5", "second": "#e6f1e4", "final": "#f3e8ef"}


@dataclass(frozen=True)
class Column:
    """A column of the drawing: a block of layers from top to bottom, with its shape below."""

    stage: str
    title: str
    note: str
    layers: tuple
    rows: tuple
    shape: str


def _columns():
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


def _row_y(row):
    return TOP + row * (ROW + 6)


def _height(columns):
    """Height of a stage: as many rows as its longest column has."""
    return _row_y(1 + max(column.rows[-1] for column in columns)) + BOTTOM


def _text(x, y, words, size=11, weight="normal", fill=INK):
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
            f'text-anchor="middle">{escape(words)}</text>')


def _path(points, arrow=True):
    # Two drawings stand on a page and one is hidden: each needs an arrow head of its own.
    end = ' marker-end="url(#ARROW)"' if arrow else ""
    return f'<path d="{points}" stroke="{LINE}" stroke-width="1.4" fill="none"{end}/>'


def _line(x1, y1, x2, y2, arrow=True):
    return _path(f"M{x1:g} {y1:g} L{x2:g} {y2:g}", arrow)


def _cell(x, y, name, here):
    layer = LAYERS[name]
    fill, ink = (HERE, PLAIN) if name in here else (PLAIN, INK)
    step = name.rsplit("/", 1)[1]
    word = {"cnn_1/out": "U", "stage_2/out": "concat."}.get(name, WORDS.get(step, step))
    tip = f"{name} {layer.shape}: {layer.description} (chapter {layer.chapter})"
    return (f'<g><title>{escape(tip)}</title><rect x="{x:g}" y="{y:g}" width="{CELL}" '
            f'height="{ROW}" rx="5" fill="{fill}" stroke="{HERE if name in here else LINE}"/>'
            + _text(x + CELL / 2, y + 16, word, 11.5, "bold" if name in here else "normal", ink)
            + "</g>")


def _column(column, x, height, here):
    """One column: title, note, cells joined from top to bottom, shape."""
    middle = x + CELL / 2
    parts = [_text(middle, 39, column.title, 12, "bold"), _text(middle, 54, column.note, 11.5)]
    steps = list(zip(column.layers, column.rows, strict=True))
    for (name, row), (_, below) in zip(steps, steps[1:], strict=False):
        if name == "pool/max":  # maximum and mean stand side by side in the flow: both go on
            y, end = _row_y(row) + ROW / 2, _row_y(below + 1) + ROW / 2
            parts.append(_path(f"M{x:g} {y:g} L{x - 5:g} {y:g} L{x - 5:g} {end:g} L{x - 1:g} "
                               f"{end:g}"))
        else:
            parts.append(_line(middle, _row_y(row) + ROW, middle, _row_y(below) - 1))
    parts += [_cell(x, _row_y(row), name, here)
              for row, name in zip(column.rows, column.layers, strict=True)]
    parts.append(_text(middle, height - BOTTOM + 12, column.shape, 11.5))
    return "".join(parts)


def _joins(stage, places):
    """Lines between the columns of one stage; `places` maps a column's title to its left edge."""
    parts = []
    if stage == "first":
        y = _row_y(5) + ROW / 2
        *xs, last = places.values()
        parts += [_line(x + CELL / 2, _row_y(4) + ROW, x + CELL / 2, y, arrow=False) for x in xs]
        parts.append(_line(xs[0] + CELL / 2, y, last - 1, y))
    if stage == "second":
        y = _row_y(5) + ROW / 2
        first = places["CNN_2"] + CELL / 2
        parts.append(_line(first, _row_y(3) + ROW, first, y, arrow=False))
        parts.append(_line(first, y, places["CNN_3"] - 1, y))
        parts.append(_line(places["CNN_3"] + CELL, y, places["CNN_4"] - 1, y))
        parts.append(_line(places["CNN_4"] + CELL, y, places["concat."] - 1, y))
        for number in (2, 3):  # what CNN_2 and the first sum hand on to the next filter
            x, last = places[f"CNN_{number}"] + CELL, 3 if number == 2 else 5
            y_from, y_to = _row_y(last) + ROW / 2, _row_y(0) + ROW / 2
            parts.append(_path(f"M{x:g} {y_from:g} C{x + GAP + 2:g} {y_from:g} {x - 2:g} {y_to:g} "
                               f"{x + GAP - 1:g} {y_to:g}"))
    if stage == "final":
        xs = list(places.values())
        for a, b in zip(xs, xs[1:], strict=False):
            parts.append(_line(a + CELL, _row_y(3) + ROW / 2, b - 1, _row_y(0) + ROW / 2))
    return "".join(parts)


def _stage(stage, columns, height, here):
    """One stage at the origin: its SVG and its width."""
    width = len(columns) * (CELL + GAP) - GAP + 2 * PAD
    places = {c.title + (c.note if stage == "first" else ""): PAD + i * (CELL + GAP)
              for i, c in enumerate(columns)}
    parts = [f'<rect width="{width}" height="{height}" rx="9" fill="{TINTS[stage]}"/>',
             _text(width / 2, 19, TITLES[stage], 13, "bold"), _joins(stage, places)]
    parts += [_column(column, x, height, here)
              for column, x in zip(columns, places.values(), strict=True)]
    return "".join(parts), width


def _svg(here, stacked, label):
    stages = {}
    for column in _columns():
        stages.setdefault(column.stage, []).append(column)
    tallest = max(map(_height, stages.values()))
    widest = max(_stage(stage, columns, 0, here)[1] for stage, columns in stages.items())
    parts, x, y = [], 2, 2
    for stage, columns in stages.items():
        height = _height(columns) if stacked else tallest
        drawing, width = _stage(stage, columns, height, here)
        left = 2 + (widest - width) / 2 if stacked else x
        parts.append(f'<g transform="translate({left:g} {y})">{drawing}</g>')
        if stage != "final":
            parts.append(_line(2 + widest / 2, y + height, 2 + widest / 2, y + height + GAP + 3)
                         if stacked else
                         _line(x + width, y + height / 2, x + width + GAP + 3, y + height / 2))
        x, y = x + width + GAP + 4, y + (height + GAP + 4) * stacked
    full, bottom = (widest + 4, y - GAP - 2) if stacked else (x - GAP - 2, tallest + 4)
    name = "stacked" if stacked else "wide"
    marker = ('<defs><marker id="ARROW" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5.5" '
              f'markerHeight="5.5" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{LINE}"/>'
              "</marker></defs>")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {bottom}" '
            f'role="img" aria-label={quoteattr(label)} font-family="Helvetica, Arial, '
            f'sans-serif" style="width:100%;height:auto;background:#fff;border-radius:9px">'
            f'{marker}{"".join(parts)}</svg>').replace("ARROW", f"arrow-{name}")


_STYLE = ("<style>.network-map .stacked{display:none;max-width:460px;margin:auto}"
          "@media (max-width:640px){.network-map .wide{display:none}"
          ".network-map .stacked{display:block}}</style>")


def network_map(*here):
    """The map as HTML; the layers named are highlighted.

    Args:
        here: names from LAYERS, or the beginnings of names: "cnn_4" stands for all of CNN_4.

    Raises:
        InputError: nothing in LAYERS has such a name.
    """
    found = set()
    for name in here:
        matching = {layer for layer in LAYERS if layer == name or layer.startswith(f"{name}/")}
        if not matching:
            raise InputError(f"There is no layer '{name}' to show on the map; LAYERS lists them.")
        found |= matching
    label = "Map of MusiCNN from audio to tags" + (f"; highlighted: {', '.join(here)}" * bool(here))
    return HTML(f'<div class="network-map">{_STYLE}<div class="wide">{_svg(found, False, label)}'
                f'</div><div class="stacked">{_svg(found, True, label)}</div></div>')


def we_are_here(*here):
    """Show the map with the layers of this chapter highlighted."""
    display(network_map(*here))
