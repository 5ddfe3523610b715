"""The chapters in Binder and Colab: set-up cells and launch buttons, from one address.

The address is `repository: url` in `_config.yml`. `python -m making.running.launch_buttons`, or
`make address`, writes it into the set-up cell of every chapter. See .binder/README.md.
"""

from pathlib import Path

import nbformat
import yaml

from making.running.chapters import read_pages
from making.running.title_page import sphinx_settings

ROOT = Path(__file__).resolve().parents[2]
TAGS = ["set-up", "remove-cell"]  # the website has no use for it
CELL = '''\
# Where the book is installed this does nothing; elsewhere, as on Colab, it fetches it.
import importlib.util
import pathlib
import subprocess
import sys

if importlib.util.find_spec("helpers") is None:
    repository = {address}
    assert repository, "Run this chapter from a copy of the whole book: see its README."
    folder = "inside-musicnn"
    if not pathlib.Path(folder).exists():
        command = ["git", "clone", "--depth", "1", repository, folder]
        subprocess.run(command, check=True)
    subprocess.run([sys.executable, folder + "/.binder/colab.py"], check=True)
    sys.path.insert(0, folder)'''


def address(root: Path = ROOT) -> str:
    """The repository's address in `_config.yml`, or ""."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return (config.get("repository") or {}).get("url") or ""


def add_launch_buttons(config: dict) -> None:
    """Launch buttons in the configuration of a site, if it has an address; none otherwise."""
    repository = config.pop("repository", None) or {}
    if not repository.get("url"):
        return
    # Under Sphinx's own key: Jupyter Book's would be overwritten by it.
    theme = sphinx_settings(config).setdefault("html_theme_options", {})
    theme |= {
        "repository_url": repository["url"],
        "repository_branch": repository.get("branch", "main"),
        "path_to_docs": "",
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def source(root: Path = ROOT) -> str:
    """The text of the set-up cell."""
    quoted = address(root).replace("\\", "\\\\").replace('"', '\\"')
    return CELL.format(address=f'"{quoted}"')


def write(root: Path = ROOT) -> None:
    """Put the cell behind the title of every chapter, in place of an earlier one."""
    for page in read_pages(root):
        if not page.is_chapter:
            continue
        notebook = nbformat.read(root / page.file, as_version=4)
        notebook.cells = [cell for cell in notebook.cells
                          if "set-up" not in cell.metadata.get("tags", [])]
        cell = nbformat.v4.new_code_cell(source(root), id="set-up", metadata={"tags": TAGS})
        notebook.cells.insert(1, cell)
        (root / page.file).write_text(nbformat.writes(notebook, indent=1) + "\n",
                                      encoding="utf-8")


if __name__ == "__main__":
    write()
