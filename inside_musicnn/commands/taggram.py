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

LONGEST = 2**20  # letters of a text that are held in memory
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
        damaged: bool, shape (patches,): which patches lack sound that is lost.
        notes: sentences on what is lost or doubtful.
    """

    file: str
    model: str
    labels: list[str]
    start: float
    scores: np.ndarray
    damaged: np.ndarray
    notes: tuple[str, ...] = ()

    def times(self) -> list[tuple[float, float]]:
        """Start and end of each patch, in seconds from the file's beginning."""
        starts = self.start + PATCH_SECONDS * np.arange(len(self.scores))
        return [(round(float(t), 4), round(float(t) + PATCH_SECONDS, 4)) for t in starts]

    def top(self, count: int) -> list[tuple[str, float]]:
        """The `count` most likely tags with their mean over the patches, most likely first."""
        mean = self.scores.mean(axis=0)
        return [(self.labels[i], float(mean[i])) for i in np.argsort(-mean, kind="stable")[:count]]


@dataclass(frozen=True)
class How:
    """How taggrams are written.

    Attributes:
        top: how many tags are named.
        terminal: whether it is written to one, on which no name may act.
        damaged: whether damaged files were asked for.
    """

    top: int = 10
    terminal: bool = False
    damaged: bool = False


def as_table(taggrams: Iterable[Taggram], how: How) -> Iterator[str]:
    """Pieces of a text for readers."""
    for number, found in enumerate(taggrams):
        end = found.times()[-1][1]
        plural = "es" * (len(found.scores) > 1)
        yield "\n" * (number > 0) + (
            f"{visible(found.file)}: {len(found.scores)} patch{plural}, {found.start:.1f} to "
            f"{end:.1f} s, {found.model}\n")
        for tag, score in found.top(how.top):
            yield f"  {score:.3f}  {tag}\n"


def as_json(taggrams: Iterable[Taggram], how: How) -> Iterator[str]:
    """Pieces of one JSON document: labels once, then each recording with all its patches."""
    begun = False
    for found in taggrams:
        if not begun:
            yield f'{{"model": {json.dumps(found.model)}, "labels": {json.dumps(found.labels)}, '
            yield '"recordings": ['
        yield ("," if begun else "") + "\n"
        begun = True
        top = [{"tag": tag, "score": _number(score)} for tag, score in found.top(how.top)]
        head = {"file": as_text(found.file), "notes": [as_text(note) for note in found.notes],
                "top": top}
        yield json.dumps(head)[:-1] + ', "patches": ['
        patches = zip(found.times(), found.damaged, found.scores, strict=True)
        for number, ((start, end), damaged, scores) in enumerate(patches):
            yield (", " if number else "") + json.dumps({
                "start": start, "end": end, "damaged": bool(damaged),
                "scores": [_number(score) for score in scores]})
        yield "]}"
    if begun:
        yield "\n]}\n"


def as_csv(taggrams: Iterable[Taggram], how: How) -> Iterator[str]:
    """Pieces of one CSV table: a row for each patch of each recording, a column for each tag.

    Where damaged files were asked for, a column before the tags says which patches lack sound.
    """
    begun = False
    for found in taggrams:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        if not begun:
            table.writerow(["file", "start", "end", *["damaged"] * how.damaged, *found.labels])
        begun = True
        file = visible(found.file) if how.terminal else as_text(found.file)
        if file.startswith(FORMULA):
            file = os.path.join(".", file)  # the same file, and no formula
        for times, damaged, scores in zip(found.times(), found.damaged, found.scores, strict=True):
            mark = [str(bool(damaged)).lower()] * how.damaged
            table.writerow([file, *times, *mark, *map(_number, scores)])
            if text.tell() > LONGEST:
                yield text.getvalue()
                text.seek(0)
                text.truncate()
        yield text.getvalue()


def _number(score: float) -> float:
    """A float32 as the shortest number that is read as the same float32 again."""
    return float(str(np.float32(score)))
