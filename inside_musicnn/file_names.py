"""Names that come from files, made fit to be shown, stored and compared.

One rule: what is no sign becomes an escape that tells it, such as `\\xff` for a byte that is not
text, or `\\n`. So names that differ stay different, and no character of them acts on a terminal.
"""

import unicodedata
from pathlib import Path

_HALVES = {"Cs"}  # halves of surrogate pairs: how Python keeps bytes that are not text
_ACTIVE = _HALVES | {"Cc", "Zl", "Zp"}  # control characters, separators of lines and paragraphs
# These turn the direction of writing around, so that a name can look like another.
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: object) -> str:
    """`text` on one line, with a backslash escape for each character that is not a sign."""
    return "".join(_escaped(letter) if letter in _TURNING
                   or unicodedata.category(letter) in _ACTIVE else letter for letter in str(text))


def as_text(name: object) -> str:
    """A file's name as valid Unicode: an escape such as `\\xff` for each byte that is not text."""
    return "".join(_escaped(letter) if unicodedata.category(letter) in _HALVES else letter
                   for letter in str(name))


def _escaped(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


def shown(path: Path) -> str:
    """A path as short as it can be told from where the reader stands."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
