"""A process that imports once what all chapters need, and becomes each chapter by forking.

Importing TensorFlow, librosa, Matplotlib and Jupyter takes longer than most chapters compute. The
server imports them, opens no session and no figure, and forks one process per chapter, which
runs the notebook in a kernel that is a fork too: new process, new namespace, nothing to import.
Where forking is not safe (all but Linux) chapters are started the plain way, with the same result.

`python -m making.running.kernel_server` is the server. It reads orders from its standard input,
one JSON object a line, and ends when that closes, so nothing outlives the command.
"""

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

from making.running.lighter_imports import skip_grammar

SECONDS_TO_STOP = 10
READY = "ready"
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG in Linux
PLOTS_INTO_THE_PAGE = "module://matplotlib_inline.backend_inline"


def can_serve() -> bool:
    """Whether chapters can be forks here: Linux alone promises that libraries survive it."""
    return sys.platform == "linux"


class KernelServer:
    """The command's side: starts the server, asks for chapters, hears how they ended.

    Args:
        environment: environment variables of the server and of all chapters.
        network: whether chapters open MusiCNN, so that TensorFlow is imported, too.
        log: a file for what the server itself says.
    """

    def __init__(self, environment: dict, network: bool, log: Path):
        arguments = [sys.executable, "-P", "-m", "making.running.kernel_server"]
        arguments += ["network"] if network else []
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                arguments, env=environment | {"MPLBACKEND": PLOTS_INTO_THE_PAGE}, bufsize=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
                start_new_session=True,
            )
        self._codes, self._unread = {}, b""
        os.set_blocking(self._process.stdout.fileno(), False)

    def wait_until_ready(self) -> None:
        while self.code(READY) is None:
            time.sleep(0.05)

    def start(self, job: str, log: str) -> "Chapter":
        """Start a chapter: a file for `making.running.execute`, and the file for what it says."""
        self._codes.pop(job, None)
        self.order(job=job, log=log)
        return Chapter(self, job)

    def order(self, **order) -> None:
        with contextlib.suppress(BrokenPipeError):  # a server that died: `code` tells
            self._process.stdin.write(json.dumps(order).encode() + b"\n")

    def code(self, job: str) -> int | None:
        """Exit code of a chapter, None while it runs; -9 if the server itself is gone."""
        gone = self._process.poll() is not None
        while part := self._process.stdout.read(2**16):
            *lines, self._unread = (self._unread + part).split(b"\n")
            self._codes.update(json.loads(line) for line in lines)
        return self._codes.get(job, -signal.SIGKILL if gone else None)

    def close(self) -> None:
        """End the server and what still runs in it."""
        self._process.stdin.close()
        self._process.terminate()  # also while it still imports
        try:
            self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Chapter:
    """A chapter that runs in the server; has the methods of `subprocess.Popen` that we use."""

    def __init__(self, server: KernelServer, job: str):
        self._server, self._job, self.returncode = server, job, None

    def poll(self) -> int | None:
        self.returncode = self._server.code(self._job)
        return self.returncode

    def terminate(self) -> None:
        self._server.order(job=self._job, signal=signal.SIGTERM)

    def kill(self) -> None:
        self._server.order(job=self._job, signal=signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (timeout or float("inf"))
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._job, timeout)
            time.sleep(0.05)
        return self.returncode


def _import_all(network: bool) -> None:
    """Import what chapters use, also the parts that libraries load only when they are first used.

    Nothing here may start threads that a fork would miss, or touch what a chapter can see: no
    session, no pyplot figure, no setting.
    """
    import ipykernel.kernelapp  # noqa: F401
    import papermill  # noqa: F401

    import making.running.execute  # noqa: F401
    import making.running.forked_kernel  # noqa: F401

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


class _Server:
    """The server's side: forks chapters on order and tells their exit codes."""

    def __init__(self):
        # What chapters print must not mix with our answers.
        self._answers = os.dup(1)
        os.dup2(2, 1)
        self._running, self._unread, self._stopped = {}, b"", False
        self._wake, wakeup = os.pipe()
        for end in (self._wake, wakeup):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_) -> None:
        self._stopped = True

    def serve(self) -> dict | None:
        """Serve until told to end; in each chapter's process, return its order instead."""
        self._tell(READY, 0)
        while (orders := self._hear()) is not None:
            for order in orders:
                if "signal" in order:
                    self._signal(order["signal"], order["job"])
                elif (pid := os.fork()) == 0:
                    self._leave()
                    return order
                else:
                    self._running[pid] = order["job"]
            self._tell_ended()
        self._end()
        return None

    def _hear(self) -> list[dict] | None:
        """Wait for orders or for the end of a chapter; None once nobody orders any more."""
        with selectors.DefaultSelector() as selector:
            for source in (0, self._wake):
                selector.register(source, selectors.EVENT_READ)
            ready = [key.fd for key, _ in selector.select()]
        if self._wake in ready:
            os.read(self._wake, 2**16)
        if self._stopped:
            return None
        if 0 not in ready:
            return []
        part = os.read(0, 2**16)
        if not part:
            return None
        *lines, self._unread = (self._unread + part).split(b"\n")
        return [json.loads(line) for line in lines if line]

    def _signal(self, number: int, job: str | None = None) -> None:
        for pid, its in self._running.items():
            if job in (None, its):
                os.kill(pid, number)

    def _tell_ended(self) -> None:
        for pid in list(self._running):
            ended, status, used = os.wait4(pid, os.WNOHANG)
            if ended:
                job, code = self._running.pop(pid), os.waitstatus_to_exitcode(status)
                self._tell(job, code)
                seconds = used.ru_utime + used.ru_stime  # its kernel's, too
                print(f"{Path(job).stem}: exit code {code}, {seconds:.1f} s of processor time",
                      file=sys.stderr, flush=True)

    def _tell(self, job: str, code: int) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._answers, json.dumps([job, code]).encode() + b"\n")

    def _end(self) -> None:
        """End all chapters: politely first, so that each ends its kernel."""
        deadline = time.monotonic() + SECONDS_TO_STOP - 1
        self._signal(signal.SIGTERM)
        while self._running and time.monotonic() < deadline:
            self._tell_ended()
            time.sleep(0.05)
        self._signal(signal.SIGKILL)

    def _leave(self) -> None:
        """In a fork: forget the server."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._answers)
        os.setsid()
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGTERM)


def main() -> None:
    skip_grammar()
    _import_all(network="network" in sys.argv[1:])
    gc.collect()
    gc.freeze()  # what is imported stays: children need not look through it again, nor copy it
    order = _Server().serve()
    if order is None:
        os._exit(0)
    from making.running.forked_kernel import run_chapter

    run_chapter(order["job"], order["log"])


if __name__ == "__main__":
    main()
