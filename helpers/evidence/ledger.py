"""The claims of the articles, each with the one function that measures it.

Chapters and the page "Claims ledger" ask the same functions, so thresholds, verdicts and numbers
are the same in both. The texts stand in `claims.yml`, the functions in `measures/`.

A rule stands before the look and can fall both ways. What is counted is confirmed if the count is
the article's. What the articles saw on one recording is asked of many: confirmed if it holds in at
least three quarters of them and the interval lies above one half, refuted if it holds in at most a
quarter and the interval lies below, else qualified. Answers of ours to open questions are proposed,
each with what would refute it. What rounding could turn is told as a tie: see `margins`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from helpers.evidence.intervals import Interval, share
from helpers.evidence.margins import Answer
from helpers.page.say import render
from inside_musicnn.errors import InputError
from inside_musicnn.network.musicnn import MusiCNN
from inside_musicnn.network.units import constants, live_rows
from inside_musicnn.sound.clips import Clip

CONFIRMED, QUALIFIED, REFUTED = "confirmed", "qualified", "refuted"
YOURS = "needs your own audio"
PROPOSED = "proposed"  # of ours, to what the articles leave open
VERDICTS = (CONFIRMED, QUALIFIED, REFUTED, YOURS, PROPOSED)
ARCHITECTURE, FINDING = "architecture", "finding"  # counts of the architecture; what was found
KINDS = (ARCHITECTURE, FINDING)
MOST, HALF, LEAST = 0.75, 0.5, 0.25  # of the recordings, for what is asked of many
STUDY = "articles_claims"
GTZAN = "disco.00083"  # the excerpt of the articles, by the name that its file usually has
TEXTS = Path(__file__).with_name("claims.yml")
ON_MUSIC = ("<% if not tie %>; it << 'holds' if here else 'does not hold' >> here<% endif %>; in "
            "<< of_recordings.share | percent >> of << of_recordings.count >> recordings it holds "
            "(<< of_recordings.low | percent >> to << of_recordings.high | percent >>)")
TIE = "; on this recording too close to call"


class Context:
    """What claims are measured on: both networks, opened when first asked for, and a clip.

    Args:
        clip: a Clip, or None: then claims that need one stay open.
        segments: at most so many patches of the clip are used.
        alone: whether this clip is to be looked at alone, and not the stored recordings: so the
            study of these looks at each.
    """

    def __init__(self, clip: Clip | None = None, segments: int = 4, alone: bool = False):
        self.clip, self.segments, self.alone = clip, segments, alone
        self.memory: dict[str, Any] = {}  # tensors that several claims share

    @cached_property
    def msd(self) -> MusiCNN:
        """The network that the articles look at most."""
        return MusiCNN("MSD_musicnn")

    @cached_property
    def mtt(self) -> MusiCNN:
        return MusiCNN("MTT_musicnn")

    @cached_property
    def patches(self) -> np.ndarray:
        """Patches of the clip; without a clip, noise, for claims that hold for any input."""
        if self.clip is None:
            noise = np.random.default_rng(0).uniform(0, 4, (1, 187, 96))
            return noise.astype(np.float32)
        return self.clip.patches()[: self.segments]

    @cached_property
    def u(self) -> tuple[np.ndarray, np.ndarray]:
        """U of the first network, (patches, frames, 561), and its tags, (patches, 50)."""
        acts = self.msd.activations(self.patches, ["cnn_1/out", "tags/sigmoid"])
        return acts["cnn_1/out"], acts["tags/sigmoid"]

    @cached_property
    def dead(self) -> np.ndarray:
        """Which rows of U of the first network are dead, (561,)."""
        dead = np.ones(len(constants(self.msd)), bool)
        dead[live_rows(self.msd)] = False
        return dead

    def has(self, needs: str) -> bool:
        """Whether the audio that a claim needs is at hand."""
        if needs == "GTZAN":
            return self.clip is not None and self.clip.name.startswith(GTZAN)
        return not needs or self.clip is not None


Measure = Callable[[Context], tuple[str, dict[str, Any]]]
MEASURES: dict[str, Measure] = {}


def measures(function: Measure) -> Measure:
    """Decorator: the function measures the claim of its name, less a leading underscore.

    It returns one of VERDICTS and the values that the claim's text shows.
    """
    MEASURES[function.__name__.strip("_")] = function
    return function


@dataclass(frozen=True)
class Claim:
    """One checkable claim, as `claims.yml` has it.

    Attributes:
        id: its name, and that of its measure.
        part: number of the article.
        claim: the claim in our words.
        article: what the article gives.
        kind: "architecture", if it is a count of what was built, or "finding".
        ours: template of what is measured here.
        needs: "", or the audio without which it cannot be measured: "clip" for any, "GTZAN" for
            the excerpt of the articles.
        chapter: number of the chapter that shows it.
        section: anchor of the section with its figure, or "" for the chapter as a whole.
        refuted_by: of an open question with an answer of ours: what would refute the answer.
    """

    id: str
    part: int
    claim: str
    article: str
    ours: str
    kind: str = FINDING
    needs: str = ""
    chapter: int = 0
    section: str = ""
    refuted_by: str = ""

    @property
    def measure(self) -> Measure:
        return _measures()[self.id]


@dataclass(frozen=True)
class Entry:
    """A claim as measured.

    Attributes:
        claim: the claim.
        verdict: one of VERDICTS.
        ours: what was measured, in words, as Markdown.
        values: the same as numbers, by name; empty if it could not be measured.
    """

    claim: Claim
    verdict: str
    ours: str
    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(f"The claim has no value '{name}'.") from None


@cache
def claims() -> dict[str, Claim]:
    """Every claim by its id, in the order of the articles."""
    import yaml

    entries = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    return {entry["id"]: Claim(**{"chapter": entry["part"]} | entry) for entry in entries}


@cache
def _measures() -> dict[str, Measure]:
    # They import this module for the decorator.
    from helpers.evidence.measures import final_stage, first_stage, second_stage  # noqa: F401

    return MEASURES


def measure(name: str, context: Context) -> Entry:
    """One claim as measured in this context.

    Its values are attributes, too: `measure("live_rows", context).count`. A claim whose audio is
    not at hand is not measured, and gets the verdict "needs your own audio".

    Raises:
        InputError: there is no such claim.
    """
    if name not in claims():
        raise InputError(f"There is no claim '{name}'; choose one of {', '.join(claims())}.")
    return _measured(claims()[name], context)


def ledger(context: Context, chosen: Iterable[Claim] | None = None) -> list[Entry]:
    """Every claim, or the chosen ones, as measured in this context, in the articles' order."""
    return [_measured(claim, context) for claim in chosen or claims().values()]


