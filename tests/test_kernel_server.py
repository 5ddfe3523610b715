"""The server that becomes each chapter by forking: fresh processes, and how they end."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from unittest.mock import ANY

import nbformat
import psutil
import pytest
from arithmetic.network import SILENT, truth_of
from conftest import ROOT, write_chapter

from inside_musicnn.errors import RunError
from making.running.kernel_server import KernelServer, can_serve
from making.running.starting import environment_for, start_python

pytestmark = pytest.mark.skipif(not can_serve(), reason="forks chapters on Linux only")


class Desk:
    """A folder with chapters and a server that runs them."""

    def __init__(self, folder, network=False, environment=()):
        (folder / ".jupyter").mkdir(parents=True)
        self.folder = folder
        self.environment = environment_for(folder, 1) | {"CHAPTERS_SEE": "this"} | dict(environment)
        self.server = KernelServer(self.environment, network, folder / "logs" / "server.log")

    def start(self, name, *cells, plainly=False, **parameters):
        write_chapter(self.folder / f"{name}.ipynb", name, *cells)
        job = self.folder / ".jupyter" / f"{name}.json"
        job.write_text(json.dumps({"folder": str(self.folder), "file": f"{name}.ipynb",
                                   "parameters": parameters}))
        log = str(self.folder / "logs" / f"{name}.log")
        if plainly:
            return start_python(str(job), log, self.environment)
        return self.server.start(str(job), log)

    def answer(self, name):
        return json.loads((self.folder / ".jupyter" / f"{name}.answer.json").read_text())

    def said(self, name):
        """What the cells of a chapter printed, and the pictures they drew."""
        cells = nbformat.read(self.folder / f"{name}.ipynb", as_version=4).cells
        return [output.get("text") or sorted(output.data)
                for cell in cells for output in cell.get("outputs", [])]

    def run(self, name, *cells, **parameters):
        code = self.start(name, *cells, **parameters).wait(120)
        assert code == 0 and list(self.answer(name)) == ["memory"], self.answer(name)
        return self.said(name)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk") / "a run")
    yield desk
    desk.server.close()


@pytest.fixture
def short_lived(tmp_path):
    """A server that the test itself ends."""
    desk = Desk(tmp_path / "run")
    yield desk
    desk.server.close()


def begin_to_sleep(desk, name):
    """A chapter whose kernel sleeps; the chapter, its process and its kernel's."""
    mark = desk.folder / f"{name}.pids"
    chapter = desk.start(name, "import os, time; from pathlib import Path\n"
                         f"Path({str(mark)!r}).write_text(f'{{os.getppid()}} {{os.getpid()}} ')\n"
                         "time.sleep(300)")
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text().endswith(" ")):
        assert time.monotonic() < deadline, "the chapter did not begin"
        time.sleep(0.05)
    return chapter, [psutil.Process(int(pid)) for pid in mark.read_text().split()]


def test_each_chapter_has_a_process_and_names_of_its_own(desk):
    cells = ("import os; print(os.getpid(), os.getpgid(0))", "print('left' in globals())",
             "left = 1; import json; json.left = 1", "print(__name__)")
    first, second = desk.run("one", *cells), desk.run("two", *cells)
    assert first[0] != second[0]
    assert first[1:] == second[1:] == ["False\n", "__main__\n"]
    assert desk.run("three", "import json; print(hasattr(json, 'left'))") == ["False\n"]


def test_a_chapter_sees_what_one_in_a_new_python_sees(desk):
    code = ("import os, sys, json, signal, matplotlib\n"
            "unlike = ('JPY_PARENT_PID', 'TF_USE_LEGACY_KERAS')\n"
            "print(json.dumps([os.getcwd(), sys.path, sys.argv[1:2], segments, audio,\n"
            "    {k: v for k, v in os.environ.items() if k not in unlike},\n"
            "    str(signal.getsignal(signal.SIGTERM)), str(signal.getsignal(signal.SIGCHLD)),\n"
            "    os.isatty(0), matplotlib.get_backend(), __name__, sorted(globals())]))")
    forked = desk.run("sees", code, segments=7)
    desk.start = functools.partial(desk.start, plainly=True)
    plain = desk.run("sees", code, segments=7)
    del desk.start
    assert json.loads(forked[0]) == json.loads(plain[0])
    assert json.loads(forked[0])[:5] == [str(desk.folder), ANY, ["-f"], 7, "disco"]
    assert json.loads(forked[0])[5]["CHAPTERS_SEE"] == "this"


def test_figures_get_into_the_page(desk):
    said = desk.run("draws", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);", "plt.gcf();")
    assert said[0] == ["image/png", "text/plain"]


def test_random_numbers_differ_between_chapters(desk):
    code = "import random, uuid, numpy; print(random.random(), uuid.uuid4())"
    assert desk.run("dice", code) != desk.run("dice", code)


def test_an_error_is_told_with_its_cell(desk):
    assert desk.start("fails", "1 / 0  # here").wait(60) == 0
    assert desk.answer("fails") == {"where": "in cell 3 (1 / 0  # here)",
                                    "error": "ZeroDivisionError: division by zero"}


