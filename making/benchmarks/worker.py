"""The process of one peer: answers questions, one JSON object a line, and times its answers.

Started by `making.benchmarks.processes`: python -m making.benchmarks.worker CODE MODEL CORES FILES.
"""

import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path


def main(code, model, cores, files):
    """Answer until there are no more questions."""
    answers = _private_output()
    _restrict(int(cores))
    try:
        peer = _load(code)(model, int(cores), Path(files))
    except ImportError as error:
        _say(answers, missing=error.name or str(error))
        return
    _say(answers, versions=peer.versions())
    for line in sys.stdin:
        _say(answers, **_answer(peer, json.loads(line)))


def _private_output():
    """The pipe to the parent; what libraries print goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _restrict(cores):
    """Use the first `cores` of the cores that this process may use: all threads, all libraries."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _load(code):
    module, _, name = code.rpartition(":")
    if module.endswith(".py"):
        specification = importlib.util.spec_from_file_location(Path(module).stem, module)
        loaded = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(loaded)
    else:
        loaded = importlib.import_module(module)
    return getattr(loaded, name)


def _answer(peer, question):
    """Seconds, processor seconds of all threads, and peak memory of one call; saves the scores."""
    import numpy as np

    if question["do"] == "taggram":
        call, arguments = peer.taggram, (question["path"],)
    else:
        patches = np.resize(np.load(question["patches"]), (question["count"], 187, 96))
        call, arguments = peer.tags, (patches, question["batch"])
    if question.get("setting", "") != getattr(peer, "in_use", ""):
        peer.use(question["setting"])
        peer.in_use = question["setting"]
    _forget_peak()
    before, start = time.process_time(), time.perf_counter()
    scores = call(*arguments)
    seconds, cpu = time.perf_counter() - start, time.process_time() - before
    if question.get("save"):
        np.save(question["save"], np.asarray(scores, np.float32))
    return {"seconds": seconds, "cpu": cpu, "cpu_total": time.process_time(), "peak": peak()}


def _forget_peak():
    """Let the peak begin again, where the system can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak():
    """The most memory that this process has held, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most


def _say(answers, **what):
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
