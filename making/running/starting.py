"""How the process of a chapter is started: its environment, and a fork or a new Python."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from inside_musicnn.cores import count_cores
from making.running.chapters import Page
from making.running.job import KERNEL
from making.running.kernel_server import KernelServer, can_serve


class Process(Protocol):
    """The process of a chapter: what is used of `subprocess.Popen`."""

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


Start = Callable[[str, str], Process]  # from a file for `making.running.job`, and one for its log


def environment_for(folder: Path, jobs: int) -> dict[str, str]:
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
def way_to_start(folder: Path, chapters: list[Page], jobs: int,
                 say: Callable[[str], None]) -> Iterator[Start]:
    """What starts the processes of chapters: a server that forks them, or a new Python for each.

    The server pays from the second chapter on.

    Args:
        folder: of a recording; it holds copies of the chapters.
        jobs: how many run at once.
        say: told what takes a while.
    """
    environment = environment_for(folder, min(jobs, len(chapters)))
    if len(chapters) < 2 or not can_serve():
        yield lambda job, log: start_python(job, log, environment)
        return
    network = any("MusiCNN(" in (folder / page.file).read_text("utf-8") for page in chapters)
    if network:
        say("loading the libraries once for all chapters")
    server = KernelServer(environment, network, folder / "logs" / "server.log")
    try:
        server.wait_until_ready()
        yield server.start
    finally:
        server.close()


def start_python(job: str, log: str, environment: dict[str, str]) -> subprocess.Popen:
    """Start a chapter in a new Python."""
    # A session of its own: Ctrl-C reaches only the command, which then stops its chapters.
    with open(log, "wb") as said:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "making.running.job", job], env=environment,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )
