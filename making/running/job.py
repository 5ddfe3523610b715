"""The process of one chapter: runs its notebook with papermill.

`python -m making.running.job JOB` is that process: JOB is a JSON file with the chapter's folder,
file and parameters; the answer stands beside it.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from making.running.chapters import read_notebook, tagged

KERNEL = "inside-musicnn"  # the name of our own kernel specification


def run_job(job: Path, **options: Any) -> None:
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
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str,
                                     **options: Any) -> None:
            nb_man.output_path, output = None, nb_man.output_path
            try:
                super().execute_managed_notebook(nb_man, kernel_name, **options)
            finally:
                nb_man.output_path = output  # saved next, also after a failure

    papermill_engines.register(SavesAtTheEnd.__name__, SavesAtTheEnd)
    return SavesAtTheEnd.__name__


def _leave(*_: object) -> None:
    raise SystemExit(143)


def _failure(file: Path, error: Exception) -> dict:
    """Where and why a chapter failed; the cell's number is that in the source."""
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
