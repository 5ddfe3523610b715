"""Sphinx extension: serve MathJax with the site, so that formulas need no other host."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util.fileutil import copy_asset

# What a page may ask for: the program, its fonts, and the TeX packages it loads on demand.
PARTS = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


def mathjax_folder() -> Path:
    """The folder with MathJax 3 inside the installed package sphinx-mathjax-offline."""
    package = find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ExtensionError("The package sphinx-mathjax-offline is not installed.")
    return Path(package.origin).parent / "static" / "mathjax"


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy MathJax into the site that was just built."""
    if error is not None or app.builder.format != "html":
        return
    for part in PARTS:
        target = Path(app.outdir, "_static", "mathjax", part)
        if part.endswith(".js"):
            target = target.parent
        copy_asset(str(mathjax_folder() / part), str(target))


def configure(app: Sphinx, config: Config) -> None:
    """Point Sphinx at the local MathJax, and keep the widget scripts of a CDN out of the pages."""
    config.mathjax_path = "mathjax/tex-chtml.js"
    # MathJax's own menu offers parts that are not copied.
    config.mathjax3_config = {"options": {"enableMenu": False}}
    config.nb_ipywidgets_js = {}


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", configure)
    app.connect("build-finished", copy_mathjax)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
