"""Execute chapters with papermill, each in a process of its own.

`python -m helpers.execute JOB` is that process: JOB is a JSON file with the chapter's folder,
file and parameters; the answer stands beside it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from helpers.errors import BuildError
from helpers.progress import Progress

KERNEL = "inside-musicnn"
SECONDS_TO_STOP = 10


def execute_all(folder: Path, chapters, parameters: dict, jobs: int, progress: Progress) -> dict:
    """Execute chapters in place, `jobs` at once; return seconds per chapter.

    Args:
        folder: the run's folder, which holds copies of the chapters.
        chapters: pages, in the order in which to start them.
        parameters: chapter's name -> parameters to inject.

    Raises:
        BuildError: the first chapter that fails, with its cell and error.
    """
    environment = _environment(folder)
    waiting, running, begin, seconds = list(chapters), {}, {}, {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                page = waiting.pop(0)
                begin[page] = time.monotonic()
                running[page] = _start(folder, page, parameters[page.name], environment)
                progress.started(page.name)
            for page, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[page]
                _check_answer(folder, page, process.returncode)
                seconds[page.name] = round(time.monotonic() - begin[page], 2)
                progress.finished(page.name, seconds[page.name])
            progress.tick()
            time.sleep(0.1)
    finally:
        _stop(running.values())
    return seconds


def _environment(folder: Path) -> dict:
    """Environment for the chapters: our own kernel, and nothing of the user's Jupyter."""
    from ipykernel.kernelspec import write_kernel_spec

    own = folder / ".jupyter"
    # The command is the absolute path of this very Python, so no other kernel can be taken.
    write_kernel_spec(own / "kernels" / KERNEL)
    environment = os.environ | {
        "JUPYTER_PATH": str(own),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "IPYTHONDIR": str(own / "ipython"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    environment.pop("MPLBACKEND", None)  # figures go into the page, whatever the shell says
    environment.pop("PYTHONSTARTUP", None)
    return environment


def _start(folder: Path, page, parameters: dict, environment: dict) -> subprocess.Popen:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    job = folder / ".jupyter" / f"{page.name}.json"
    job.write_text(json.dumps({
        "folder": str((folder / page.file).parent), "file": page.file.name,
        "parameters": parameters,
    }))
    # A session of its own: Ctrl-C reaches only the command, which then stops its chapters.
    with (logs / f"{page.name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "helpers.execute", str(job)], env=environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )


def _check_answer(folder: Path, page, code: int) -> None:
    """Raise BuildError if the chapter's process reports a failure, or nothing."""
    file = folder / ".jupyter" / f"{page.name}.answer.json"
    if not file.exists():
        raise BuildError(f"{page.name} ended without a word (exit code {code}); see its log.")
    answer = json.loads(file.read_text())
    if "error" in answer:
        raise BuildError(f"{page.name} failed {answer['where']}: {answer['error']}")


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


def _run_job(job: Path) -> None:
    """Execute one chapter and write the answer: empty, or the cell and the error."""
    signal.signal(signal.SIGTERM, _leave)
    import papermill

    order = json.loads(job.read_text())
    # Names relative to this folder, so that no path of the machine gets into the notebook.
    os.chdir(order["folder"])
    answer = {}
    try:
        papermill.execute_notebook(
            order["file"], order["file"], parameters=order["parameters"], kernel_name=KERNEL,
            language="python", progress_bar=False, log_output=False,
        )
    except Exception as error:  # whatever it is, the reader gets the cell and a short sentence
        answer = _failure(Path(order["file"]), error)
    job.with_suffix(".answer.json").write_text(json.dumps(answer))


def _leave(*_):
    raise SystemExit(143)


def _failure(file: Path, error: Exception) -> dict:
    """Where and why a chapter failed; the cell's number is that in the source."""
    from helpers.chapters import read_notebook, tagged

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
    return said if name == "BookError" else f"{name}: {said}"


if __name__ == "__main__":
    _run_job(Path(sys.argv[1]))
