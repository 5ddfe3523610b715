"""A chapter's kernel as a fork of the chapter's process, which has imported everything already.

See `making.running.kernel_server`. The kernel is forked before the chapter's own process does
anything, while it has one thread, and waits there until Jupyter asks for a kernel.
"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner


def prepare_kernel() -> None:
    """Fork the kernel of this process's chapter; to be called while there is one thread."""
    ForkedProvisioner.spare = SpareKernel()


def _end_with(work: Callable[[], None]) -> None:
    """Do `work` and end this process as Python would, without taking TensorFlow apart first."""
    code = 0
    try:
        work()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()  # as multiprocessing does in its forks
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


class SpareKernel:
    """A fork that waits to become a kernel; has the methods of Popen that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        order, self._order = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._order)
            os.setsid()  # a group of its own, as Jupyter expects
            _end_with(lambda: _be_kernel(order))
        os.close(order)
        self.returncode: int | None = None

    def become(self, arguments: list[str], environment: dict, folder: str) -> None:
        """Start the kernel with the arguments of `ipykernel_launcher`."""
        with open(self._order, "w", encoding="utf-8") as pipe:
            json.dump([arguments, environment, folder], pipe)

    def poll(self) -> int | None:
        return self._wait(os.WNOHANG)

    def wait(self) -> int | None:
        return self._wait(0)

    def _wait(self, options: int) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, options)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _be_kernel(order: int) -> None:
    """Wait for the order, then be an IPython kernel."""
    with open(order, encoding="utf-8") as pipe:
        text = pipe.read()
    if not text:  # the chapter ended before it needed a kernel
        return
    arguments, environment, folder = json.loads(text)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    from ipykernel import kernelapp

    sys.argv = ["ipykernel_launcher", *arguments]
    # A kernel finds modules in its own folder; the server was started with -P and does not.
    places = (place for place, path in enumerate(sys.path) if path.endswith("site-packages"))
    sys.path.insert(next(places, 0), "")
    kernelapp.launch_new_instance(argv=arguments)


class ForkedProvisioner(LocalProvisioner):
    """Gives Jupyter the spare kernel in place of a new process."""

    spare: SpareKernel | None = None

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        kernel, ForkedProvisioner.spare = self.spare, None
        if kernel is None:
            raise subprocess.SubprocessError("A chapter has one kernel, and it was used already.")
        # The command of the kernel specification: python -m ipykernel_launcher -f FILE
        arguments = [*cmd[cmd.index("-f"):], f"--IPKernelApp.parent_handle={os.getpid()}"]
        self.cwd = options.get("cwd") or os.getcwd()
        kernel.become(arguments, options["env"], self.cwd)
        self.process = kernel  # type: ignore[assignment]  # as good as a Popen here
        self.pid = self.pgid = kernel.pid
        return self.connection_info


class ForkedKernelManager(AsyncKernelManager):
    """A kernel manager of Jupyter whose one kernel is the spare one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.provisioner = ForkedProvisioner(
            kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
