"""The clips that come with the book, in data/: their names, titles and files."""

import json
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"


def clip_names() -> dict[str, str]:
    """Names of the clips in data/, mapped to their titles."""
    entries = json.loads((DATA / "clips.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry["title"] for entry in entries}


def clip_file(name: str) -> Path:
    """The file of a clip in data/."""
    return DATA / f"{name}.ogg"
