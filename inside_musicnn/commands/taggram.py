"""The taggram of a recording, and taggrams as a table to read, as JSON and as CSV."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from inside_musicnn.file_names import as_text, visible
from inside_musicnn.sound.spectrogram import PATCH_SECONDS

FORMULA = tuple("=+-@\t\r")  # a spreadsheet takes a cell that begins so for a formula


@dataclass(frozen=True)
class Taggram:
    """The tags' scores of each patch of one recording.

    Attributes:
        file: how the reader named it.
        model: the network's name.
        labels: its tags.
        start: where the first patch begins, in seconds.
        scores: shape (patches, 50), float32 between 0 and 1, columns as `labels`.
    """

    file: str
    model: str
    labels: list[str]
    start: float
    scores: np.ndarray

    def times(self) -> list[tuple[float, float]]:
        """Start and end of each patch, in seconds from the file's beginning."""
        starts = self.start + PATCH_SECONDS * np.arange(len(self.scores))
        return [(round(float(t), 4), round(float(t) + PATCH_SECONDS, 4)) for t in starts]

    def top(self, count: int) -> list[tuple[str, float]]:
        """The `count` most likely tags with their mean over the patches, most likely first."""
        mean = self.scores.mean(axis=0)
        return [(self.labels[i], float(mean[i])) for i in np.argsort(-mean, kind="stable")[:count]]


def as_table(taggrams: Iterable[Taggram], top: int, terminal: bool) -> Iterator[str]:
    """Pieces of a text for readers; `terminal` is not asked for: names never act on it."""
    for number, found in enumerate(taggrams):
        end = found.times()[-1][1]
        plural = "es" * (len(found.scores) > 1)
        yield "\n" * (number > 0) + (
            f"{visible(found.file)}: {len(found.scores)} patch{plural}, {found.start:.1f} to "
            f"{end:.1f} s, {found.model}\n")
        for tag, score in found.top(top):
            yield f"  {score:.3f}  {tag}\n"


def as_json(taggrams: Iterable[Taggram], top: int, terminal: bool) -> Iterator[str]:
    """Pieces of one JSON document: labels once, then each recording with all its patches."""
    begun = False
    for found in taggrams:
        entry = {
            "file": as_text(found.file),
            "top": [{"tag": tag, "score": _number(score)} for tag, score in found.top(top)],
            "patches": [
                {"start": start, "end": end, "scores": [_number(score) for score in scores]}
                for (start, end), scores in zip(found.times(), found.scores, strict=True)],
        }
        if begun:
            yield ","
        else:
            yield f'{{"model": {json.dumps(found.model)}, "labels": {json.dumps(found.labels)}, '
            yield '"recordings": ['
        begun = True
        yield "\n" + json.dumps(entry)
    if begun:
        yield "\n]}\n"


def as_csv(taggrams: Iterable[Taggram], top: int, terminal: bool) -> Iterator[str]:
    """Pieces of one CSV table: a row for each patch of each recording, a column for each tag."""
    begun = False
    for found in taggrams:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        if not begun:
            table.writerow(["file", "start", "end", *found.labels])
        begun = True
        file = visible(found.file) if terminal else as_text(found.file)
        if file.startswith(FORMULA):
            file = os.path.join(".", file)  # the same file, and no formula
        for times, scores in zip(found.times(), found.scores, strict=True):
            table.writerow([file, *times, *map(_number, scores)])
        yield text.getvalue()


def _number(score: float) -> float:
    """A float32 as the shortest number that is read as the same float32 again."""
    return float(str(np.float32(score)))
