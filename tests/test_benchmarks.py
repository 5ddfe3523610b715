"""`make bench` as a command, with the peers that need no installation; never how long it took."""

import importlib.util
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from making.benchmarks import environment
from making.benchmarks.ratios import goals, ratio, summary

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "making.benchmarks", "--quick"]
WRONG = """
from making.benchmarks.peer_compact import Peer as Right

class Peer(Right):
    def tags(self, patches, batch):
        scores = super().tags(patches, batch)
        scores[-1, 7] += 0.001  # one score of one patch
        return scores
"""
ENDS = """
import os
from making.benchmarks.peer_compact import Peer as Right

class Peer(Right):
    def tags(self, patches, batch):
        os._exit(3)
"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A quick run with one peer that is wrong, one that ends, one that may not be there."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "wrong.py").write_text(WRONG)
    (folder / "ends.py").write_text(ENDS)
    done = subprocess.run(
        [*COMMAND, "--peers", f"compact,extractor,onnx,{folder}/wrong.py,{folder}/ends.py",
         "--environment", str(folder / "nothing"), "--output", str(folder / "out.json")],
        cwd=ROOT, capture_output=True, text=True)
    assert (folder / "out.json").exists(), done.stdout + done.stderr
    return done, json.loads((folder / "out.json").read_text())


def test_wrong_answers_are_told_and_never_timed(quick):
    done, results = quick
    assert done.returncode == 1
    assert results["peers"]["wrong"]["status"] == "wrong answer"
    check = next(check for check in results["checks"] if check["peer"] == "wrong")
    assert not check["right"] and check["difference"] == pytest.approx(0.001, rel=0.1)
    assert "wrong" not in {record["peer"] for record in results["records"]}
    assert "wrong: wrong answer (tags with MSD_musicnn: differs" in done.stdout


def test_who_is_missing_or_ends_is_named_and_the_rest_measured(quick):
    done, results = quick
    if importlib.util.find_spec("onnxruntime") is None:
        assert results["peers"]["onnx"]["status"] == "not installed"
        assert "ONNX Runtime: not installed (onnxruntime is missing; run `make" in done.stdout
    assert results["peers"]["ends"] | {"versions": 0} == {
        "title": "ends", "status": "failed", "why": "exit code 3", "versions": 0}
    assert {results["peers"][name]["status"] for name in ("original", "compact", "extractor")} == {
        "measured"}


def test_each_measurement_is_there(quick):
    _, results = quick
    asked = {(record["measurement"], record["peer"]) for record in results["records"]}
    assert {(kind, peer) for kind in ("sizes", "throughput", "counts")
            for peer in ("original", "compact")} <= asked
    assert {(kind, peer) for kind in ("warm", "cold") for peer in ("compact", "extractor")} <= asked
    assert {("first_stage", "first_numpy"), ("first_stage", "first_tensorflow")} <= asked
    if results["machine"]["cores"] > 1:
        assert ("cores", "compact") in asked
    for record in results["records"]:
        assert len(record["seconds"]) == len(record["cpu"]) >= 1
        assert min(record["seconds"]) > 0 and record["peak"] > 1e7
    throughput = [r for r in results["records"] if r["measurement"] == "throughput"]
    assert all(len(record["seconds"]) == 3 for record in throughput)
    counts = {r["patches"] for r in results["records"] if r["measurement"] == "counts"}
    assert counts == {1, 3}


def test_right_answers_are_checked_too(quick):
    _, results = quick
    right = {(check["peer"], check["what"]): check for check in results["checks"]}
    for what in ("tags", "taggram"):
        assert 0 < right["compact", what]["difference"] < right["compact", what]["tolerance"]
    assert right["first_tensorflow", "first stage"]["difference"] < 1e-3
    assert right["extractor", "taggram"]["tolerance"] is None  # known to be wrong on NumPy 2


def test_the_report_gives_ratios_of_medians_and_the_machine(quick):
    done, results = quick
    each = {record["peer"]: np.median(record["seconds"]) / record["patches"]
            for record in results["records"] if record["measurement"] == "throughput"}
    expected = each["original"] / each["compact"]
    assert (f"tags {expected:.1f} times as many patches a second as the original graph"
            in done.stdout)
    first = done.stdout.splitlines()[0]
    assert results["machine"]["processor"] in first and results["date"] in first
    assert "Other programs kept" in done.stdout
    assert socket.gethostname() not in json.dumps(results)
    assert str(ROOT) not in json.dumps(results) and "/tmp" not in json.dumps(results)


def _record(measurement, peer, seconds, model="MSD_musicnn", **what):
    return {"measurement": measurement, "peer": peer, "model": model, "cpu": seconds,
            "seconds": seconds, **what}


def test_ratios_are_of_medians_per_patch():
    slow = _record("throughput", "original", [1.0, 2.0, 90.0], patches=2)
    fast = _record("throughput", "compact", [1.0, 0.1, 0.5], patches=5)
    assert summary(slow)["median"] == 1.0 and summary(slow)["quartiles"] == [0.75, 23.0]
    assert ratio(slow, fast) == pytest.approx(10.0)


@pytest.mark.parametrize("seconds, told", [(0.1, "reached"), (0.2, "missed")])
def test_goals_are_judged_by_the_numbers(seconds, told):
    results = {"records": [_record("throughput", "original", [1.0], patches=1),
                           _record("throughput", "compact", [seconds], patches=1),
                           _record("cold", "extractor", [1.0], recording=420.0),
                           _record("cold", "compact", [seconds * 1.9], recording=420.0)]}
    patches, cold = goals(results)
    assert patches["sentence"].endswith(f"The goal of 8 is {told}.")
    assert f"tags {1 / seconds:.1f} times" in patches["sentence"]
    assert "in a new process" in cold["sentence"] and cold["sentence"].endswith(f"5 is {told}.")
    assert [goal["reached"] for goal in (patches, cold)] == [told == "reached"] * 2


def test_what_cannot_be_installed_is_told_and_the_books_packages_are_seen(tmp_path, monkeypatch):
    assert {"onnx", "essentia"} == set(environment.sections())
    monkeypatch.setattr(environment, "sections", lambda: {"nobody": ["./no such folder/"]})
    said = []
    environment.install(tmp_path / "own", said.append)
    assert any(line.startswith("nobody cannot be installed: ERROR") for line in said)
    python = environment.python_of(tmp_path / "own")
    assert str(tmp_path) in python
    told = subprocess.run([python, "-c", "import numpy; print(numpy.__version__)"],
                          capture_output=True, text=True)
    assert told.stdout.strip() == np.__version__, told.stderr


@pytest.mark.parametrize("wrong", [
    ["--rounds", "0"], ["--peers", "nobody"], ["--output", "/no/such/folder/x.json"]])
def test_wrong_use_is_one_sentence(wrong):
    done = subprocess.run([*COMMAND, *wrong], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and done.stderr.strip().endswith(".")


def test_an_interrupt_ends_all_processes(tmp_path):
    run = subprocess.Popen([*COMMAND, "--peers", "compact", "--output", str(tmp_path / "x.json")],
                           cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           # A shell's background jobs ignore Ctrl-C, and their children would, too.
                           preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while "Checking tags" not in run.stderr.readline():
        assert run.poll() is None
    children = []
    while not children:
        children = psutil.Process(run.pid).children()
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate()
    assert run.returncode == 130 and errors.splitlines()[-1] == "Stopped; nothing was written."
    assert not psutil.wait_procs(children, timeout=10)[1]
    assert not list(tmp_path.iterdir())


def test_committed_results_are_of_full_runs_and_name_no_machine():
    for file in (ROOT / "making" / "benchmarks" / "results").glob("*.json"):
        results = json.loads(file.read_text())
        assert not results["quick"] and file.stem.startswith(results["date"])
        assert set(results["models"]) == {"MSD_musicnn", "MTT_musicnn"}
        assert not [value for value in _texts(results) if "/home" in value or "/tmp" in value]


def _texts(value):
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(_texts, value), []) if isinstance(value, list) else [str(value)]
