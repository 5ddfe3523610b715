"""Which 30 seconds of which recordings come with the book.

The rules. They were set down before anything was looked at, but for a few that a first look
changed; these are marked (*), and why is told below.

1. Only recordings whose licence allows it (`Work.ship`), and that last at least a minute.
2. Of each style in `PLACES`, so many (*). The styles are what the packages say of their music;
   those with players and singers come first. At most `MOST_OF_A_SOURCE` are of one source (*).
   Inside a style the recordings are those farthest from one another, beginning with the one
   nearest to the style's middle; where somebody is said to sing, those in which the networks hear
   a voice best (*).
3. Of each word in `WORDS`, one more: of the recordings left, the one to which the networks give
   that tag the highest mean score; no source twice in this rule.
4. `FURTHER` more, so that the tags of both networks are spread: each time the recording whose mean
   scores are farthest from those of all that are chosen already; at most two of one source in all.
5. In a recording, starts are tried at every full second, so that the excerpt lies between a tenth
   and nine tenths of its length. A start is out if a second of the excerpt is more than `SILENCE`
   dB below the loudest one or under -50 dB, or if the first and last five seconds differ by more
   than `FADE` dB. Where nobody is said to sing, the excerpt whose mean scores, by both networks,
   are nearest to those of the whole recording is taken; the scores are of the patches that lie
   inside it. Where somebody is, the one in which the networks hear a voice best (*).

(*) Metal with a woman's voice got a fifth place, because there are few singers. "High Score Music"
was first counted as guitar rock, which its package does not say of it.
Where people sing was first sought by the sound alone, as what is alike in both channels between 300
and 4000 Hz; by the vocal tags of both networks, those were passages without singing. So voices are
now sought by these tags. That makes the excerpts with voice no evidence on how well the networks
hear voices.

Distances are between square roots of mean scores, so that small scores count. Nothing here is
drawn by lot; ties go to what comes first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inside_musicnn.corpus import read_corpus
from inside_musicnn.errors import InputError
from inside_musicnn.network.weights import MODELS
from inside_musicnn.sound.spectrogram import PATCH_SECONDS
from making.recordings.catalogue import Work
from making.recordings.packages import PLACE

SECONDS = 30
SHORTEST = 60.0  # seconds
PLACES = {
    "metal with a woman's voice": 5, "death metal": 3, "guitar metal": 3, "guitar rock": 4,
    "cello": 1, "orchestra": 1, "waltz of 1936": 1, "trance": 2, "electronic": 3,
    "music on hold": 1}
WORDS = ("techno", "ambient", "piano", "sitar", "flute", "strings", "choir", "jazz")
FURTHER = 7
MOST_OF_A_SOURCE = 5
VOCAL = ("female vocalists", "male vocalists", "female vocal", "male vocal", "female", "male",
         "female voice", "male voice", "vocals", "vocal", "voice", "singing")
SILENCE, FADE, QUIETEST = 25.0, 6.0, -50.0  # dB


@dataclass(frozen=True)
class Scores:
    """What both networks gave the patches of one recording.

    Attributes:
        values: shape (patches, 100): the tags of the first network, then those of the second.
        labels: the tags, in that order; some are in it twice.
    """

    values: np.ndarray
    labels: tuple[str, ...]

    @property
    def place(self) -> np.ndarray:
        """Where the recording stands among others: roots of the mean scores, shape (100,)."""
        return np.sqrt(self.values.mean(axis=0))

    @property
    def voice(self) -> np.ndarray:
        """How much of a voice the networks hear in each patch: the mean of the vocal tags."""
        return self.values[:, [label in VOCAL for label in self.labels]].mean(axis=1)

    @property
    def best_voice(self) -> float:
        """The same in the best excerpt."""
        count = min(len(self.values), int(SECONDS / PATCH_SECONDS))
        return float(np.convolve(self.voice, np.full(count, 1 / count), "valid").max())

    def of(self, tag: str) -> float:
        """The mean score of a tag, by the networks that have it."""
        columns = [number for number, label in enumerate(self.labels) if label == tag]
        if not columns:
            raise InputError(f"Neither network has the tag '{tag}'.")
        return float(self.values[:, columns].mean())


def read_scores(place: Path = PLACE) -> dict[str, Scores]:
    """The scores of every recording of the corpus, by its id, from the whole data sets."""
    found: dict[str, list[np.ndarray]] = {}
    labels: list[str] = []
    for model in MODELS:
        data = read_corpus(place / "corpus" / model)
        labels += data.labels
        rows, vectors = data.patches(["tags"])
        for file, numbers in rows.groupby("file").indices.items():
            found.setdefault(Path(str(file)).stem, []).append(vectors["tags"][numbers])
    return {name: Scores(np.concatenate(parts, axis=1), tuple(labels))
            for name, parts in found.items()}


def choose_works(works: Sequence[Work], scores: Mapping[str, Scores]) -> dict[str, str]:
    """The recordings that get an excerpt: id -> the rule that chose it. See the top of the file."""
    left = [work for work in works if work.ship and work.seconds >= SHORTEST]
    places = {work.id: scores[work.id].place for work in left}
    chosen: dict[str, str] = {}
    of_source: dict[str, int] = {}

    def take(work: Work, rule: str) -> None:
        chosen[work.id] = rule
        of_source[work.source] = of_source.get(work.source, 0) + 1

    def free(most: int) -> list[Work]:
        return [work for work in left
                if work.id not in chosen and of_source.get(work.source, 0) < most]

    for style, count in PLACES.items():
        mates: list[Work] = []
        for _ in range(count):
            candidates = [work for work in free(MOST_OF_A_SOURCE) if work.style == style]
            if not candidates:
                raise InputError(f"There are not {count} recordings of the style '{style}'.")
            sung = [work for work in candidates if work.voice]
            mates.append(max(sung, key=lambda work: scores[work.id].best_voice) if sung
                         else _farthest(candidates, mates, places))
            take(mates[-1], f"style: {style}")
    taken: set[str] = set()
    for word in WORDS:
        best = max((work for work in free(2) if work.source not in taken),
                   key=lambda work: scores[work.id].of(word))
        taken.add(best.source)
        take(best, f"highest mean score of {word}")
    for _ in range(FURTHER):
        mates = [work for work in left if work.id in chosen]
        take(_farthest(free(2), mates, places), "tags farthest from those of the others")
    return chosen


def _farthest(candidates: Sequence[Work], mates: Sequence[Work], places: Mapping[str, np.ndarray]
              ) -> Work:
    """The candidate farthest from its nearest mate; without mates, nearest to the middle of all."""
    points = np.array([places[work.id] for work in candidates])
    if not mates:
        return candidates[int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    others = np.array([places[work.id] for work in mates])
    gaps = np.linalg.norm(points[:, None] - others[None], axis=2).min(axis=1)
    return candidates[int(gaps.argmax())]


def choose_start(work: Work, scores: Scores, sound: np.ndarray) -> int:
    """The second at which the excerpt of a recording begins.

    Args:
        sound: all of it, shape (n, channels), at `work.rate`.

    Raises:
        InputError: every start is silent somewhere or fades.
    """
    levels = second_levels(sound, work.rate)
    starts = [start for start in _starts(len(levels)) if _is_even(levels[start : start + SECONDS])]
    if not starts:
        raise InputError(f"'{work.title}' has no 30 seconds without silence and fades.")
    if work.voice:
        return max(starts, key=lambda start: _inside(scores.voice, start).mean())
    whole = scores.place
    return min(starts, key=lambda start: np.linalg.norm(
        np.sqrt(_inside(scores.values, start).mean(axis=0)) - whole))


def _starts(seconds: int) -> Iterable[int]:
    return range(int(np.ceil(0.1 * seconds)), int(0.9 * seconds) - SECONDS + 1)


def _is_even(levels: np.ndarray) -> bool:
    """Neither silent in any second, nor a fade."""
    fade = abs(levels[:5].mean() - levels[-5:].mean())
    return bool(levels.min() >= max(levels.max() - SILENCE, QUIETEST) and fade <= FADE)


def _inside(values: np.ndarray, start: int) -> np.ndarray:
    """Rows of the patches that lie inside the excerpt."""
    return values[int(np.ceil(start / PATCH_SECONDS)) : int((start + SECONDS) / PATCH_SECONDS)]


def second_levels(sound: np.ndarray, rate: int) -> np.ndarray:
    """Level of each full second in dB below full scale, all channels together."""
    count = len(sound) // rate
    power = (sound[: count * rate].astype(np.float64) ** 2).reshape(count, -1).mean(axis=1)
    return 10 * np.log10(power + 1e-12)
