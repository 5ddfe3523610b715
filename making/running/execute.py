"""Execute chapters with papermill, each in a process of its own.

`python -m making.running.execute JOB` is that process: JOB is a JSON file with the chapter's
folder, file and parameters; the answer stands beside it.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inside_musicnn.cores import count_cores
from inside_musicnn.errors import RunError
from making.running.chapters import Page
from making.running.kernel_server import KernelServer, can_serve
from making.running.progress import RunProgress

KERNEL = "inside-musicnn"
SECONDS_TO_STOP = 10


@dataclass(frozen=True)
class Task:
    """A chapter to execute in place."""

    folder: Path  # of a recording; it holds copies of the chapters
    page: Page
    parameters: dict  # to inject
    label: str  # what progress and errors call it


def execute_all(tasks: list[Task], jobs: int, progress: RunProgress, done) -> None:
    """Execute chapters, `jobs` at once, in the given order.

    Args:
        done: called as soon as a task is finished, with it, its seconds, and the most bytes of
            memory that its kernel held.

    Raises:
        RunError: the first chapter that fails, with its cell and error.
    """
    if not tasks:
        return
    pages = [task.page for task in tasks]
    environment = _environment(tasks[0].folder, min(jobs, len(tasks)))
    with _ways_to_start(tasks[0].folder, pages, environment, progress) as start:
        progress.expect({task.label: task.page.name for task in tasks})
        _execute_all(tasks, jobs, progress, done, start)


def _execute_all(tasks: list[Task], jobs: int, progress: RunProgress, done, start) -> None:
    waiting, running, begin = list(tasks), {}, {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                begin[task.label] = time.monotonic()
                for name in (".jupyter", "logs"):
                    (task.folder / name).mkdir(exist_ok=True)
                running[task.label] = (
                    task, _start(task.folder, task.page, task.parameters, start))
                progress.started(task.label)
            for task, process in list(running.values()):
                if process.poll() is None:
                    continue
                del running[task.label]
                memory = _check_answer(task, process.returncode)
                seconds = round(time.monotonic() - begin[task.label], 2)
                done(task, seconds, memory)
                progress.finished(task.label, seconds)
            progress.tick()
            time.sleep(0.1)
    finally:
        _stop(process for _, process in running.values())


def _environment(folder: Path, jobs: int) -> dict:
    """Environment for the chapters: our own kernel, and nothing of the user's Jupyter."""
    from ipykernel.kernelspec import write_kernel_spec

    own = folder / ".jupyter"
    (folder / "logs").mkdir(exist_ok=True)
    # The command is the absolute path of this very Python, so no other kernel can be taken.
    write_kernel_spec(own / "kernels" / KERNEL)
    environment = os.environ | {
        "JUPYTER_PATH": str(own),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "IPYTHONDIR": str(own / "ipython"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    # Chapters that run at once share the cores: more threads than cores wait for each other.
    environment.setdefault("OPENBLAS_NUM_THREADS", str(max(1, count_cores() // jobs)))
    environment.pop("MPLBACKEND", None)  # figures go into the page, whatever the shell says
    environment.pop("PYTHONSTARTUP", None)
    return environment


@contextmanager
def _ways_to_start(folder: Path, chapters, environment: dict, progress: RunProgress):
    """What starts a chapter's process: a server that forks it, or a new Python.

    The server pays from the second chapter on.
    """
    if len(chapters) < 2 or not can_serve():
        yield lambda job, log: _start_python(job, log, environment)
        return
    network = any("MusiCNN(" in (folder / page.file).read_text("utf-8") for page in chapters)
    if network:
        progress.say("loading the libraries once for all chapters")
    server = KernelServer(environment, network, folder / "logs" / "server.log")
    try:
        server.wait_until_ready()
        yield server.start
    finally:
        server.close()


def _start(folder: Path, page, parameters: dict, start):
    """Start a chapter; returns its process, which answers as a Popen does."""
    job = folder / ".jupyter" / f"{page.name}.json"
    job.write_text(json.dumps({
        "folder": str((folder / page.file).parent), "file": page.file.name,
        "parameters": parameters,
    }))
    return start(str(job), str(folder / "logs" / f"{page.name}.log"))


def _start_python(job: str, log: str, environment: dict) -> subprocess.Popen:
    # A session of its own: Ctrl-C reaches only the command, which then stops its chapters.
    with open(log, "wb") as said:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "making.running.execute", job], env=environment,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )


def _check_answer(task: Task, code: int) -> int:
    """The most memory that the kernel held; RunError if the chapter failed, or says nothing."""
    file = task.folder / ".jupyter" / f"{task.page.name}.answer.json"
    if not file.exists():
        raise RunError(f"{task.label} ended without a word (exit code {code}); see its log.")
    answer = json.loads(file.read_text())
    if "error" in answer:
        raise RunError(f"{task.label} failed {answer['where']}: {answer['error']}")
    return answer["memory"]


def _stop(processes) -> None:
    """End processes that still run: politely first, so that each ends its kernel."""
    processes = list(processes)
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + SECONDS_TO_STOP
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_job(job: Path, **options) -> None:
    """Execute one chapter and write the answer: its memory, or the cell and the error.

    Args:
        job: the JSON file that tells which.
        options: passed on to nbclient, which runs the notebook.
    """
    signal.signal(signal.SIGTERM, _leave)
    import papermill

    order = json.loads(job.read_text())
    # Names relative to this folder, so that no path of the machine gets into the notebook.
    os.chdir(order["folder"])
    try:
        papermill.execute_notebook(
            order["file"], order["file"], parameters=order["parameters"], kernel_name=KERNEL,
            language="python", progress_bar=False, log_output=False, engine_name=_engine(),
            **options,
        )
        answer = {"memory": _most_memory_of_the_kernel()}
    except Exception as error:  # whatever it is, the reader gets the cell and a short sentence
        answer = _failure(Path(order["file"]), error)
    job.with_suffix(".answer.json").write_text(json.dumps(answer))


def _most_memory_of_the_kernel() -> int:
    """In bytes; what a fork shares with its parent counts, too."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def _engine() -> str:
    """Papermill's engine, told to save once: twice per cell takes seconds for a long chapter."""
    from papermill.engines import NBClientEngine, papermill_engines

    class SavesAtTheEnd(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **options):
            nb_man.output_path, output = None, nb_man.output_path
            try:
                super().execute_managed_notebook(nb_man, kernel_name, **options)
            finally:
                nb_man.output_path = output  # saved next, also after a failure

    papermill_engines.register(SavesAtTheEnd.__name__, SavesAtTheEnd)
    return SavesAtTheEnd.__name__


def _leave(*_):
    raise SystemExit(143)


def _failure(file: Path, error: Exception) -> dict:
    """Where and why a chapter failed; the cell's number is that in the source."""
    from making.running.chapters import read_notebook, tagged

    where, number = "before its first cell", 0
    for cell in read_notebook(file).cells:
        if tagged(cell, "papermill-error-cell-tag"):
            continue  # papermill's own pointer to the error
        injected = tagged(cell, "injected-parameters")
        number += not injected
        # The last cell that was started is the one that failed.
        if cell.metadata.get("papermill", {}).get("start_time"):
            first = (cell.source.strip().splitlines() or [""])[0]
            where = "in the given parameters" if injected else f"in cell {number} ({first})"
    return {"where": where, "error": _reason(error)}


def _reason(error: Exception) -> str:
    """What went wrong, as the error in the chapter said it."""
    if type(error).__name__ == "DeadKernelError":
        return "its kernel died; perhaps memory ran out."
    name, said = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    return said if name == "InputError" else f"{name}: {said}"


if __name__ == "__main__":
    run_job(Path(sys.argv[1]))
