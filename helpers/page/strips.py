"""Pictures over time for the playable view: matrices as images, lines as drawings.

Each has a pixel or a point per frame, a scale told in words, and names of its rows.
"""

from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np

from helpers.page.pictures import matrix_uri
from helpers.page.plots import SERIES, SIGNED, SPECTROGRAM, over_time
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS
from inside_musicnn.sound.spectrogram import band_edges

KINDS = {"db_mel": SPECTROGRAM, "series": SERIES, "signed": SIGNED, "line": ""}
WORDS = {SPECTROGRAM: "magma", SERIES: "viridis", SIGNED: "blue below zero, red above", "": ""}
HERTZ = {100: "100 Hz", 500: "500 Hz", 1000: "1 kHz", 2000: "2 kHz", 4000: "4 kHz", 7000: "7 kHz"}
INKS = ("#0072b2", "#d55e00", "#4d4d4d", "#009e73", "#aa4499", "#946200")  # of lines, on white
LIGHT = 25_000  # bytes of a picture
LABEL = 10  # pixels from one label in the gutter to the next
STEPS = 1000  # heights of lines are drawn in thousandths


@dataclass(frozen=True, eq=False)
class Strip:
    """One picture over time.

    Attributes:
        title: what it shows, above it.
        values: shape (frames, rows), or patches side by side (n, frames, rows); for lines also
            (frames,). Row 0 is drawn at the bottom.
        kind: "db_mel" (magma, 96 mel bands), "series" (viridis), "signed" (blue and red, zero in
            the middle) or "line" (one line per row).
        rows: names of the rows; where there is no room for all, some are shown.
        low, high: ends of the scale of colours or values; those of the values if None.
        limit: for "signed": the scale goes from -limit to limit.
        height: pixels; 120 for "db_mel", 90 for others.
    """

    title: str
    values: Any
    kind: str = "db_mel"
    rows: Any = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    height: int | None = None


def matrix_of(strip: Strip) -> np.ndarray:
    """Values over time, shape (frames, rows).

    Raises:
        InputError: one sentence, if they or their scale cannot be shown.
    """
    name = f"The strip '{strip.title}'"
    if strip.kind not in KINDS:
        raise InputError(f"{name} is of kind '{strip.kind}'; choose one of {', '.join(KINDS)}.")
    matrix = np.asarray(strip.values)
    shape = matrix.shape
    if matrix.ndim == 1 and strip.kind == "line":
        matrix = matrix[:, None]
    matrix = over_time(matrix) if matrix.ndim == 3 else matrix
    if matrix.ndim != 2 or not matrix.size:
        raise InputError(f"{name} has shape {shape}; it must be (frames, rows) or (patches, "
                         "frames, rows), for a line also (frames,).")
    if not np.isfinite(matrix).all():
        raise InputError(f"{name} has values that are not a number or infinite; replace them "
                         "first.")
    count = matrix.shape[1]
    if strip.kind == "db_mel" and count != BANDS:
        raise InputError(f"{name} has {count} rows; a dB mel spectrogram has {BANDS}, and other "
                         "matrices are of kind 'series' or 'signed'.")
    if strip.kind == "line" and count > len(INKS):
        raise InputError(f"{name} has {count} lines; more than {len(INKS)} cannot be told apart, "
                         "so show fewer, or all as kind 'series'.")
    if strip.rows is not None and len(strip.rows) != count:
        raise InputError(f"{name} has {count} rows and {len(strip.rows)} names for them; give one "
                         "name for each.")
    if strip.limit is not None and not strip.limit > 0:
        raise InputError(f"{name} has the limit {strip.limit}; it must be above 0.")
    low, high = _ends(strip, matrix)
    if low > high or (low == high and matrix.min() < matrix.max()):
        raise InputError(f"{name} has a scale from {low:g} to {high:g}; its low end must be below "
                         "its high end.")
    return matrix


def _ends(strip, matrix):
    """Lowest and highest value of the scale."""
    low, high = float(matrix.min()), float(matrix.max())
    if strip.kind == "signed":
        high = float(strip.limit or max(-low, high) or 1)
        return -high, high
    if strip.kind == "db_mel":
        low = min(low, 0.0)
    return (low if strip.low is None else float(strip.low),
            high if strip.high is None else float(strip.high))


def drawn(strip: Strip, matrix: np.ndarray, title: str) -> dict[str, Any]:
    """What the template `strip.html` shows of a strip.

    Args:
        matrix: from `matrix_of`, cut to what is shown.
        title: of the whole view, for the words that stand for the picture.
    """
    low, high = _ends(strip, matrix)
    height = int(strip.height or (120 if strip.kind == "db_mel" else 90))
    scale, lines = KINDS[strip.kind], strip.kind == "line"
    ends = f"{_number(low)} to {_number(high)}"
    if (matrix < low).any() or (matrix > high).any():
        ends += f" (values {_number(matrix.min())} to {_number(matrix.max())})"
    words = ", ".join(filter(None, [WORDS[scale], ends]))
    names = strip.rows if lines and strip.rows is not None else ()
    if lines:
        labels = [(0, _number(low)), (1, _number(high))] if high > low else [(0.5, _number(low))]
    else:
        labels = _row_names(strip, matrix.shape[1])
    return {
        "title": strip.title, "height": height, "frames": len(matrix), "words": words,
        "told": f"{strip.title}, over the time of: {title}. {words}",
        "lines": list(zip(INKS, names, strict=False)),
        "colours": [] if lines else _gradient(scale),
        "picture": None if lines else matrix_uri(matrix, scale, low, high, height=height,
                                                 light=LIGHT),
        "zero": f"{STEPS * high / (high - low):.0f}" if lines and low < 0 < high else None,
        "paths": _paths(matrix, low, high) if lines else [],
        "labels": _gutter(labels, height),
    }


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _gradient(scale: str) -> list[str]:
    stops = matplotlib.colormaps[scale](np.linspace(0, 1, 9))
    return [matplotlib.colors.to_hex(stop) for stop in stops]


def _paths(matrix, low, high):
    """Lines as (ink, height of the first point, moves), each point counted from the last."""
    share = (np.clip(matrix, low, high) - low) / ((high - low) or 1) if high > low else 0.5
    down = np.rint((1 - share) * STEPS * np.ones_like(matrix)).astype(int)
    return [(ink, points[0], " ".join(f"1 {move}" for move in np.diff(points)))
            for ink, points in zip(INKS, down.T, strict=False)]


def _row_names(strip, count):
    """Labels of the rows as (height between 0 and 1, words)."""
    if strip.kind == "db_mel" and strip.rows is None:
        places = np.interp(list(HERTZ), band_edges()[:, 1], np.arange(BANDS))
        return list(zip((places + 0.5) / BANDS, HERTZ.values(), strict=True))
    if strip.rows is not None:
        return [((row + 0.5) / count, str(name)) for row, name in enumerate(strip.rows)]
    return [((row + 0.5) / count, str(row)) for row in sorted({0, count - 1})]


def _gutter(labels, height):
    """Labels left of a picture as (pixels from its top, words), from the lowest up.

    Those that would touch another are left out.
    """
    shown, last = [], np.inf
    for share, words in labels:
        top = min(max((1 - share) * height, 6), height - 6)
        if last - top >= LABEL:
            shown.append((f"{top:.1f}", words))
            last = top
    return shown
