"""What the cut of a segment does to the maxima over time, and what order the network hears.

Of each excerpt three segments with music on either side. When the series that leave the second
stage have their maxima: cut as usual; the same segment backwards; and cut out of the series of a
longer piece, so that the music is the same and there is no edge. How far the scores are moved by
that, and by a cut eight frames later. Then frames of the input, or of U, in another order: blocks
dealt anew four times, or all backwards.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.evidence.corpus import EXCERPT
from helpers.evidence.nulls import dealt_in_blocks
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.layers import FRAMES, ROWS, UNITS
from making.studies.subject import Subject

SEGMENTS, AROUND, LATER = (2, 5, 8), 93, 8  # of the excerpt; frames on either side; frames
LENGTHS, DEALS = (1, 7, 23, 47, 94), 4
WAYS = ("as usual", "backwards", "no edge")

MEANINGS = {
    "frames": "counts: how often a live series of U, V-hat 1, the sum of two and the sum of three "
              "has its maximum in a frame, as usual, backwards, without an edge, (3, 4, 187)",
    "scores": "mean scores of the three segments, (50,)",
    "edge": "mean change of a score without the edge, and with the cut eight frames later, (2,)",
    "order": "mean change of a score with frames dealt in blocks of 1, 7, 23, 47, 94, and "
             "backwards, of the input and of U, (6, 2)",
    "stay": "how many of the five highest tags stay if the segments are played backwards, mean",
}
DTYPES = {"frames": "uint16", "scores": "float16", "edge": "float32", "order": "float32",
          "stay": "float16"}


def takes(rows: Sequence[Any]) -> list[Any]:
    """The excerpts, whose patches follow one another."""
    return [row for row in rows if row.group == EXCERPT]


def measure(subject: Subject) -> dict[str, np.ndarray]:
    """One excerpt: see MEANINGS."""
    engine, sound = subject.engine, subject.patches.reshape(-1, subject.patches.shape[2])
    starts = [number * FRAMES for number in SEGMENTS if (number + 2) * FRAMES <= len(sound)]
    patches = np.stack([sound[start : start + FRAMES] for start in starts])
    later = np.stack([sound[start + LATER : start + LATER + FRAMES] for start in starts])
    longer = np.stack([sound[start - AROUND : start + FRAMES + AROUND] for start in starts])
    u = engine.first_stage(patches)
    series = [engine.second_stage(u), engine.series(patches[:, ::-1]),
              engine.series(longer)[..., AROUND : AROUND + FRAMES]]
    usual, backwards, free = (scores_of(engine, each) for each in series)
    order: list[list[float]] = []
    for length in LENGTHS:
        deals = [dealt_in_blocks(length, subject.random) for _ in range(DEALS)]
        of_input, of_u = zip(*(
            (engine.series(patches[:, deal]), engine.second_stage(u[..., deal]))
            for deal in deals), strict=True)
        order.append([np.mean([np.abs(scores_of(engine, each) - usual) for each in place])
                      for place in (of_input, of_u)])
    of_u = scores_of(engine, engine.second_stage(u[..., ::-1].copy()))
    order.append([np.abs(backwards - usual).mean(), np.abs(of_u - usual).mean()])
    at_later = scores_of(engine, engine.series(later))
    return {"frames": np.array([counts(engine, each) for each in series]),
            "scores": usual.mean(axis=0), "order": np.array(order),
            "edge": np.array([np.abs(free - usual).mean(), np.abs(at_later - usual).mean()]),
            "stay": np.mean([len(set(one) & set(other)) for one, other in zip(
                five(usual), five(backwards), strict=True)])}


def scores_of(engine: Compact, series: np.ndarray) -> np.ndarray:
    """Scores, (segments, 50), from what varies in the series, (rows, segments, frames)."""
    return engine.final(*engine.pooled(series), ["tags/sigmoid"])["tags/sigmoid"]


def five(scores: np.ndarray) -> np.ndarray:
    return np.argsort(-scores, axis=1, kind="stable")[:, :5]


def counts(engine: Compact, series: np.ndarray, rounding: float = 1e-6) -> np.ndarray:
    """In which frame the series have their maxima, by part, (4, 187).

    A series whose maximum several frames share, but for rounding, does not count.
    """
    signs = np.where(engine.folded.dense.gain < 0, -1, 1).astype(np.float32)
    values = series * signs[:, None, None]
    highest = values.max(axis=2, keepdims=True)
    as_high = values >= highest - rounding * np.maximum(1, np.abs(highest))
    one = as_high.sum(axis=2) == 1
    frame, part = values.argmax(axis=2), part_of(engine.folded.dense.rows)
    found = np.zeros((4, FRAMES), int)
    np.add.at(found, (np.repeat(part[:, None], one.shape[1], axis=1)[one], frame[one]), 1)
    return found


def part_of(rows: np.ndarray) -> np.ndarray:
    """Which of the four parts of the second stage's output each row belongs to, 0 to 3."""
    return np.where(rows < ROWS, 0, 1 + (rows - ROWS) // UNITS)