def test_a_dead_kernel_is_told(desk):
    assert desk.start("dies", "import os", "os._exit(3)").wait(60) == 0
    assert desk.answer("dies")["where"] == "in cell 4 (os._exit(3))"
    assert "died" in desk.answer("dies")["error"]


@pytest.mark.parametrize("end, code", [("terminate", 143), ("kill", -signal.SIGKILL)])
def test_a_chapter_that_is_stopped_takes_its_kernel_along(desk, end, code):
    chapter, processes = begin_to_sleep(desk, end)
    getattr(chapter, end)()
    assert chapter.wait(30) == code
    assert psutil.wait_procs(processes, timeout=10)[1] == []
    assert desk.run("next", "print('still serving')") == ["still serving\n"]


def test_closing_ends_everything(short_lived):
    processes = begin_to_sleep(short_lived, "a")[1] + begin_to_sleep(short_lived, "b")[1]
    assert len({process.pid for process in processes}) == 4
    short_lived.server.close()
    assert psutil.wait_procs(processes, timeout=10)[1] == []


def test_a_server_that_dies_is_noticed_and_leaves_nothing(short_lived):
    chapter, processes = begin_to_sleep(short_lived, "a")
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    assert chapter.wait(30) not in (None, 0)
    assert psutil.wait_procs(processes, timeout=15)[1] == []


def test_closing_while_it_still_imports(tmp_path):
    desk = Desk(tmp_path / "run", network=True)
    server = psutil.Process(forkserver._forkserver._forkserver_pid)
    time.sleep(0.5)
    begin = time.monotonic()
    desk.server.close()
    assert not server.is_running() and time.monotonic() - begin < 2


def test_a_server_that_cannot_import_is_told(tmp_path):
    (tmp_path / "ipykernel.py").write_text("raise RuntimeError('broken')")
    desk = Desk(tmp_path / "run", environment={"PYTHONPATH": str(tmp_path)})
    try:
        with pytest.raises(RunError, match="has ended; see server.log"):
            desk.server.wait_until_ready()
    finally:
        desk.server.close()
    assert "broken" in (tmp_path / "run" / "logs" / "server.log").read_text()


def test_what_lies_where_the_reader_stands_is_not_imported_and_no_script_is_run_again(
        tiny_book, tmp_path):
    (tmp_path / "selectors.py").write_text("raise RuntimeError('not this')")
    script = tmp_path / "bin" / "unguarded.py"
    script.parent.mkdir()
    script.write_text(f"print('begun')\nimport sys; sys.path.insert(0, {str(ROOT)!r})\n"
                      "from making.running.run import build\n"
                      f"build({str(tiny_book)!r}, jobs=2)\n")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = (tiny_book / "_runs").glob("*/logs/server.log")
    assert done.stdout.count("begun") == 1 and log.read_text() == ""


def test_a_command_that_is_killed_leaves_nothing(tiny_book):
    marks = [tiny_book / name for name in ("01_one", "02_two")]
    for mark in marks:
        write_chapter(tiny_book / "book" / f"{mark.name}.ipynb", mark.name,
                      f"from pathlib import Path; Path({str(mark)!r}).touch()",
                      "import time; time.sleep(300)")
    command = subprocess.Popen(
        [sys.executable, "-m", "inside_musicnn", "build", "--root", str(tiny_book), "--jobs", "2"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while not all(mark.exists() for mark in marks):
        assert time.monotonic() < deadline and command.poll() is None
        time.sleep(0.1)
    processes = psutil.Process(command.pid).children(recursive=True)
    assert len(processes) >= 5  # the server, two chapters, two kernels
    command.kill()
    command.wait()
    assert psutil.wait_procs(processes, timeout=30)[1] == []


def test_networks_answer_alike_in_chapters_that_run_at_once(tmp_path):
    """TensorFlow and the linear algebra libraries work in forks, two at a time."""
    code = ("import numpy as np; from helpers import MusiCNN, load_clip\n"
            "patches = load_clip('disco').patches()[:2]\n"
            "tags = MusiCNN('MSD_musicnn').tags(patches)\n"
            "square = patches[0].T @ patches[0]; np.linalg.eigvalsh(square)\n"
            "print(tags.tolist())")
    desk = Desk(tmp_path / "run", network=True)
    try:
        chapters = [desk.start(name, code) for name in "abc"]
        assert [chapter.wait(120) for chapter in chapters] == [0, 0, 0]
        said = [desk.said(name) for name in "abc"]
    finally:
        desk.server.close()
    assert said[0] == said[1] == said[2]
    from inside_musicnn import MusiCNN, load_clip

    patches = load_clip("disco").patches()[:2]
    truth = truth_of("MSD_musicnn", patches, SILENT)
    for tags in (json.loads(said[0][0]), MusiCNN("MSD_musicnn").tags(patches)):
        assert truth.ratio("tags/sigmoid", tags) <= 1
    assert "tensorflow" in sys.modules
