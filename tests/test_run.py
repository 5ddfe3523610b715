"""A run: parameters, outputs, what it leaves alone, what it writes down, how it fails."""

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from conftest import ROOT, make_tiny_book, write_chapter

from inside_musicnn.errors import InputError, RunError
from making.running.chapters import check_outputs, read_pages, shared_defaults
from making.running.plan import run_name
from making.running.run import build


def hashes(folder):
    return {file.relative_to(folder): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in folder.rglob("*") if file.is_file()}


def outputs(file):
    """All text that a notebook's cells show."""
    cells = nbformat.read(file, as_version=4).cells
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    return " ".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in shown)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, noise_file):
    """One run of the tiny book with parameters of its own: sources, hashes before, run, log."""
    root = make_tiny_book(tmp_path_factory.mktemp("finished") / "it's $HOME")
    before = hashes(root)
    log = io.StringIO()
    output = build(root, audio=str(noise_file), model="MTT_musicnn", start=1.0, segments=1,
                   stream=log)
    return root, before, output, log.getvalue()


def test_parameters_reach_the_chapters(finished, noise_file):
    _, _, output, _ = finished
    assert f"{noise_file} MTT_musicnn 1.0 1" in outputs(output / "book" / "01_one.ipynb")
    assert outputs(output / "book" / "02_two.ipynb") == "2"


def test_sources_are_not_touched(finished):
    root, before, output, _ = finished
    after = {k: v for k, v in hashes(root).items() if k.parts[0] != "_runs"}
    assert after == before
    assert output.parent == root / "_runs"


def test_nothing_is_left_beside_the_run(finished):
    _, _, output, _ = finished
    assert sorted(path.name for path in output.parent.iterdir()) == [".done", output.name]
    assert sorted(path.name for path in output.iterdir()) == [
        "_config.yml", "_toc.yml", "book", "logs", "manifest.json", "site"]


def test_progress_names_each_chapter(finished):
    log = finished[3]
    assert re.search(r"\[1/2\] 0\d_\w+ +done in \d+\.\d s", log)
    assert "\033" not in log  # no terminal, so plain lines


def test_manifest(finished, noise_file):
    root, _, output, _ = finished
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["parameters"] == {
        "audio": str(noise_file), "model": "MTT_musicnn", "start": 1.0, "segments": 1}
    assert manifest["chapters"] == ["01_one", "02_two"]
    assert set(manifest["seconds"]["chapters"]) == {"01_one", "02_two"}
    assert manifest["seconds"]["site"] > 0
    assert {"python", "tensorflow", "numpy", "librosa", "musicnn", "jupyter-book"} <= set(
        manifest["versions"])
    for name, file in [(noise_file.name, noise_file),
                       ("book/01_one.ipynb", root / "book" / "01_one.ipynb")]:
        assert manifest["sha256"][name] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "MTT_musicnn/.data-00000-of-00001" in manifest["sha256"]


def test_the_site_tells_how_it_was_made(finished, noise_file):
    page = (finished[2] / "site" / "book" / "about.html").read_text()
    assert "MTT_musicnn" in page and "SHA-256" in page and "02_two" in page


def test_pages_and_notebooks_hold_no_path_of_this_machine(finished):
    root, _, output, _ = finished
    site = [f for f in (output / "site").rglob("*") if f.suffix in (".html", ".js", ".ipynb")]
    assert site
    for file in site + [output / "book" / "02_two.ipynb"]:
        text = file.read_text(errors="replace")
        for path in (str(root), str(ROOT), sys.prefix):
            # 01_one prints the audio's path itself; its page shows what it printed.
            assert path not in text, f"{path} in {file}"


