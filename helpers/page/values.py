"""How values look in the text: numbers with their digits, units, lists in words, names escaped.

The filters of `%%say`, of table cells and of the claims ledger; see `helpers.page.say`.
"""

import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from inside_musicnn.file_names import visible

# Characters that Markdown, MyST or HTML would act on: a file may be called <script>, a tag "*".
_ACTIVE = "\\`*_{}[]()<>#+-.!|$&~^:@\"'="


class Markdown(str):
    """Text that is shown as Markdown: made by a filter, or by the chapter itself."""


def plain(text: Any) -> Markdown:
    """`text` as literal characters, on one line: for names that come from files or tags."""
    line = visible(" ".join(str(text).split()))
    return Markdown("".join(f"&#{ord(letter)};" if letter in _ACTIVE else letter
                            for letter in line))


def shown(value: Any) -> Markdown:
    """A value as it stands in a text without any filter.

    Raises:
        TypeError: it needs a filter: a number with decimals, a list, None.
    """
    if isinstance(value, Markdown):
        return value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return Markdown(int(value))
    kind = type(value).__name__
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        raise TypeError(f"{value!r} needs a filter that tells its digits, such as digits(2)")
    raise TypeError(f"a value of type {kind} needs a filter, such as listing")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _whole(value: Any) -> int:
    if not _number(value).is_integer():
        raise TypeError(f"{value!r} is not a whole number")
    return int(value)


def digits(value: Any, count: int = 0) -> Markdown:
    """A number with `count` decimals; zero has no sign."""
    text = f"{_number(value):.{count}f}"
    return Markdown(text.lstrip("-") if float(text) == 0 else text)


def signed(value: Any, count: int = 0) -> Markdown:
    """A number with `count` decimals and its sign; zero has none."""
    text = f"{_number(value):+.{count}f}"
    return Markdown(text.lstrip("+-") if float(text) == 0 else text)


def significant(value: Any, count: int = 2) -> Markdown:
    """A number with so many significant digits, as a power of ten where it is small or large."""
    number = _number(value)
    if number and math.isfinite(number) and not 1e-4 <= abs(number) < 1e6:
        return power_of_ten(number, count - 1)
    text = f"{number:.{count}g}"
    return Markdown(f"{number:.0f}" if "e" in text else text)


def power_of_ten(value: Any, count: int = 0) -> Markdown:
    """A number as 3 · 10⁻⁵, with `count` decimals before the power."""
    if _number(value) == 0 or not math.isfinite(value):
        return digits(value)
    mantissa, power = f"{_number(value):.{count}e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    space = "\N{NO-BREAK SPACE}"
    return Markdown(f"{mantissa}{space}·{space}10{raised}")


def percent(value: Any, count: int = 0) -> Markdown:
    """A share as a percentage with `count` decimals."""
    return Markdown(f"{digits(100 * _number(value), count)}%")


def grouped(value: Any) -> Markdown:
    """A whole number with commas between its thousands."""
    return Markdown(f"{_whole(value):,}")


def unit(value: Any, name: str, count: int = 0) -> Markdown:
    """A number with its unit, which stay on one line: `<< seconds | unit("s", 1) >>`."""
    return Markdown(f"{digits(value, count)}\N{NO-BREAK SPACE}{plain(name)}")


def counted(value: Any, one: str, many: str = "") -> Markdown:
    """A count with its noun: 1 patch, 2 patches."""
    count = _whole(value)
    return Markdown(f"{count} {one if count == 1 else many or one + 's'}")


def listing(items: Iterable, none: str = "none", last: str = "and") -> Markdown:
    """Items in words: "a", "a and b", "a, b and c"; `none` for no items."""
    words = [shown(item) for item in items]
    if not words:
        return Markdown(none)
    return Markdown(f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]])))


def each(items: Iterable, kind: str, *arguments: Any) -> list[Markdown]:
    """Every item through one filter: `<< shares | each("percent", 1) | listing >>`."""
    return [FILTERS[kind](item, *arguments) for item in items]


def beside(items: Iterable, values: Iterable, kind: str, *arguments: Any) -> list[Markdown]:
    """Items with a number in brackets: `<< tags | beside(scores, "digits", 2) | listing >>`."""
    return [Markdown(f"{shown(item)} ({FILTERS[kind](value, *arguments)})")
            for item, value in zip(items, values, strict=True)]


def code(value: Any) -> Markdown:
    """A value as inline code that no character of it can break out of, in a table neither."""
    text = visible(" ".join(str(value).split()))
    if "`" in text or "|" in text:  # neither can be escaped in Markdown's own
        return Markdown(f"<code>{plain(text)}</code>")
    return Markdown(f"`{text}`")


def markdown(value: str) -> Markdown:
    """The chapter's own words, not escaped: for labels with formulas; never for names of files."""
    return Markdown(value)


def capital(value: str) -> Markdown:
    """A sentence's first word."""
    text = shown(value)
    return Markdown(text[:1].upper() + text[1:])


FILTERS: dict[str, Callable[..., Any]] = {each_.__name__: each_ for each_ in (
    plain, digits, signed, significant, power_of_ten, percent, grouped, unit, counted, listing,
    each, beside, code, markdown, capital)}


def table(columns: dict[str, Sequence] | Sequence[dict[str, Any]],
          digits_of: int | dict[str, int] = 3) -> None:
    """Show a table.

    Args:
        columns: from title, in Markdown, to cells: strings are escaped, `Markdown` is not, whole
            numbers are shown whole. Or one such mapping for each row, from title to cell.
        digits_of: significant digits of numbers with decimals, for all columns or by title.

    Raises:
        ValueError: columns of different lengths.
    """
    from IPython.display import Markdown as Shown
    from IPython.display import display

    def cell(title: str, value: Any) -> str:
        if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral | bool):
            wanted = digits_of if isinstance(digits_of, int) else digits_of.get(title, 3)
            return significant(value, wanted)
        return shown(value)

    if not isinstance(columns, dict):
        columns = {title: [row[title] for row in columns] for title in columns[0]}
    filled = [[cell(title, value) for value in cells] for title, cells in columns.items()]
    rows = zip(*filled, strict=True)
    lines = [list(columns), ["---"] * len(columns), *rows]
    display(Shown("\n".join("| " + " | ".join(line) + " |" for line in lines)))
