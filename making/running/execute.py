"""Execute chapters, each in a process of its own: see `making.running.job`."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from inside_musicnn.errors import RunError
from making.running.chapters import Page
from making.running.progress import RunProgress
from making.running.starting import Process, Start, way_to_start

SECONDS_TO_STOP = 10


@dataclass(frozen=True)
class Task:
    """A chapter to execute in place."""

    folder: Path  # of a recording; it holds copies of the chapters
    page: Page
    parameters: dict  # to inject
    label: str  # what progress and errors call it


def execute_all(tasks: list[Task], jobs: int, progress: RunProgress,
                done: Callable[[Task, float, int], None]) -> None:
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
    with way_to_start(tasks[0].folder, pages, jobs, progress.say) as start:
        progress.expect({task.label: task.page.name for task in tasks})
        _execute_all(tasks, jobs, progress, done, start)


def _execute_all(tasks: list[Task], jobs: int, progress: RunProgress,
                 done: Callable[[Task, float, int], None], start: Start) -> None:
    waiting, begin = list(tasks), {}
    running: dict[str, tuple[Task, Process]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                begin[task.label] = time.monotonic()
                for name in (".jupyter", "logs"):
                    (task.folder / name).mkdir(exist_ok=True)
                running[task.label] = task, _start(task, start)
                progress.started(task.label)
            for task, process in list(running.values()):
                if (code := process.poll()) is None:
                    continue
                del running[task.label]
                memory = _check_answer(task, code)
                seconds = round(time.monotonic() - begin[task.label], 2)
                done(task, seconds, memory)
                progress.finished(task.label, seconds)
            progress.tick()
            time.sleep(0.1)
    finally:
        _stop(process for _, process in running.values())


def _start(task: Task, start: Start) -> Process:
    folder, page = task.folder, task.page
    job = folder / ".jupyter" / f"{page.name}.json"
    job.write_text(json.dumps({
        "folder": str((folder / page.file).parent), "file": page.file.name,
        "parameters": task.parameters,
    }))
    return start(str(job), str(folder / "logs" / f"{page.name}.log"))


def _check_answer(task: Task, code: int) -> int:
    """The most memory that the kernel held; RunError if the chapter failed, or says nothing."""
    file = task.folder / ".jupyter" / f"{task.page.name}.answer.json"
    if not file.exists():
        raise RunError(f"{task.label} ended without a word (exit code {code}); see its log.")
    answer = json.loads(file.read_text())
    if "error" in answer:
        raise RunError(f"{task.label} failed {answer['where']}: {answer['error']}")
    return answer["memory"]


def _stop(processes: Iterable[Process]) -> None:
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
