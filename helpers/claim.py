"""What a claim of the articles is, and how it is measured: the machinery of the claims ledger.

The claims themselves stand in `claims_first_stage.py`, `claims_second_stage.py` and
`claims_final_stage.py`; `claims.py` puts them together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.audio import Clip
from helpers.network import MusiCNN
from helpers.units import constants, live_rows

CONFIRMED, REFUTED, YOURS = "confirmed", "refuted", "needs your own audio"
ANSWERED = "answered"  # of what the articles leave open
VERDICTS = (CONFIRMED, REFUTED, YOURS, ANSWERED)
TOLERANCE = 1e-4  # how far a tag may move for the tags to count as unchanged
GTZAN = "disco.00083"  # the excerpt of the articles, by the name that its file usually has


class Context:
    """What claims are measured on: both networks, opened when first asked for, and a clip.

    Args:
        clip: a Clip, or None: then claims that need one stay open.
        patches: at most so many patches of the clip are used.
    """

    def __init__(self, clip: Clip | None = None, patches: int = 4):
        self.clip, self.count = clip, patches
        self.memory = {}  # tensors that several claims share

    @cached_property
    def msd(self):
        """The network that the articles look at most."""
        return MusiCNN("MSD_musicnn")

    @cached_property
    def mtt(self):
        return MusiCNN("MTT_musicnn")

    @cached_property
    def patches(self):
        """Patches of the clip; without a clip, noise, for claims that hold for any input."""
        if self.clip is None:
            noise = np.random.default_rng(0).uniform(0, 4, (1, 187, 96))
            return noise.astype(np.float32)
        return self.clip.patches()[: self.count]

    @cached_property
    def u(self):
        """U of the first network, and its tags."""
        acts = self.msd.activations(self.patches, ["cnn_1/out", "tags/sigmoid"])
        return acts["cnn_1/out"], acts["tags/sigmoid"]

    @cached_property
    def dead(self):
        """Which rows of U of the first network are dead."""
        dead = np.ones(len(constants(self.msd)), bool)
        dead[live_rows(self.msd)] = False
        return dead

    def has(self, needs):
        """Whether the audio that a claim needs is at hand."""
        if needs == "GTZAN":
            return self.clip is not None and self.clip.name.startswith(GTZAN)
        return not needs or self.clip is not None


@dataclass(frozen=True)
class Claim:
    """One checkable claim.

    Attributes:
        part: number of the article.
        text: the claim in our words.
        value: what the article gives.
        needs: "", or the audio without which it cannot be measured: "clip" for any, "GTZAN" for
            the excerpt of the articles.
        measure: from a Context to our value as text and one of VERDICTS.
        chapter: number of the chapter that shows it.
        section: anchor of the section with its figure, or "" for the chapter as a whole.
    """

    part: int
    text: str
    value: str
    needs: str
    measure: Callable[[Context], tuple[str, str]]
    chapter: int
    section: str = ""


@dataclass(frozen=True)
class Entry:
    """A claim as measured."""

    claim: Claim
    ours: str
    verdict: str


CLAIMS: list[Claim] = []


def claim(part, text, value, needs="", chapter=None, section=""):
    """Decorator: adds a claim with the decorated function as its measure.

    The chapter is the one with the part's number, if no other is given.
    """

    def add(measure):
        CLAIMS.append(Claim(part, text, value, needs, measure, chapter or part, section))
        return measure

    return add


def ledger(context, claims=None):
    """Every claim as measured in this context, in the order of CLAIMS.

    A claim whose audio is not at hand is not measured, and gets the verdict "needs your own
    audio".
    """
    entries = []
    for each in CLAIMS if claims is None else claims:
        if context.has(each.needs):
            entries.append(Entry(each, *each.measure(context)))
        else:
            missing = "the GTZAN excerpt" if each.needs == "GTZAN" else "a clip"
            entries.append(Entry(each, f"not measured: {missing} is not at hand", YOURS))
    return entries


def verdict(holds):
    return CONFIRMED if holds else REFUTED
