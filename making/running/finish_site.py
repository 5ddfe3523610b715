"""What Jupyter Book does not do to a site: the atlas of the units, links from the chapters to it,
the listening room, and light downloads."""

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

import helpers
import inside_musicnn
from inside_musicnn.checksums import digest, sha256
from making.running.chapters import read_pages

ATLAS = Path("data", "units", "units.parquet")
KEPT = Path("_runs", ".atlas")  # what is the same in all sites, made once for all runs
DAY = 86400  # seconds
NAMED = re.compile(r'<a data-unit="([\w/-]+)">')  # as helpers.page.unit_links marks a unit


def finish_site(root: Path, site: Path) -> None:
    """Add atlas and room where the book has them, and take the outputs out of the downloads.

    Args:
        root: the project.
        site: the built site.
    """
    lighten(site / "_sources")
    if (root / ATLAS).is_file():
        add_atlas(root, site)
        link_units(site)
        add_room(root, site)


def link_units(site: Path) -> None:
    """Give each unit that a page of the book names the address of its own page, if it has one."""
    for file in (site / "book").glob("*.html"):
        def linked(found: re.Match[str]) -> str:
            page = Path("units", f"{found[1]}.html")
            return f'<a href="../{page.as_posix()}">' if (site / page).is_file() else found[0]

        text = file.read_text(encoding="utf-8")
        if (new := NAMED.sub(linked, text)) != text:
            file.write_text(new, encoding="utf-8")


def lighten(folder: Path) -> None:
    """Notebooks to download without outputs: who opens one runs it, and the page shows them."""
    for file in folder.rglob("*.ipynb"):
        notebook = nbformat.read(file, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, file)


def add_atlas(root: Path, site: Path) -> None:
    """Put the pages of the units into a site; they are the same in all, so they are made once."""
    import making.atlas
    from making.atlas.pages import write_atlas

    chapters = {int(page.number): page.file.with_suffix(".html").as_posix()
                for page in read_pages(root) if page.number}
    key = {"table": sha256(root / ATLAS), "chapters": chapters,
           "best": _checksums((root / ATLAS).parent / "best"),
           "code": _checksums(Path(making.atlas.__file__).parent),
           "recordings": sha256(root / "data" / "recordings.json")}
    _made_once(root, site, "units", key, lambda folder: write_atlas(folder, chapters,
                                                                    root / ATLAS))


def add_room(root: Path, site: Path) -> None:
    """Put the listening room into a site, likewise."""
    import making.room
    from inside_musicnn.network.live_weights import STORED
    from making.room.compiler import SOURCES
    from making.room.page import write_room

    key = {"code": _checksums(Path(making.room.__file__).parent), "sources": _checksums(SOURCES),
           "weights": STORED, "recordings": sha256(root / "data" / "recordings.json")}
    _made_once(root, site, "room", key, write_room)


def _checksums(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): sha256(file)
            for file in sorted(folder.rglob("*.*")) if file.suffix != ".pyc"}


def _made_once(root: Path, site: Path, name: str, key: Any, write: Callable[[Path], Any]) -> None:
    """Put the folder `name`, which `write` writes into a folder, into a site."""
    code = {package.__name__: _checksums(Path(str(package.__file__)).parent)
            for package in (helpers, inside_musicnn)}
    kept = root / KEPT / digest({name: key, "code": code})[:16]
    if kept.is_dir():
        os.utime(kept)
    else:
        aside = kept.with_name(f".{kept.name}-{os.getpid()}")
        try:
            aside.mkdir(parents=True, exist_ok=True)
        except OSError:  # nothing can be kept here
            write(site)
            return
        write(aside)
        try:
            aside.rename(kept)
        except OSError:  # another run was quicker
            shutil.rmtree(aside)
        _forget_old(kept.parent)
    shutil.copytree(kept / name, site / name, copy_function=link_or_copy)


def _forget_old(folder: Path) -> None:
    """Remove what no run has used for a day: it was made by other code, or of other data."""
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > DAY:
            shutil.rmtree(old, ignore_errors=True)


def link_or_copy(source: str, target: str) -> None:
    """A second name for the same file where the system has such a thing, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
