"""Prose with computed values: the cell magics `%%say` and `%%alt`.

A cell that begins with `%%say` is text: Markdown as MyST reads it, with values of the chapter
between `<<` and `>>`, and choices between `<%` and `%>`, in the language of Jinja2:

    %%say
    **<< live.verdict | capitalize >>.** << live.count >> of << norms | length >> kernels are alive
    <% if ties %>, and << ties | listing >> lie on the line<% endif %>.

`%%alt` is the alternative text of the figure that the next cell draws. Names, tags and other
strings are escaped, so that none of them can become markup; a number with decimals needs a filter
that says how many. The filters are those of `helpers.page.values` and `helpers.page.unit_links`,
and those of Jinja2.
"""

from collections.abc import Callable
from functools import cache
from html import unescape
from typing import Any

from helpers.page import unit_links  # noqa: F401 (adds its filters)
from helpers.page.values import FILTERS, Markdown, shown
from inside_musicnn.errors import InputError

ALT = "%%alt"
SAY = "%%say"
DELIMITERS: dict[str, Any] = {
    "variable_start_string": "<<", "variable_end_string": ">>",
    "block_start_string": "<%", "block_end_string": "%>",
    "comment_start_string": "<#", "comment_end_string": "#>"}
OURS = ("safe", "escape", "e", "forceescape", "string", "round", "format", "join", "list", "title",
        "indent", "wordwrap", "pprint", "tojson", "xmlattr", "urlize", "striptags")  # taken away


@cache
def _environment():
    from jinja2 import Environment, StrictUndefined

    def of_known(function: Callable[..., Any]) -> Callable[..., Any]:
        def checked(value: Any, *arguments: Any, **named: Any) -> Any:
            if isinstance(value, StrictUndefined):
                str(value)  # raises the error that names it
            return function(value, *arguments, **named)

        return checked

    environment = Environment(**DELIMITERS, undefined=StrictUndefined, finalize=of_known(shown),
                              trim_blocks=True, autoescape=False)
    for name in OURS:
        environment.filters.pop(name, None)
    environment.filters |= {name: of_known(each) for name, each in FILTERS.items()}
    environment.globals = {}
    return environment


def render(text: str, values: dict[str, Any], where: str = "The text") -> Markdown:
    """Fill values into text.

    Args:
        text: Markdown with `<< value >>` and `<% if ... %>`.
        values: by name.
        where: how an error calls the text.

    Raises:
        InputError: a name that nobody has computed, a wrong filter, or a value that does not fit.
    """
    from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError

    try:
        return Markdown(_environment().from_string(text).render(values).strip())
    except UndefinedError as error:
        raise InputError(f"{where} uses a value that is not there: {error.message}.") from None
    except TemplateSyntaxError as error:
        why = str(error.message).rstrip(".")
        raise InputError(f"{where}, line {error.lineno}: {why}.") from None
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError,
            ValueError) as error:
        raise InputError(f"{where} cannot be filled in: {error}.") from None


def register(shell: Any) -> None:
    """Give an IPython shell the two magics."""
    from IPython.display import Markdown as Shown
    from IPython.display import display

    def filled(line: str, cell: str, magic: str) -> str:
        if line.strip():
            raise InputError(f"{magic} stands alone in its line; the text begins in the next one.")
        first = next((each.strip() for each in cell.splitlines() if each.strip()), "")
        number = len(shell.user_ns["In"]) - 1  # as the notebook shows it
        where = f"The text of cell [{number}] ({first[:40]}...)"
        return render(cell, shell.user_ns, where)

    def say(line: str, cell: str) -> None:
        display(Shown(filled(line, cell, SAY)))

    def alt(line: str, cell: str) -> None:
        text = unescape(" ".join(filled(line, cell, ALT).split()))  # it is no Markdown
        display({"text/plain": text}, raw=True)

    for magic in (say, alt):
        shell.register_magic_function(magic, "cell")
