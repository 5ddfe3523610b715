"""The clips that come with the book, in data/: their names, titles, files and kinds. The library
alone, without the book, has none.

There are two lists. Recordings are excerpts of music that people made; synthesised clips were made
by a program, from notes that are known. What needs a known truth asks for synthesised ones.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

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
    return {name: title for name, (title, _, of, _) in _entries().items() if kind in (None, of)}


def clip_facts(name: str) -> dict[str, Any]:
    """What the list of its kind tells of a clip: title, author or style, licence, and more.

    Raises:
        InputError: no clip has this name.
    """
    if name not in _entries():
        raise InputError(f"There is no clip '{name}' in data/; choose one of "
                         f"{', '.join(_entries())}." if _entries() else
                         f"There is no clip '{name}': the clips come with the book, not with the "
                         "library alone.")
    return dict(_entries()[name][3])


def clip_file(name: str) -> Path:
    """The file of a clip in data/."""
    return DATA / _entries()[name][1]


def kind_of(file: Path) -> str:
    """The kind of a file in data/; "" for any other, of which nobody knows."""
    known = {DATA / inside: kind for _, inside, kind, _ in _entries().values()}
    return known.get(file, "")


@cache
def _entries() -> dict[str, tuple[str, str, str, dict[str, Any]]]:
    """Title, file below data/, kind and all facts of every clip by its name."""
    found: dict[str, tuple[str, str, str, dict[str, Any]]] = {}
    if not all((DATA / file).is_file() for file in LISTS.values()):
        return {}
    for kind, file in LISTS.items():
        for entry in json.loads((DATA / file).read_text(encoding="utf-8")):
            found[entry["name"]] = (entry["title"], entry["file"], kind, entry)
    return found