def test_the_parameters_cell_shows_the_file_name_only(finished, noise_file):
    notebook = nbformat.read(finished[2] / "book" / "02_two.ipynb", as_version=4)
    (cell,) = [c for c in notebook.cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert noise_file.name in cell.source and str(noise_file.parent) not in cell.source
    assert "papermill" not in notebook.metadata
    assert not any("papermill" in cell.metadata for cell in notebook.cells)


def test_own_values_are_not_injected(tiny_book):
    output = build(tiny_book, audio="disco", chapters="1", jobs=1)
    notebook = nbformat.read(output / "book" / "01_one.ipynb", as_version=4)
    assert not any("injected" in str(cell.metadata) for cell in notebook.cells)
    assert output.name == "disco-MSD_musicnn"
    left_out = (output / "site" / "book" / "02_two.html").read_text()
    assert "not run when this site was made" in left_out


def test_failing_cell_is_named_and_the_old_run_stays(tiny_book):
    output = tiny_book / "out"
    (output / "site").mkdir(parents=True)
    (output / "site" / "index.html").write_text("old")
    (output / "manifest.json").write_text("{\"old\": 1}")
    write_chapter(tiny_book / "book" / "02_two.ipynb", "Two", "fine = 1", "1 / 0  # here", "2")
    with pytest.raises(RunError) as caught:
        build(tiny_book, output=output, segments=2)
    message = str(caught.value)
    assert "02_two failed in cell 4 (1 / 0  # here): ZeroDivisionError: division by zero" in message
    assert "Traceback" not in message
    assert (output / "site" / "index.html").read_text() == "old"
    kept = tiny_book / "out.failed"
    assert str(kept) in message and (kept / "book" / "02_two.ipynb").exists()
    assert sorted(path.name for path in tiny_book.iterdir()) == [
        "_config.yml", "_runs", "_toc.yml", "book", "out", "out.failed"]


def test_book_error_in_a_chapter_is_told_as_it_is(tiny_book):
    code = 'from inside_musicnn.errors import InputError\nraise InputError("Choose a longer clip.")'
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", code)
    with pytest.raises(RunError, match=r"^01_one failed in cell 3 \(.*\): Choose a longer clip"):
        build(tiny_book, chapters="1")


def test_dead_kernel_is_told(tiny_book):
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", "import os", "os._exit(3)")
    with pytest.raises(RunError, match=r"01_one failed in cell 4 \(os._exit\(3\)\): .*died"):
        build(tiny_book, chapters="1")


def test_chapter_without_outputs_fails(tiny_book):
    write_chapter(tiny_book / "book" / "02_two.ipynb", "Two", "x = 1")
    with pytest.raises(RunError, match="02_two has no output at all"):
        build(tiny_book, chapters="2")


@pytest.mark.parametrize("output", [
    nbformat.v4.new_output("error", ename="E", evalue="bad", traceback=[]),
    nbformat.v4.new_output("stream", name="stdout", text=""),
])
def test_errors_and_empty_text_do_not_count_as_outputs(tmp_path, output):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    nbformat.write(notebook, tmp_path / "03_x.ipynb")
    with pytest.raises(RunError, match="03_x"):
        check_outputs(tmp_path / "03_x.ipynb")


def test_a_warning_of_the_site_fails_the_run(tiny_book):
    index = tiny_book / "book" / "index.md"
    index.write_text(index.read_text() + "\nSee {ref}`nowhere`.\n")
    with pytest.raises(RunError, match="book/index.md:5: WARNING: undefined label: 'nowhere'"):
        build(tiny_book, chapters="1")


def test_noise_on_stderr_fails_the_run(tiny_book):
    code = "import sys\nprint('noise', file=sys.stderr)"
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", code)
    with pytest.raises(RunError, match="01_one.ipynb, cell 3: WARNING: stderr was found"):
        build(tiny_book, chapters="1")


@pytest.mark.parametrize("wrong, said", [
    ({"chapters": "7"}, "no chapter '7'; choose from 01_one, 02_two"),
    ({"chapters": "two"}, "no chapter 'two'"),
    ({"chapters": ""}, "no chapter ''"),
    ({"model": "vgg"}, "MSD_musicnn, MTT_musicnn"),
    ({"audio": "/no/such.wav"}, "/no/such.wav"),
    ({"start": -1.0}, "start"),
    ({"start": float("nan")}, "start"),
    ({"start": 1e6}, "offset|start"),
    ({"segments": 0}, "segments"),
    ({"jobs": 0}, "jobs"),
])
def test_wrong_input_writes_nothing(tiny_book, wrong, said):
    before = hashes(tiny_book)
    with pytest.raises(InputError, match=said) as caught:
        build(tiny_book, **wrong)
    assert "\n" not in str(caught.value)
    assert hashes(tiny_book) == before and not (tiny_book / "_runs").exists()


@pytest.mark.parametrize("place, said", [
    ("_toc.yml/out", "cannot be made"),
    ("_toc.yml", "is a file"),
    ("book", "sources"),
    ("book/out", "sources"),
    (".", "sources"),
    ("..", "sources"),
    ("precious", "something else"),
])
def test_wrong_output_folder(tiny_book, place, said):
    (tiny_book / "precious").mkdir()
    (tiny_book / "precious" / "letter.txt").write_text("keep me")
    before = hashes(tiny_book)
    with pytest.raises(InputError, match=said):
        build(tiny_book, output=tiny_book / place)
    assert hashes(tiny_book) == before


def test_an_output_that_is_neither_file_nor_folder(tiny_book):
    pipe = tiny_book / "pipe"  # as a device such as /dev/null would be
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a file"):
        build(tiny_book, output=pipe)
    assert pipe.is_fifo()


def test_chapters_that_disagree_on_a_default(tiny_book):
    chapter = tiny_book / "book" / "02_two.ipynb"
    chapter.write_text(chapter.read_text().replace("segments = 4", "segments = 3"))
    with pytest.raises(InputError, match="disagree on the default of segments"):
        build(tiny_book)


def test_the_books_own_defaults():
    chapters = [page for page in read_pages(ROOT) if page.is_chapter]
    each, together = shared_defaults(ROOT, chapters)
    together.pop("corpus", None)  # that of one chapter
    assert together == {
        "audio": "internal_degeneration", "model": "MSD_musicnn", "start": 0.0, "segments": 4}
    assert all(each[page.name] for page in chapters), "every chapter has a parameters cell"


def test_run_names_are_plain_and_apart():
    assert run_name("disco", "MSD_musicnn") == "disco-MSD_musicnn"
    assert run_name("/music/my_song.mp3", "M") == "my_song-M"
    odd = [run_name(f"/m/{name}.wav", "M") for name in ("a b", "a?b", "ä", "..", "日本", "x" * 300)]
    assert len(set(odd)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,80}", name) for name in odd)


def command(root, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "inside_musicnn", "build", "--root", str(root), *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        # Tests that a shell runs in the background ignore Ctrl-C, and their children would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_two_runs_at_once_into_one_folder(tiny_book):
    runs = [command(tiny_book, "--segments", str(n), "--chapters", "2", "--jobs", "1",
                    "--output", str(tiny_book / "out")) for n in (1, 2)]
    for run in runs:
        said, _ = run.communicate(timeout=120)
        assert run.returncode == 0, said
    manifest = json.loads((tiny_book / "out" / "manifest.json").read_text())
    shown = outputs(tiny_book / "out" / "book" / "02_two.ipynb")
    assert shown == str(2 * manifest["parameters"]["segments"])
    assert sorted(path.name for path in tiny_book.iterdir()) == [
        "_config.yml", "_runs", "_toc.yml", "book", "out"]


def test_ctrl_c_stops_everything(tiny_book):
    code = "from pathlib import Path\nimport os, time\nPath('{}').write_text(str(os.getpid()))\n"
    mark = tiny_book.parent / "kernel.pid"
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One",
                  code.format(mark) + "time.sleep(300)")
    run = command(tiny_book, "--chapters", "1")
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    kernel = psutil.Process(int(mark.read_text()))
    os.kill(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=60)  # far less than the cell would sleep
    assert run.returncode == 130, said
    assert "Traceback" not in said
    psutil.wait_procs([kernel], timeout=5)
    assert not kernel.is_running()
    assert list((tiny_book / "_runs").iterdir()) == []  # no chapter was done


def test_who_reads_no_further_gets_no_traceback(tiny_book):
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", "import time\ntime.sleep(2)")
    run = subprocess.Popen(
        [sys.executable, "-m", "inside_musicnn", "build", "--root", str(tiny_book)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout.readline()
    run.stdout.close()  # as `| head -1` does
    said = run.stderr.read()
    assert (run.wait(timeout=120), said) == (141, "")
    assert not list((tiny_book / "_runs").glob("[!.]*"))  # no half of a site
