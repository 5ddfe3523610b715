"""HTML for a page: templates filled by Jinja2, and the styles and scripts that go with them."""

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

HERE = Path(__file__).resolve().parent


@cache
def _environment():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals["static"] = static
    return environment


def fill(template: str, **values: Any) -> Markup:
    """A file of `templates/` with values filled in; strings are escaped.

    The indentation of the file is left out: a line of it ends a word, as in any HTML.
    """
    lines = _environment().get_template(template).render(values).splitlines()
    return Markup("\n".join(filter(None, map(str.strip, lines))))


@cache
def static(name: str) -> Markup:
    """A file of `static/` as it is: a style or a script that a block brings along."""
    return Markup((HERE / "static" / name).read_text(encoding="utf-8").strip())


def data_uri(kind: str, content: bytes) -> str:
    """Content as an address that holds it, such as `data:image/png;base64,...`."""
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
