"""Sphinx extension: serve MathJax with the site, so that formulas need no other host."""

from importlib.util import find_spec
from pathlib import Path

from sphinx.util.fileutil import copy_asset

# What a page may ask for: the program, its fonts, and the TeX packages it loads on demand.
PARTS = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


def mathjax_folder() -> Path:
    """The folder with MathJax 3 inside the installed package sphinx-mathjax-offline."""
    return Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"


def copy_mathjax(app, error) -> None:
    """Copy MathJax into the site that was just built."""
    if error is not None or app.builder.format != "html":
        return
    for part in PARTS:
        target = Path(app.outdir, "_static", "mathjax", part)
        if part.endswith(".js"):
            target = target.parent
        copy_asset(str(mathjax_folder() / part), str(target))


def configure(app, config) -> None:
    """Point Sphinx at the local MathJax, and keep the widget scripts of a CDN out of the pages."""
    config.mathjax_path = "mathjax/tex-chtml.js"
    # MathJax's own menu offers parts that are not copied.
    config.mathjax3_config = {"options": {"enableMenu": False}}
    config.nb_ipywidgets_js = {}


def setup(app) -> dict:
    app.connect("config-inited", configure)
    app.connect("build-finished", copy_mathjax)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
