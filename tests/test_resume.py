"""Running again takes up what is done: by content, never half of it, never what has changed."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import numpy as np
import pytest
import soundfile
from conftest import ROOT, write_chapter

from inside_musicnn.errors import InputError, RunError
from making.running.chapters import Page
from making.running.fingerprint import CODE, MACHINERY, Fingerprints, imported_code
from making.running.folders import LOCK, new_folder
from making.running.resume import Store
from making.running.run import DONE, build


@pytest.fixture
def counted_book(tiny_book):
    """The tiny book with chapters that count how often they were executed, in a file each."""
    for name in ("01_one", "02_two"):
        mark = tiny_book.parent / f"{name}.count"
        write_chapter(tiny_book / "book" / f"{name}.ipynb", name,
                      f"with open({str(mark)!r}, 'a') as file:\n    file.write('x')",
                      "print(model, start, segments)")
    return tiny_book


def counts(root):
    files = [root.parent / f"{name}.count" for name in ("01_one", "02_two")]
    return [len(file.read_text()) if file.exists() else 0 for file in files]


def run(root, **options):
    log = io.StringIO()
    output = build(root, stream=log, **options)
    return output, log.getvalue()


def to_execute(root, **options):
    """Chapters that a run would execute."""
    said = run(root, dry_run=True, **options)[1]
    return re.findall(r"^    (\S+)$", said.split("from earlier work")[0], re.M)


def test_nothing_changed_means_nothing_is_done(counted_book):
    output, first = run(counted_book)
    assert counts(counted_book) == [1, 1]
    assert "left" in first and "Where the time went" in first and "slowest" in first
    before = (output / "manifest.json").read_bytes()
    _, second = run(counted_book)
    assert counts(counted_book) == [1, 1]
    assert "Nothing has changed" in second and "building" not in second
    assert (output / "manifest.json").read_bytes() == before

    # A site that was damaged is built again, from the chapters that are there.
    (output / "site" / "book" / "01_one.html").write_text("half")
    _, third = run(counted_book)
    assert counts(counted_book) == [1, 1] and "building the site" in third
    assert "MSD_musicnn 0.0 4" in (output / "site" / "book" / "01_one.html").read_text()
    assert json.loads((output / "manifest.json").read_text())["taken"] == ["01_one", "02_two"]
    assert "in an earlier run" in (output / "site" / "book" / "about.html").read_text()


def test_only_what_changed_runs_and_fresh_runs_all(counted_book):
    run(counted_book)
    chapter = counted_book / "book" / "02_two.ipynb"
    chapter.write_text(chapter.read_text().replace("print(model", "print(1, model"))
    assert to_execute(counted_book) == ["02_two"]
    output, _ = run(counted_book)
    assert counts(counted_book) == [1, 2]
    assert "1 MSD_musicnn 0.0 4" in (output / "site" / "book" / "02_two.html").read_text()
    for other in ({"fresh": True}, {"segments": 2}, {"model": "MTT_musicnn"}, {"audio": "piano"}):
        assert to_execute(counted_book, **other) == ["01_one", "02_two"]
    assert to_execute(counted_book, segments=4, start=0.0, audio="disco", jobs=1) == []


def test_a_failed_run_keeps_the_chapters_that_are_done(counted_book):
    bad = counted_book / "book" / "02_two.ipynb"
    good = bad.read_text()
    write_chapter(bad, "Two", "import time; time.sleep(1)\n1 / 0")
    with pytest.raises(RunError, match="1 of 2 chapters are done and kept: run the same again"):
        build(counted_book, jobs=1, stream=io.StringIO())
    bad.write_text(good)
    build(counted_book, stream=io.StringIO())
    assert counts(counted_book) == [1, 1]


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_goes_on_where_it_was(counted_book, kill):
    first, last = (counted_book / "book" / f"{name}.ipynb" for name in ("01_one", "02_two"))
    book = nbformat.read(first, as_version=4)
    book.cells.append(nbformat.v4.new_markdown_cell("long " * 500))  # the longest comes first
    nbformat.write(book, first)
    wait = counted_book.parent / "wait"
    wait.touch()
    write_chapter(last, "Two", "import time, pathlib\n"
                  f"while pathlib.Path({str(wait)!r}).exists():\n    time.sleep(0.1)", "print(1)")
    process = subprocess.Popen(
        [sys.executable, "-m", "inside_musicnn", "build", "--root", str(counted_book), "--jobs",
         "1"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    runs = counted_book / "_runs"
    deadline = time.monotonic() + 90
    while not list((counted_book / DONE).glob("[!.]*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, kill)
    said, _ = process.communicate(timeout=60)
    if kill == signal.SIGINT:
        assert process.returncode == 130
        assert "1 of 2 chapters are done and kept: run the same again" in said
        assert [path.name for path in runs.iterdir()] == [".done"]
    else:
        assert [path for path in runs.iterdir() if "building" in path.name]
    wait.unlink()
    output, log = run(counted_book)
    assert counts(counted_book)[0] == 1 and "[1/2] 01_one" in log and "taken" in log
    # What the killed run left is gone.
    assert sorted(path.name for path in runs.iterdir()) == [".done", output.name]


def test_dry_run_tells_and_writes_nothing(counted_book):
    before = sorted(counted_book.rglob("*"))
    output, said = run(counted_book, dry_run=True, segments=2)
    assert sorted(counted_book.rglob("*")) == before and not output.exists()
    for word in ("Ducks Under the Mirror Ball", "MSD_musicnn", "01_one", "02_two", output.name,
                 "to execute: 2", "0.0 s to 6.0 s"):
        assert word in said
    run(counted_book, chapters="1")
    _, said = run(counted_book, dry_run=True)
    assert "to execute: 1 of the chapters\n    02_two" in said
    assert "from earlier work: 1 of the chapters\n    01_one" in said
    assert counts(counted_book) == [1, 0]


def test_a_moved_file_is_the_same_and_a_renamed_one_is_not(counted_book, tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * 16000)
    file = tmp_path / "here" / "a.wav"
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    soundfile.write(file, noise, 16000)
    run(counted_book, audio=str(file), chapters="1")
    moved = shutil.move(file, tmp_path / "there" / "a.wav")
    os.utime(moved, (1, 1))
    assert to_execute(counted_book, audio=str(moved), chapters="1") == []
    renamed = shutil.copyfile(moved, tmp_path / "there" / "b.wav")
    assert to_execute(counted_book, audio=str(renamed), chapters="1") == ["01_one"]
    soundfile.write(moved, noise[::-1], 16000)
    assert to_execute(counted_book, audio=str(moved), chapters="1") == ["01_one"]


def test_a_chapter_that_shows_a_path_is_not_taken_for_another_path(tiny_book, tmp_path):
    files = [tmp_path / folder / "a.wav" for folder in ("here", "there")]
    for file in files:
        file.parent.mkdir()
        soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, 5 * 16000), 16000)
    run(tiny_book, audio=str(files[0]))  # 01_one prints the path, 02_two does not
    assert to_execute(tiny_book, audio=str(files[0])) == []
    assert to_execute(tiny_book, audio=str(files[1])) == ["01_one"]


# What counts: each change makes another key. The chapter imports units, so network, too.

@pytest.fixture
def keyed(tiny_book):
    """The chapter, and a function that tells its key, with new eyes each time."""
    file = tiny_book / "book" / "01_one.ipynb"
    write_chapter(file, "One", "from inside_musicnn.network.units import live_rows",
                  "open('numbers.csv').read(), open('glossary.md').read()")
    (tiny_book / "book" / "numbers.csv").write_text("1")
    (tiny_book / "book" / "glossary.md").write_text("# Words")
    page = Page(file.relative_to(tiny_book))
    return tiny_book, lambda **values: Fingerprints(tiny_book).key(page, {"segments": 4} | values)


@pytest.mark.parametrize("name", ["01_one.ipynb", "numbers.csv", "glossary.md"])
def test_files_of_the_book_count_if_the_chapter_may_read_them(keyed, name):
    root, key = keyed
    before = key()
    os.utime(root / "book" / name, (1, 1))
    assert key() == before
    with (root / "book" / name).open("a") as file:
        file.write(" ")
    assert key() != before


def test_other_pages_do_not_count(keyed):
    root, key = keyed
    before = key()
    for name in ("index.md", "02_two.ipynb", "references.bib", "_static/custom.css"):
        with (root / "book" / name).open("a") as file:
            file.write("\n")
    assert key() == before


def test_parameters_and_software_count(keyed, monkeypatch):
    _, key = keyed
    keys = {key(), key(segments=3), key(model="MTT_musicnn")}
    monkeypatch.setattr(Fingerprints, "software", ["3.11", "numpy==9"])
    keys.add(key())
    assert len(keys) == 4


@pytest.mark.parametrize("place", ["code/inside_musicnn/network/units.py",
                                   "code/inside_musicnn/network/layers.py", "data/clips.json",
                                   "musicnn/MTT_musicnn/config.json"])
def test_helpers_data_and_weights_count(keyed, monkeypatch, tmp_path, place):
    """Copies of the three folders, one file of which changes."""
    import musicnn

    import making.running.fingerprint as fingerprint

    copies = {}
    for name, folder in {"code/helpers": CODE / "helpers", "data": ROOT / "data",
                         "code/inside_musicnn": CODE / "inside_musicnn",
                         "code/making": CODE / "making",
                         "musicnn": next(iter(musicnn.__path__))}.items():
        copies[name] = shutil.copytree(folder, tmp_path / "copy" / name)
    (copies["musicnn"] / "__init__.py").touch()
    monkeypatch.setattr(fingerprint, "CODE", tmp_path / "copy" / "code")
    monkeypatch.setattr(fingerprint, "DATA", copies["data"])
    monkeypatch.setattr(fingerprint, "package_folder", lambda name: copies["musicnn"])
    _, key = keyed
    before = key()
    with (copies["code/helpers"] / "evidence" / "ledger.py").open("a") as file:
        file.write("# a helper that the chapter does not import\n")
    assert key() == before
    with (tmp_path / "copy" / place).open("a") as file:
        file.write("\n")
    assert key() != before


def test_imports_are_followed():
    def names(code):
        return {file.relative_to(CODE).as_posix() for file in imported_code([code])}

    found = names("from helpers import load_clip\nfrom helpers.page import plots")
    assert {"helpers/__init__.py", "helpers/page/plots.py", "inside_musicnn/errors.py",
            "inside_musicnn/sound/clips.py", "inside_musicnn/sound/spectrogram.py"} <= found
    assert not any(name.startswith(("inside_musicnn/corpus/", "making/")) for name in found)
    found = names("from inside_musicnn import read_corpus")
    assert {"inside_musicnn/corpus/__init__.py", "inside_musicnn/corpus/reading.py",
            "inside_musicnn/corpus/schema.py"} <= found
    assert {"helpers/evidence/ledger.py", "helpers/evidence/measures/first_stage.py"} <= names(
        "from helpers.evidence import measure")
    assert names("%%say\nimport nothing of helpers") == set()
    assert imported_code(["import numpy as np"]) == set()
    machinery = {file.name for file in imported_code([f"import {MACHINERY}"], ("making",))}
    assert {"starting.py", "job.py", "kernel_server.py", "forked_kernel.py", "chapters.py",
            "lighter_imports.py"} <= machinery
    assert not machinery & {"progress.py", "estimate.py", "site.py", "several.py"}
    for unclear in ("%run x.py", "import importlib\nimportlib.import_module('helpers.' + name)"):
        assert imported_code([unclear]) == {
            file for name in ("helpers", "inside_musicnn") for file in (CODE / name).rglob("*.py")}


# The store

@pytest.fixture
def notebook(tmp_path):
    file = tmp_path / "x.ipynb"
    output = nbformat.v4.new_output("stream", name="stdout", text="1")
    cell = nbformat.v4.new_code_cell("print(1)", outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), file)
    return file


def test_an_entry_that_is_damaged_anywhere_is_not_taken(notebook, tmp_path):
    store = Store(tmp_path / "store")
    assert store.keep("key", notebook, 2.5, 10)
    target = tmp_path / "taken.ipynb"
    assert store.take("key", target)["seconds"] == 2.5
    assert target.read_bytes() == notebook.read_bytes()
    entry = store.folder / "key"
    whole = entry.read_bytes()
    rng = np.random.default_rng(0)
    for cut in [0, 1, len(whole) - 1, *rng.integers(0, len(whole), 30)]:
        entry.write_bytes(whole[:cut])
        assert store.find("key") is None, f"cut at {cut}"
    start = whole.index(b"\n") + 1
    for place in rng.integers(start, len(whole), 30):
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        assert store.find("key") is None, f"changed at {place}"
    entry.write_bytes(whole)
    entry.rename(store.folder / "other")
    assert store.find("other") is None and store.find("key") is None


def test_the_store_is_bounded_and_forgets_what_was_not_used(notebook, tmp_path):
    size = notebook.stat().st_size
    store = Store(tmp_path / "store", most=4 * size)
    for number in range(9):
        store.keep(f"key{number}", notebook, 1.0, 10)
        os.utime(store.folder / f"key{number}", (number, number))
    store.take("key3", tmp_path / "taken.ipynb")
    store.prune({"key0"})
    left = {file.name for file in store.folder.iterdir()}
    assert sum(file.stat().st_size for file in store.folder.iterdir()) <= store.most
    assert {"key0", "key3"} <= left and "key1" not in left


def test_a_store_that_cannot_be_written_does_not_stop_the_run(counted_book):
    (counted_book / "_runs").mkdir()
    (counted_book / DONE).write_text("a file where the folder should be")
    output, said = run(counted_book)
    assert "cannot be kept" in said and (output / "site" / "index.html").exists()


def test_noise_on_stderr_is_not_kept(notebook, tmp_path):
    book = nbformat.read(notebook, as_version=4)
    book.cells[0].outputs[0].name = "stderr"
    nbformat.write(book, notebook)
    store = Store(tmp_path / "store")
    store.keep("key", notebook, 1.0, 10)
    assert store.find("key") is None


def test_a_living_runs_folder_is_left_alone(tmp_path):
    output = tmp_path / "out"
    with new_folder(output) as first, new_folder(output) as second:
        assert first.is_dir() and second.is_dir() and (first / LOCK).exists()
    assert list(tmp_path.iterdir()) == []


# A corpus

def add_corpus_chapter(root):
    file = root / "book" / "02_two.ipynb"
    write_chapter(file, "Two", "from pathlib import Path",
                  "print(sorted(p.name for p in Path(corpus or '.').glob('*.txt')))")
    book = nbformat.read(file, as_version=4)
    own = nbformat.v4.new_code_cell("corpus = None", metadata={"tags": ["chapter-parameters"]})
    book.cells.insert(1, own)
    nbformat.write(book, file)


def test_a_corpus_reaches_the_chapters_that_read_one(tiny_book, tmp_path):
    add_corpus_chapter(tiny_book)
    corpus = tmp_path / "secret place" / "mycorpus"
    corpus.mkdir(parents=True)
    (corpus / "a.txt").write_text("1")
    output, _ = run(tiny_book, corpus=str(corpus))
    assert "['a.txt']" in (output / "book" / "02_two.ipynb").read_text()
    for file in (output / "site").rglob("*"):
        assert not file.is_file() or "secret place" not in file.read_text(errors="replace"), file
    assert "mycorpus" in (output / "site" / "book" / "about.html").read_text()
    _, said = run(tiny_book, corpus=str(corpus), dry_run=True)
    assert "to execute: none" in said
    (corpus / "a.txt").write_text("2")
    _, said = run(tiny_book, corpus=str(corpus), dry_run=True)
    assert "to execute: 1 of the chapters\n    02_two" in said  # 01_one does not read it


@pytest.mark.parametrize("chapters, folder, said", [
    (None, "no such folder", "no folder"), (None, "a file", "no folder"),
    ("1", ".", "None of the")])
def test_a_wrong_corpus(tiny_book, tmp_path, chapters, folder, said):
    add_corpus_chapter(tiny_book)
    (tmp_path / "a file").write_text("x")
    with pytest.raises(InputError, match=said):
        build(tiny_book, corpus=tmp_path / folder, chapters=chapters)
    assert not (tiny_book / "_runs").exists()
