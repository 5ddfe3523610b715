"""Whose sound it is: what a page says beside every player and in every list of sounds."""

from typing import Any

from helpers.page.values import Markdown, plain
from inside_musicnn.sound.clips import Clip
from inside_musicnn.sound.shipped import clip_facts

UNKNOWN = "a file from outside the book"


def kind_in_words(clip: Clip) -> str:
    """"recording", "synthesised", or that the book knows nothing of the file."""
    return clip.kind or UNKNOWN


def credit(clip: Clip) -> str:
    """Title, author, kind and licence as plain text, for the caption of a player."""
    facts = _facts(clip)
    title = facts.get("title", clip.title)
    title = f"{title} by {facts['author']}" if facts.get("author") else title
    return f"{title} ({', '.join(filter(None, [kind_in_words(clip), facts.get('licence', '')]))})"


def credit_line(clip: Clip) -> Markdown:
    """The same as Markdown, with what is heard and a link to the licence, for the text."""
    facts = _facts(clip)
    parts = [f"**{plain(facts.get('title', clip.title))}**"]
    if author := facts.get("author"):
        parts.append(f" by {plain(author)}")
    about = plain(kind_in_words(clip))
    if heard := facts.get("people") or facts.get("style"):
        said = f" of {plain(heard)}" if facts.get("people") else f", {plain(heard)}"
        about = Markdown(about + said)
    licence = plain(facts.get("licence", ""))
    if licence and facts.get("link"):
        licence = Markdown(f"[{licence}]({facts['link']})")
    changes = plain(facts.get("changes", ""))
    return Markdown("".join(parts) + f" ({'; '.join(filter(None, [about, changes, licence]))})")


def _facts(clip: Clip) -> dict[str, Any]:
    """What the book's list tells of it; nothing of sounds that are in no list."""
    return clip_facts(clip.name) if clip.kind and clip.path is not None else {}
