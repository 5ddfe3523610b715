"""Each peer in a process of its own, started once and asked in turn."""

import json
import os
import subprocess
import time
from pathlib import Path

from making.benchmarks.environment import ROOT


class PeerFailed(Exception):
    """A peer's process ended; the message says why."""


class NotInstalled(PeerFailed):
    """A peer needs a package that is not there."""


class Worker:
    """The process of one peer; it imports and opens its network while we go on.

    Args:
        peer: `making.benchmarks.peers.Peer`.
        model: "MSD_musicnn" or "MTT_musicnn".
        cores: how many it may use.
        files: folder of the exported graphs.
        python: the interpreter of its environment.
    """

    def __init__(self, peer, model, cores, files, python):
        self.peer, self.model, self.cores = peer, model, cores
        self.started = time.perf_counter()
        self._errors = Path(files) / f"errors-{peer.name}-{model}-{cores}.txt"
        command = [python, "-m", "making.benchmarks.worker", peer.code, model, str(cores),
                   str(files)]
        with self._errors.open("w") as errors:
            # A session of its own: Ctrl-C reaches the parent alone, which then stops the others.
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=_environment(cores), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        self.versions = None

    def ready(self):
        """Wait until it is open; raises NotInstalled or PeerFailed."""
        if self.versions is None:
            answer = self._answer()
            if "missing" in answer:
                raise NotInstalled(answer["missing"])
            self.versions = answer["versions"]
        return self

    def ask(self, **question):
        """One answer: see `making.benchmarks.worker`."""
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer will be that there is none
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            said = self._errors.read_text(errors="replace").strip().splitlines()
            raise PeerFailed(said[-1] if said else f"exit code {self._process.returncode}")
        return json.loads(line)

    def stop(self):
        """End the process; does nothing if it has ended."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def _environment(cores):
    """Thread settings of the libraries that read them from the environment."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
             "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return os.environ | dict.fromkeys(names, str(cores)) | {
        "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
