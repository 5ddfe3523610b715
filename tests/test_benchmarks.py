"""`make bench` as a command, with the peers that need no installation; never how long it took."""

import importlib.util
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers.evidence import speed
from helpers.evidence.speed import cost, quartiles, ratio
from making.benchmarks import environment
from making.benchmarks.report import as_text

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
        assert ("ONNX Runtime, original network: not installed (onnxruntime is missing; run `make"
                in done.stdout)
    assert {name: results["peers"]["ends"][name] for name in ("title", "status", "why")} == {
        "title": "ends", "status": "failed", "why": "exit code 3"}
    assert {results["peers"][name]["status"] for name in ("original", "compact", "extractor")} == {
        "measured"}


def test_each_measurement_is_there(quick):
    _, results = quick
    asked = {(record["measurement"], record["peer"]) for record in results["records"]}
    assert {(kind, peer) for kind in ("sizes", "throughput", "counts")
            for peer in ("original", "compact")} <= asked
    assert {(kind, peer) for kind in ("warm", "cold") for peer in ("compact", "extractor")} <= asked
    assert {("command", "command"), ("command", "decoding")} <= asked
    assert {("first_stage", "first_numpy"), ("first_stage", "first_tensorflow")} <= asked
    if results["machine"]["cores"] > 1:
        assert ("cores", "compact") in asked
    for record in results["records"]:
        assert len(record["seconds"]) == len(record["cpu"]) >= 1
        assert min(record["seconds"]) > 0
        assert record["peak"] > 1e7 or record["measurement"] == "command"
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
    assert f"patches to tags, MSD_musicnn: {expected:.2f} times as fast as original graph" in (
        done.stdout)
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
    assert cost(slow) == 1.0 and quartiles(slow).tolist() == [0.75, 1.0, 23.0]
    assert ratio(slow, fast).estimate == pytest.approx(10.0)
    assert np.isnan(ratio(slow, fast).low)  # three rounds give no interval


def test_intervals_draw_rounds_in_pairs():
    """A moment in which the machine was busy falls on both, and leaves their ratio as it is."""
    random = np.random.default_rng(0)
    busy = random.uniform(1, 3, 12)
    fast = _record("throughput", "compact", list(busy))
    paired = ratio(_record("throughput", "original", list(4 * busy)), fast)
    apart = ratio(_record("throughput", "original", list(4 * random.permutation(busy))), fast)
    assert paired.low == paired.high == pytest.approx(4)
    assert apart.low < 4 < apart.high and apart.estimate == pytest.approx(4)


def test_each_peer_is_compared_where_it_was_measured():
    results = {"peers": {name: {"title": name, "depends": name in ("compact", "pruned")}
                         for name in ("original", "compact", "pruned")}, "records": [
        _record(kind, peer, [seconds] * 5, model=model)
        for kind in ("throughput", "warm") for model in ("MSD_musicnn", "MTT_musicnn")
        for peer, seconds in (("original", 8.0), ("pruned", 2.0), ("compact", 1.0))
        if kind == "throughput" or peer != "original" or model == "MSD_musicnn"]}
    found = {(each.what, each.slow, each.model): each.times.estimate
             for each in speed.comparisons(results)}
    # The original takes the same time with either network, so from files one serves for both.
    assert found == {(what, slow, model): {"original": 8.0, "pruned": 2.0}[slow]
                     for what in ("patches to tags", "file to taggram, open process")
                     for slow in ("original", "pruned")
                     for model in ("MSD_musicnn", "MTT_musicnn")}
    one = speed.compared(results, "patches to tags", "pruned", "MTT_musicnn")
    assert one is not None and one.times.estimate == 2.0 and one.rounds == 5


def test_a_run_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    from making.benchmarks import __main__ as command

    done = []
    monkeypatch.setattr(command, "KEPT", tmp_path / "kept" / "benchmark.json")
    monkeypatch.setattr(command, "prepare", lambda bench: None)
    monkeypatch.setattr(command, "pieces", lambda plan: {
        name: lambda bench, name=name: done.append(name) for name in ("one", "two", "three")})
    monkeypatch.setattr(command, "as_text", lambda results: ["the report"])
    output = tmp_path / "out.json"
    arguments = ["--pieces", "2", "--peers", "compact", "--output", str(output)]
    assert command.main(arguments) == 0
    assert done == ["one", "two"] and not output.exists() and command.KEPT.exists()
    assert "1 of 3 pieces are left" in capsys.readouterr().out
    assert command.main([*arguments[2:], "--fresh", "--pieces", "1"]) == 0  # begins anew
    assert done == ["one", "two", "one"]
    assert command.main(arguments) == 0
    assert done == ["one", "two", "one", "two", "three"]
    assert output.exists() and not command.KEPT.exists()
    assert "the report" in capsys.readouterr().out


def test_what_must_be_quoted_is_told():
    results = speed.latest()
    told = "\n".join(as_text(results))
    machine = results["machine"]
    for said in (machine["processor"], machine["model"], *machine["instruction_sets"],
                 f"{results['rounds']} rounds", "95 % bootstrap", "On another processor",
                 f"{results['others']:.2f} cores busy"):
        assert said in told
    for found in speed.comparisons(results):
        assert f"{found.times.estimate:.2f} [{found.times.low:.2f}" in told


def test_one_number_has_one_source():
    """The page, chapter 17 and the report read the same results; README quotes no ratio."""
    for chapter in ("benchmarks", "17_smaller_musicnn"):
        source = (ROOT / "book" / f"{chapter}.ipynb").read_text()
        assert "speed.latest()" in source and "speed.comparisons(" in source
        assert "perf_counter" not in source and "results/" not in source.replace(
            "making/benchmarks/results", "")
    told = (ROOT / "README.md").read_text()
    assert not re.search(r"\d times (as fast|faster)", told)


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
    ["--rounds", "0"], ["--pieces", "0"], ["--peers", "nobody"],
    ["--output", "/no/such/folder/x.json"]])
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
        assert results["format"] == 2 and results["rounds"] >= 10
        assert all(len(record["seconds"]) >= 10 for record in results["records"]
                   if record["measurement"] in ("throughput", "warm", "cold", "cores", "command",
                                                "first_stage"))
        assert set(results["models"]) == {"MSD_musicnn", "MTT_musicnn"}
        assert not [value for value in _texts(results) if "/home" in value or "/tmp" in value]


def _texts(value):
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(_texts, value), []) if isinstance(value, list) else [str(value)]
