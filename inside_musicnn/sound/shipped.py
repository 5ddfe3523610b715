"""The clips that come with the book, in data/: their names, titles, files and kinds.

There are two lists. Recordings are excerpts of music that people made; synthesised clips were made
by a program, from notes that are known. What needs a known truth asks for synthesised ones.
"""

import json
from functools import cache
from pathlib import Path

from inside_musicnn.errors import InputError

DATA = Path(__file__).resolve().parents[2] / "data"
SYNTHESISED, RECORDING = "synthesised", "recording"
LISTS = {SYNTHESISED: "clips.json", RECORDING: "recordings.json"}


def clip_names(kind: str | None = SYNTHESISED) -> dict[str, str]:
    """Names of the clips in data/, mapped to their titles.

    Args:
        kind: "synthesised" or "recording"; None for both.

    Raises:
        InputError: another kind.
    """
    if kind is not None and kind not in LISTS:
        raise InputError(f"There are no clips of the kind '{kind}'; choose {' or '.join(LISTS)}.")
    return {name: title for name, (title, _, of) in _entries().items() if kind in (None, of)}


def clip_file(name: str) -> Path:
    """The file of a clip in data/."""
    return DATA / _entries()[name][1]


def kind_of(file: Path) -> str:
    """The kind of a file in data/; "" for any other, of which nobody knows."""
    known = {DATA / inside: kind for _, inside, kind in _entries().values()}
    return known.get(file, "")


@cache
def _entries() -> dict[str, tuple[str, str, str]]:
    """Title, file below data/ and kind of every clip by its name."""
    found = {}
    for kind, file in LISTS.items():
        for entry in json.loads((DATA / file).read_text(encoding="utf-8")):
            found[entry["name"]] = (entry["title"], entry["file"], kind)
    return found
