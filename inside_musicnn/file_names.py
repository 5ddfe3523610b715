"""Names that come from files, made fit to be shown: no character of them acts on a terminal."""

import unicodedata
from pathlib import Path

# Control characters, halves of surrogate pairs, separators of lines and paragraphs.
_ACTIVE = {"Cc", "Cs", "Zl", "Zp"}
# These turn the direction of writing around, so that a name can look like another.
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text):
    """`text` on one line, with a backslash escape for each character that is not a sign."""
    return "".join(_escaped(letter) if letter in _TURNING
                   or unicodedata.category(letter) in _ACTIVE else letter for letter in str(text))


def _escaped(letter):
    return letter.encode("unicode_escape").decode("ascii")


def as_text(name):
    """A file's name as valid Unicode: a question mark for each byte that is not text."""
    return str(name).encode("utf-8", "replace").decode("utf-8")


def shown(path: Path) -> str:
    """A path as short as it can be told from where the reader stands."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
