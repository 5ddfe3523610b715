"""Sentences and tables whose numbers the chapter has just computed.

`say` and `table` print Markdown, so that the text stays true when a chapter runs on other music.
"""

from IPython.display import Markdown, display

# Characters that Markdown, MyST or HTML would act on: a file may be called <script>, a tag "*".
_ACTIVE = "\\`*_{}[]()<>#+-.!|$&~^:@\"'="


def plain(text):
    """`text` as literal characters in Markdown: for names that come from files or tags."""
    shown = " ".join(str(text).split())
    return "".join(f"&#{ord(letter)};" if letter in _ACTIVE else letter for letter in shown)


def say(text):
    """Show Markdown as part of the chapter's text; indentation of the source is dropped."""
    lines = text.strip().splitlines()
    display(Markdown("\n".join(line.strip() for line in lines)))


def table(headers, rows):
    """Show a table: column titles, then one sequence of cells per row, all Markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    display(Markdown("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)))


def listing(items):
    """Items in words: "a", "a and b", "a, b and c"."""
    items = [str(item) for item in items]
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
