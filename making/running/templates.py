"""Texts and pages that a run writes for a site: the files of `templates/`, filled with values."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from helpers.page.say import render
from inside_musicnn.file_names import as_text

FOLDER = Path(__file__).with_name("templates")


def text(name: str, **values: Any) -> str:
    """A Markdown file filled as the chapters' `%%say` is; names in it stay literal."""
    template = (FOLDER / name).read_text(encoding="utf-8")
    return as_text(render(template, values, name)) + "\n"


def page(name: str, **values: Any) -> str:
    """An HTML file filled with values, of which none can become markup."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True,
                              undefined=StrictUndefined)
    return as_text(environment.get_template(name).render(values))
