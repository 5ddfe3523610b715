"""One run: opens peers, checks and times their answers, and keeps the records.

A record is one question asked of one peer several times: what was asked, seconds and processor
seconds of each answer, and the process's peak memory.
"""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from making.benchmarks.environment import ROOT, python_of
from making.benchmarks.machine import Load
from making.benchmarks.peers import REQUIREMENTS
from making.benchmarks.processes import NotInstalled, PeerFailed, Worker

PAUSE = 0.03  # seconds in which threads of the last peer that spin for work come to rest
HOW = f"run `make bench`, or: pip install -r {REQUIREMENTS}"


class Bench:
    """Peers, files and records of one run.

    Args:
        peers: dict from name to `making.benchmarks.peers.Peer`.
        plan: `making.benchmarks.plan.Plan`.
        files: a temporary folder.
        environment: folder of the environment of the optional peers.
        say: called with a sentence on what is being done.

    Attributes:
        done: names of the pieces of work that are done.
        best: model -> peer -> [patches per call, setting] that were the fastest of those tried.
        records: list of dicts.
        checks: list of dicts: peer, model, what, difference, tolerance, right.
        peers_found: name -> dict with title, status, and why or versions.
        load: what other programs used meanwhile.
    """

    def __init__(self, peers, plan, files, environment, say):
        self.peers, self.plan, self.files, self.say = peers, plan, Path(files), say
        self.optional = python_of(environment)
        self.records, self.checks, self.load = [], [], Load()
        self.peers_found = {name: {"title": peer.title, "status": "measured",
                                   "depends": peer.depends} for name, peer in peers.items()}
        self.done, self.best, self.seconds = [], {}, 0.0
        self._running = set()

    def state(self):
        """What is known so far, to be kept."""
        return {"done": self.done, "best": self.best, "seconds": self.seconds,
                "records": self.records, "checks": self.checks, "peers": self.peers_found,
                "load": vars(self.load)}

    def restore(self, state):
        """Go on from what was kept."""
        self.done, self.best, self.seconds = state["done"], state["best"], state["seconds"]
        self.records, self.checks = state["records"], state["checks"]
        self.peers_found = state["peers"]
        vars(self.load).update(state["load"])

    def python(self, peer):
        return self.optional if peer.optional else sys.executable

    def export(self, model):
        """Write the graphs that some peers read; who cannot have one is not installed."""
        tools = {"making.benchmarks.onnx_export": (self.optional, [
            f"{model}.onnx", f"{model}-first-stage.onnx", f"{model}-pruned.onnx"])}
        if {"frozen", "essentia"} & set(self.peers):
            tools["making.benchmarks.freeze"] = (sys.executable, [f"{model}.pb"])
        for module, (python, names) in tools.items():
            subprocess.run([python, "-m", module, model, *(str(self.files / n) for n in names)],
                           cwd=ROOT, capture_output=True)  # who misses it will say so

    @contextmanager
    def workers(self, entries):
        """Processes, opened side by side.

        Args:
            entries: (peer, model, cores) each.

        Yields:
            dict to Worker, from the peer's name, or from all three where a name comes twice.
        """
        entries, mine = list(entries), {}
        names = [peer.name for peer, _, _ in entries]
        try:
            for peer, model, cores in entries:
                key = (peer.name if names.count(peer.name) == 1 else
                       f"{peer.name}-{model}-{cores}")
                mine[key] = Worker(peer, model, cores, self.files, self.python(peer))
                self._running.add(mine[key])
            for name in list(mine):
                if self.attempt(mine[name], mine[name].ready) is None:
                    del mine[name]
            yield mine
        finally:
            self.stop()

    def usable(self, choice):
        """The peers for which `choice(peer)` holds and that have given no wrong answer so far."""
        return {name: peer for name, peer in self.peers.items()
                if choice(peer) and self.peers_found[name]["status"] == "measured"}

    def ask(self, worker, **question):
        """A timed answer, or None if the peer failed, which is noted."""
        time.sleep(PAUSE)
        self.load.start()
        answer = self.attempt(worker, lambda: worker.ask(**question))
        if answer is not None:
            self.load.stop(answer["seconds"], answer["cpu"])
        return answer

    def attempt(self, worker, call):
        """What `call` returns, or None if the peer fails in it, which is noted."""
        found = self.peers_found.setdefault(worker.peer.name, {"title": worker.peer.title,
                                                               "status": "measured"})
        try:
            answer = call()
            found.setdefault("versions", worker.versions)
            return answer
        except NotInstalled as reason:
            found.update(status="not installed", why=f"{reason} is missing; {HOW}")
        except PeerFailed as reason:
            found.update(status="failed", why=self._shown(str(reason)))
        return None

    def _shown(self, text):
        """A message without the paths of this machine."""
        for path in (self.files, ROOT, Path(sys.prefix), Path.home()):
            text = text.replace(str(path), "...")
        return text

    def check(self, name, model, what, answer, reference, tolerance, mean=False):
        """Hold an answer to the original's; a wrong one takes the peer out of the run.

        Args:
            tolerance: largest difference that is right; None: only the shape is checked.
            mean: compare each tag's mean over the patches.
        """
        right, difference = answer.shape == reference.shape, None
        if right:
            pair = (answer.mean(axis=0), reference.mean(axis=0)) if mean else (answer, reference)
            difference = float(np.abs(pair[0] - pair[1]).max())
            right = tolerance is None or difference <= tolerance  # not a number is wrong
        shown = difference if difference is not None and np.isfinite(difference) else None
        self.checks.append({"peer": name, "model": model, "what": what, "difference": shown,
                            "tolerance": tolerance, "of_means": mean, "right": bool(right)})
        if not right:
            told = "no number" if shown is None else f"{shown:.2g}"
            self.peers_found[name].update(
                status="wrong answer", why=f"{what} with {model}: differs from the original by "
                                           f"{told}, allowed is {tolerance:.2g}")
        return right

    def record(self, measurement, worker, answers, **what):
        """Keep the answers to one question, those that failed left out, after what is known."""
        answers = [answer for answer in answers if answer is not None]
        if not answers:
            return
        head = {"measurement": measurement, "peer": worker.peer.name, "model": worker.model,
                "cores": worker.cores, **what}
        known = next((record for record in self.records if head.items() <= record.items()), None)
        if known is None:
            known = head | {"seconds": [], "cpu": [], "peak": 0}
            self.records.append(known)
        for of in ("seconds", "cpu"):
            known[of] += [round(answer[of], 6) for answer in answers]
        known["peak"] = max(known["peak"], *(answer["peak"] for answer in answers))

    def rounds(self, workers, count, question):
        """Ask all in turn, `count` times, beginning with another one each time.

        Args:
            question: from a name to the question, or None to leave that peer out.

        Returns:
            dict from name to its answers.
        """
        answers, names = {name: [] for name in workers}, list(workers)
        for number in range(count):
            turn = number % max(len(names), 1)
            for name in names[turn:] + names[:turn]:
                asked = question(name, number)
                if asked is not None and None not in answers[name]:
                    answers[name].append(self.ask(workers[name], **asked))
        return answers

    def stop(self):
        """End all processes of this run."""
        for worker in self._running:
            worker.stop()
        self._running.clear()
