"""Moments of the shipped music, to be heard: whose they are, and from which second."""

from collections.abc import Mapping

import numpy as np

from helpers.evidence.music import Moment
from helpers.page.players import players
from helpers.page.values import Markdown, plain
from inside_musicnn.sound.clips import Clip
from inside_musicnn.sound.shipped import RECORDING, clip_facts
from inside_musicnn.sound.spectrogram import FRAME_SECONDS

SECONDS = 3.0


def caption(clip: Clip, start: float) -> str:
    """Such as "recording: Lucky 13, Stephen M. Cameron (CC-BY-SA-3.0), excerpt from 12.3 s"."""
    facts = clip_facts(clip.name)
    author = f", {facts['author']} ({facts['licence']})" if clip.kind == RECORDING else ""
    return f"{clip.kind}: {clip.title}{author}, excerpt from {start:.1f} s"


def credit(clip: Clip) -> Markdown:
    """Title, author and linked licence of a clip, for a table."""
    facts = clip_facts(clip.name)
    if clip.kind != RECORDING:
        return Markdown(f"{clip.kind}: {plain(clip.title)}")
    return Markdown(f"{clip.kind}: {plain(clip.title)}, {plain(facts['author'])} "
                    f"([{plain(facts['licence'])}]({facts['link']}))")


def around(moment: Moment, frames: int) -> float:
    """Where an excerpt of three seconds starts that has the kernel in its middle, in seconds."""
    middle = (moment.frame + frames / 2) * FRAME_SECONDS
    return float(np.clip(middle - SECONDS / 2, 0, max(moment.clip.duration - SECONDS, 0)))


def hear(moments: Mapping[str, tuple[Clip, float]]) -> None:
    """Players, each three seconds of a clip.

    Args:
        moments: from a few words to the clip and where to start in it, in seconds.
    """
    players({f"{words}; {caption(clip, start)}": clip.excerpt(start, SECONDS)
             for words, (clip, start) in moments.items()})
