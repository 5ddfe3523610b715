"""The cover of a site: its title and its first page name the recording.

Names come from files, so each is made harmless for the place where it stands.
"""

import html
from pathlib import Path

import yaml

from inside_musicnn.file_names import as_text, visible
from inside_musicnn.sound.shipped import RECORDING, SYNTHESISED, clip_facts, kind_of
from making.running.plan import Recording
from making.running.templates import text

WORDS = {SYNTHESISED: "Synthesised clip", RECORDING: "Excerpt of a recording"}
LONGEST = 80  # characters of a name in a title


def short(title: str, longest: int = LONGEST) -> str:
    """A title on one line, of bounded length, that turns nothing around; still not HTML."""
    text = visible(" ".join(as_text(title).split()))
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def read_config(folder: Path) -> dict:
    return yaml.safe_load((folder / "_config.yml").read_text(encoding="utf-8")) or {}


def write_config(config: dict, folder: Path) -> None:
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    (folder / "_config.yml").write_text(text, encoding="utf-8")


def name_recording(config: dict, title: str) -> None:
    """Put a recording's title into the title of the site, and beside its logo."""
    if not title:
        return
    config["title"] = f"{config.get('title', 'Book')}: {short(title)}"
    theme = sphinx_settings(config).setdefault("html_theme_options", {})
    # The theme sets this text into its page as it is.
    theme.setdefault("logo", {})["text"] = html.escape(config["title"])


def sphinx_settings(config: dict) -> dict:
    return config.setdefault("sphinx", {}).setdefault("config", {})


def write_card(recording: Recording, folder: Path) -> None:
    """Write book/_generated/recording.md, which the first page includes."""
    file = folder / "book" / "_generated" / "recording.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(card(recording), encoding="utf-8")


def card(recording: Recording) -> str:
    """What the site is about, in Markdown: recording, network, which seconds."""
    start = recording.parameters.get("start", 0.0)
    kind = kind_of(recording.file) if recording.file else ""
    facts = clip_facts(recording.file.stem) if recording.file and kind else {}
    return text("recording.md", what=WORDS.get(kind, "Recording"), title=short(recording.title),
                file=short(recording.file_name), author=facts.get("author", ""),
                licence=facts.get("licence", ""), model=recording.parameters.get("model"),
                start=start, end=start + recording.seconds, notes=list(recording.notes))
