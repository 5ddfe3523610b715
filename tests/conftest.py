"""Fixtures that several test files share."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = f"no browser on the PATH (looked for {', '.join(BROWSERS)})"
OTHER = {"audio": "techno", "model": "MTT_musicnn", "start": 2.0, "segments": 2}
PARAMETERS = 'audio = "disco"\nmodel = "MSD_musicnn"\nstart = 0.0\nsegments = 4'


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter):
    """Say, after all else, what was left out for want of a browser, and what to install."""
    result = yield
    skipped = Counter(report.nodeid.split("::")[0]
                      for report in terminalreporter.stats.get("skipped", ())
                      if NO_BROWSER in str(report.longrepr))
    if skipped:
        files = ", ".join(f"{file} ({count})" for file, count in sorted(skipped.items()))
        terminalreporter.write_line(
            f"Not run, as there is no browser: {files}; in brackets, how many tests.\n"
            "Install Chromium (Debian, Ubuntu: apt-get install chromium; macOS: brew install "
            f"--cask chromium), then: make test ARGS=\"{' '.join(sorted(skipped))}\"")
    return result


def write_chapter(file: Path, title: str, *cells: str) -> None:
    """Write a notebook: a title, the parameters cell, then `cells` of code."""
    book = nbformat.v4.new_notebook()
    parameters = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    book.cells = [nbformat.v4.new_markdown_cell(f"# {title}"), parameters]
    book.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, file)


@pytest.fixture
def tiny_book(tmp_path):
    """A book of two quick chapters that need no network; the folder of its sources."""
    return make_tiny_book(tmp_path / "a book")


def make_tiny_book(root: Path) -> Path:
    book = root / "book"
    shutil.copytree(ROOT / "book" / "_static", book / "_static")
    shutil.copyfile(ROOT / "_config.yml", root / "_config.yml")
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n"
        "  - file: book/01_one\n  - file: book/02_two\n  - file: book/about\n"
    )
    (book / "index.md").write_text("# A tiny book\n\nSee [one](01_one.ipynb).\n")
    (book / "about.md").write_text("# About\n\n```{include} _generated/made.md\n```\n")
    (book / "references.bib").write_text("")
    write_chapter(book / "01_one.ipynb", "One", "print(audio, model, start, segments)")
    write_chapter(book / "02_two.ipynb", "Two", "from pathlib import Path", "segments * 2")
    return root


def room_in(folder: Path) -> Path:
    """A site that has nothing but the listening room and the look of the atlas; its folder."""
    from making.room.page import write_room

    shutil.copytree(ROOT / "making" / "atlas" / "static", folder / "units" / "atlas")
    write_room(folder)
    return folder


@pytest.fixture(scope="session")
def noise_file(tmp_path_factory):
    """A playable file of 5 s of noise with an awkward name."""
    file = tmp_path_factory.mktemp("audio") / "Güira & 'strings' $5 {x}.wav"
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 16000)
    soundfile.write(file, noise, 16000)
    return file


@pytest.fixture(scope="session")
def built_site(tmp_path_factory):
    """The real book, run once with its own defaults as a reader would; the run's folder."""
    output = tmp_path_factory.mktemp("real") / "run"
    command = [sys.executable, "-m", "inside_musicnn", "build", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.fixture(scope="session")
def other_run(tmp_path_factory):
    """The whole book about another clip, with the other network: the run's folder."""
    output = tmp_path_factory.mktemp("other") / "run"
    sources = sorted((ROOT / "book").glob("*.ipynb"))
    before = [path.read_bytes() for path in sources]
    options = [part for key, value in OTHER.items() for part in (f"--{key}", str(value))]
    done = subprocess.run(
        [sys.executable, "-m", "inside_musicnn", "build", *options, "--output", str(output)],
        capture_output=True, text=True, cwd=tmp_path_factory.mktemp("elsewhere"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_bytes() for path in sources] == before
    return output


@pytest.fixture(scope="session")
def served_site(built_site):
    """Address of the built site on this machine, ending in a slash."""
    handler = functools.partial(_Quiet, directory=built_site / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium from the PATH. Without one: skipped, or failed where CI is set."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(NO_BROWSER)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--disable-background-networking", "--disable-component-update"]
        chromium = playwright.chromium.launch(executable_path=found, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session", params=["MSD_musicnn", "MTT_musicnn"])
def net(request):
    """Each of the two networks, opened once."""
    from inside_musicnn import MusiCNN

    return MusiCNN(request.param)


@pytest.fixture(scope="session")
def patches():
    """The first three patches of the default clip, shape (3, 187, 96)."""
    from inside_musicnn import load_clip

    return load_clip("disco").patches()[:3]
