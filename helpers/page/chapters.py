"""Links from one page of the book to a chapter, by its number."""

from functools import cache
from pathlib import Path

from helpers.page.values import Markdown
from inside_musicnn.errors import InputError

BOOK = Path(__file__).resolve().parents[2] / "book"


@cache
def pages() -> dict[int, str]:
    """The name of each chapter's file, without its ending, by number."""
    return {int(file.stem[:2]): file.stem for file in sorted(BOOK.glob("[0-9][0-9]_*.ipynb"))}


def link(number: int, section: str = "", text: str = "") -> Markdown:
    """A link to a chapter, or to a section of it by its anchor; shows the number if no `text`.

    Raises:
        InputError: there is no such chapter.
    """
    if number not in pages():
        raise InputError(f"There is no chapter {number}; choose one of "
                         f"{', '.join(map(str, pages()))}.")
    anchor = f".ipynb#{section}" if section else ""
    return Markdown(f"[{text or number}]({pages()[number]}{anchor})")