def _measured(claim: Claim, context: Context) -> Entry:
    if not context.has(claim.needs):
        missing = "the GTZAN excerpt" if claim.needs == "GTZAN" else "a clip"
        return Entry(claim, YOURS, f"not measured: {missing} is not at hand", {})
    verdict, values = claim.measure(context)
    template = claim.ours + (TIE if values.get("tie") else "")
    template += ON_MUSIC if "of_recordings" in values else ""
    ours = render(template, values, f"The text of the claim '{claim.id}'")
    return Entry(claim, verdict, ours, values)


def holds(true: bool | np.bool_ | Answer, nearly: bool | np.bool_ = False) -> str:
    """The verdict on a claim that is true, true with a proviso that `ours` tells, or false.

    A tie is such a proviso.
    """
    return CONFIRMED if true else QUALIFIED if nearly or true is Answer.TIE else REFUTED


def told(true: Answer, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The verdict on a claim that a comparison with a margin decides, and its values."""
    return holds(true), values | {"tie": true is Answer.TIE}


def on_music(context: Context, name: str, true: Answer, values: dict[str, Any]
             ) -> tuple[str, dict[str, Any]]:
    """The verdict on what the articles say of their own recording.

    On that one it is judged there; with any other, by the share of the stored recordings in which
    the same is true.

    Args:
        name: of the claim.
        true: whether it holds on this clip, as `here` and `tie` in the values.
    """
    values = values | {"here": bool(true), "tie": true is Answer.TIE}
    if context.has("GTZAN"):
        return holds(true), values
    if context.alone:
        return YOURS, values
    found, count = _share_of_recordings(name)
    values["of_recordings"] = {"share": float(found.estimate), "low": float(found.low),
                               "high": float(found.high), "count": count}
    return by_share(values["of_recordings"]), values


def by_share(found: dict[str, Any]) -> str:
    """The verdict on what holds in a share of the recordings."""
    if found["share"] >= MOST and found["low"] > HALF:
        return CONFIRMED
    return REFUTED if found["share"] <= LEAST and found["high"] < HALF else QUALIFIED


@cache
def _share_of_recordings(name: str) -> tuple[Interval, int]:
    from helpers.evidence.studies import stored_study

    study = stored_study(STUDY, "MSD_musicnn")
    return share(study[name], study.sources), len(study.recordings)
