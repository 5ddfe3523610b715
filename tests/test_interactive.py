"""Binder and Colab: what the set-up cell does, what would be installed, the launch buttons."""

import ast
import importlib.util
import subprocess
import sys
from importlib.metadata import packages_distributions

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

from making.running.chapters import read_pages
from making.running.launch_buttons import source, write
from making.running.run import build

CHAPTERS = [page.file for page in read_pages(ROOT) if page.is_chapter]
ADDRESS = "https://github.com/someone/inside-musicnn"


def colab():
    """The module .binder/colab.py."""
    spec = importlib.util.spec_from_file_location("colab", ROOT / ".binder" / "colab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("file", CHAPTERS, ids=lambda file: file.stem)
def test_each_chapter_begins_with_the_set_up_cell(file):
    cells = nbformat.read(ROOT / file, as_version=4).cells
    (place,) = [n for n, cell in enumerate(cells) if "set-up" in cell.metadata.get("tags", [])]
    assert cells[place].source == source(ROOT)
    assert place == next(n for n, cell in enumerate(cells) if cell.cell_type == "code")


def test_the_set_up_cell_does_nothing_where_the_book_is_installed(tmp_path):
    spying = ("import subprocess\ndef forbidden(*a, **k): raise SystemExit('called')\n"
              "subprocess.run = forbidden\n")
    subprocess.run([sys.executable, "-c", spying + source(ROOT)], check=True, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_it_fetches_the_book(tmp_path):
    """With git and pip that only write down what they were asked for."""
    cell = source(ROOT).replace('repository = ""', f'repository = "{ADDRESS}"')
    stand_in = ("import subprocess, importlib.util\nimportlib.util.find_spec = lambda name: None\n"
                "subprocess.run = lambda call, check: print(call[1:])\n")
    for count in (2, 1):
        done = subprocess.run(
            [sys.executable, "-c", f"{stand_in}{cell}\nprint(sys.path[0])"],
            cwd=tmp_path, capture_output=True, text=True, check=True)
        lines = done.stdout.splitlines()
        assert lines[-2:] == ["['inside-musicnn/.binder/colab.py']", "inside-musicnn"]
        assert len(lines) == count + 1
        if count == 2:
            assert lines[0] == str(["clone", "--depth", "1", ADDRESS, "inside-musicnn"])
        (tmp_path / "inside-musicnn").mkdir(exist_ok=True)


def test_one_address_reaches_every_chapter(tiny_book):
    config = tiny_book / "_config.yml"
    config.write_text(config.read_text().replace('url: ""', f'url: "{ADDRESS}"'))
    for _ in range(2):  # the second time it takes the place of the first
        write(tiny_book)
    for name in ("01_one", "02_two"):
        cells = nbformat.read(tiny_book / "book" / f"{name}.ipynb", as_version=4).cells
        assert [f'repository = "{ADDRESS}"' in cell.source for cell in cells].count(True) == 1
        assert "set-up" in cells[1].metadata["tags"]


def test_colab_gets_only_what_is_missing(monkeypatch):
    module = colab()
    there = {"numpy": "2.0", "tensorflow": "2.19.1", "matplotlib": "3.10"}
    monkeypatch.setattr(module, "installed", there.get)
    first, second = module.commands()
    assert "tf_keras==2.19.*" in first and "librosa" in first
    assert not {"numpy", "tensorflow", "matplotlib"} & set(first)
    assert "--no-deps" in second and second[-1].endswith("requirements-nodeps.txt")
    monkeypatch.setattr(module, "installed", lambda name: "1.0")
    assert module.commands() == []


OURS = ("helpers", "inside_musicnn")


def test_colab_needs_are_what_the_chapters_import():
    """Every package that a chapter imports, itself or through helpers, is asked for."""
    names, seen, queue = set(), set(), []
    for file in CHAPTERS:
        cells = nbformat.read(ROOT / file, as_version=4).cells
        queue += [cell.source for cell in cells
                  if cell.cell_type == "code" and not cell.source.startswith("%%")]  # text
    while queue:
        for module in imported(queue.pop()):
            top, *rest = module.split(".")
            if top not in OURS:
                names.add(top)
            for depth in range(len(rest) + 1):
                path = ROOT.joinpath(top, *rest[:depth])
                file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
                if top in OURS and file.is_file() and file not in seen:
                    seen.add(file)
                    queue.append(file.read_text())
    owners = packages_distributions()
    needed = {name.lower().replace("_", "-") for name in colab().NEEDED} | {"musicnn"}
    wanted = {owners[name][0].lower().replace("_", "-") for name in names if name in owners}
    assert wanted - needed == set()


def imported(code):
    """Names of the modules that a piece of code imports, anywhere in it."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_launch_buttons_appear_with_the_address(tiny_book):
    """The button of a page leads to its source in the repository; without address there is none."""
    first = build(tiny_book, chapters="1", output=tiny_book / "without")
    config = tiny_book / "_config.yml"
    config.write_text(config.read_text().replace('url: ""', f'url: "{ADDRESS}"'))
    second = build(tiny_book, chapters="1", output=tiny_book / "with")
    links = []
    for folder in (first, second):
        page = BeautifulSoup((folder / "site/book/01_one.html").read_text(), "html.parser")
        links.append([tag["href"] for tag in page.select(".dropdown-launch-buttons a")])
    assert links[0] == []
    assert any(link.startswith("https://mybinder.org/v2/gh/someone/inside-musicnn/main")
               and link.endswith("book/01_one.ipynb") for link in links[1]), links[1]
    assert ("https://colab.research.google.com/github/someone/inside-musicnn/blob/main/"
            "book/01_one.ipynb") in links[1]


def test_binder_installs_from_the_books_own_files():
    folder = ROOT / ".binder"
    assert (folder / "requirements.txt").read_text().split() == ["-r", "../requirements.txt"]
    script = (folder / "postBuild").read_text()
    assert "requirements-nodeps.txt" in script and "--editable ." in script
    assert (folder / "postBuild").stat().st_mode & 0o100
    version = (folder / "runtime.txt").read_text().strip()
    assert version in ("python-3.11", "python-3.12", "python-3.13")


def test_the_set_up_cell_is_no_wider_than_the_page():
    assert max(map(len, source(ROOT).splitlines())) <= 88
