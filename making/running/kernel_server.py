"""A process that imports once what all chapters need, and becomes each chapter by forking.

Importing TensorFlow, librosa, Matplotlib and Jupyter takes longer than most chapters compute. So
the fork server of `multiprocessing` imports them, opens no session and no figure, and forks one
process per chapter, which runs the notebook in a kernel that is a fork too: new process, new
namespace, nothing to import. Where forking is not safe (all but Linux) chapters are started the
plain way, with the same result.
"""

import contextlib
import ctypes
import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection, forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from inside_musicnn.errors import RunError
from making.running.lighter_imports import skip_grammar

SECONDS_TO_STOP = 10
PRELOAD = "INSIDE_MUSICNN_PRELOAD"  # environment variable that only the server sees
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG in Linux
PLOTS_INTO_THE_PAGE = "module://matplotlib_inline.backend_inline"


def can_serve() -> bool:
    """Whether chapters can be forks here: Linux alone promises that libraries survive it."""
    return sys.platform == "linux"


class KernelServer:
    """The command's side: starts the server, asks for chapters, ends them.

    `multiprocessing` has one fork server in a process, so there is one of these at a time.

    Args:
        environment: environment variables of the server and of all chapters.
        network: whether chapters open MusiCNN, so that TensorFlow is imported, too.
        log: a file for what the server itself says.
    """

    def __init__(self, environment: dict[str, str], network: bool, log: Path):
        self._environment = environment | {"MPLBACKEND": PLOTS_INTO_THE_PAGE}
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self._chapters: list[Chapter] = []
        self._log = log
        _end_server()  # one that nobody has closed
        told = {"network": network, "log": str(log), "names": list(self._environment)}
        further = {PRELOAD: json.dumps(told), "PYTHONSAFEPATH": "1"}  # the server forgets them
        with _environment(self._environment | further):
            forkserver.ensure_running()

    def wait_until_ready(self) -> None:
        """Return once the server has imported everything; raises RunError if it cannot."""
        self._fork(time.time).join()

    def start(self, job: str, log: str) -> "Chapter":
        """Start a chapter: a file for `making.running.job`, and the file for what it says.

        Raises:
            RunError: the server has ended.
        """
        self._chapters.append(Chapter(self._fork(_be_chapter, job, log, self._environment)))
        return self._chapters[-1]

    def _fork(self, function: Callable[..., Any], *arguments: Any) -> ForkServerProcess:
        process = self._context.Process(target=function, args=arguments)
        main = sys.modules["__main__"]
        try:
            sys.modules["__main__"] = ModuleType("__main__")  # a child would run it once more
            process.start()
        except (EOFError, OSError):
            raise RunError("The process that loads the libraries for all chapters has ended; see "
                           f"{self._log.name}.") from None
        finally:
            sys.modules["__main__"] = main
        return process

    def close(self) -> None:
        """End the chapters that still run, politely first, and the server."""
        running = [chapter for chapter in self._chapters if chapter.poll() is None]
        for chapter in running:
            chapter.terminate()
        deadline = time.monotonic() + SECONDS_TO_STOP
        for chapter in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                chapter.wait(max(0.1, deadline - time.monotonic()))
            chapter.kill()
        _end_server()


class Chapter:
    """A chapter that runs in a fork; has the methods of `subprocess.Popen` that we use."""

    def __init__(self, process: ForkServerProcess):
        self._process = process

    @property
    def returncode(self) -> int | None:
        """Exit code of the chapter, None while it runs; 255 if the server itself is gone."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if (code := self.returncode) is None:
            raise subprocess.TimeoutExpired("chapter", timeout or 0)
        return code


def _end_server() -> None:
    """End the fork server of this process, if it has one: it would stay as long as this process."""
    server: Any = forkserver._forkserver  # there is no public way
    if server._forkserver_pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGTERM)  # also while it still imports
        server._stop()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """This process's environment variables meanwhile, for a process that is started."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(values)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _be_chapter(job: str, log: str, environment: dict[str, str]) -> None:
    """In a fork: be the process of one chapter."""
    from making.running.forked_kernel import ForkedKernelManager, prepare_kernel
    from making.running.job import run_job

    os.setsid()
    ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGTERM)  # the server
    os.environ.update(environment)  # not this server's, if the first one had to be replaced
    sys.path[:] = _PATH or sys.path
    with open(os.devnull, "rb") as nothing, open(log, "ab") as said:
        os.dup2(nothing.fileno(), 0)
        for number in (1, 2):
            os.dup2(said.fileno(), number)
    prepare_kernel()  # while there is one thread
    threading.Thread(target=_end_with_command, daemon=True).start()
    run_job(Path(job), kernel_manager_class=ForkedKernelManager)


def _end_with_command() -> None:
    """Wait for the death of the command, which the server outlives as long as chapters run."""
    command = multiprocessing.parent_process()
    if command is not None:
        connection.wait([command.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _import_all(network: bool) -> None:
    """Import what chapters use, also the parts that libraries load only when they are first used.

    Nothing here may start threads that a fork would miss, or touch what a chapter can see: no
    session, no pyplot figure, no setting.
    """
    import ipykernel.kernelapp  # noqa: F401
    import papermill  # noqa: F401

    import making.running.forked_kernel  # noqa: F401
    import making.running.job  # noqa: F401

    if not network:
        return
    import matplotlib.pyplot  # noqa: F401
    import scipy.signal  # noqa: F401
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from inside_musicnn.network.layers import TAGS
    from inside_musicnn.network.original import build, tensorflow
    from inside_musicnn.network.weights import MODELS
    from inside_musicnn.sound.clips import clip_names, load_clip

    FigureCanvasAgg(Figure()).print_png(os.devnull)
    load_clip(next(iter(clip_names())), duration=4).patches()
    tensorflow().compat.v1.Session  # noqa: B018  (loads what TensorFlow imports lazily)
    for model in MODELS:
        build(model, TAGS)


_PATH: list[str] = []  # where the server finds modules


def _preload(network: bool, log: str, names: list[str]) -> None:
    """In the server, before it serves: import everything."""
    for name in os.environ.keys() - set(names):  # a C library of the command's has set it
        del os.environ[name]
    os.setsid()  # Ctrl-C reaches only the command, which then ends its chapters
    with open(log, "wb") as said:
        for number in (1, 2):
            os.dup2(said.fileno(), number)
    _PATH[:] = [path for path in sys.path if path]  # not the folder where the reader stands
    sys.path[:] = _PATH
    skip_grammar()
    _import_all(network)
    gc.collect()
    gc.freeze()  # what is imported stays: children need not look through it again, nor copy it


if PRELOAD in os.environ:
    _preload(**json.loads(os.environ.pop(PRELOAD)))
