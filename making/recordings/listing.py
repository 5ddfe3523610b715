"""The table of recordings in `data/README.md`, written from `data/recordings.json`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from making.recordings.packages import ROOT

README = ROOT / "data" / "README.md"
START, END = "<!-- recordings: start -->\n", "<!-- recordings: end -->"
COLUMNS = ("Name", "Title", "Author", "What is heard, as the package says", "From the package",
           "Excerpt from", "Licence", "Chosen by")


def write_table(entries: Iterable[Mapping[str, Any]], file: Path = README) -> None:
    """Put the table between its two marks."""
    before, rest = file.read_text(encoding="utf-8").split(START)
    after = rest.split(END)[1]
    file.write_text(before + START + table(entries) + END + after, encoding="utf-8")


def table(entries: Iterable[Mapping[str, Any]]) -> str:
    """The table in Markdown."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *map(_cells, entries)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(entry: Mapping[str, Any]) -> tuple[str, ...]:
    title = f"{entry['title']} ({entry['album']})" if entry["album"] else entry["title"]
    files = ", ".join(f"`{Path(file).name}`" for file in entry["files"])
    return (f"`{entry['name']}`", title, entry["author"],
            entry["people"] or entry["style"] or "not said",
            f"{entry['package']} {entry['version']}: {files}", f"{entry['start']} s",
            f"[{entry['licence']}]({entry['link']})", entry["chosen"])
