"""The measurements of one run, in pieces: what is asked of whom, in which order."""

import subprocess
import sys
import time
from functools import partial

import numpy as np

from inside_musicnn.errors import RunError
from making.benchmarks import machine
from making.benchmarks.environment import ROOT
from making.benchmarks.peers import FIRST_STAGE, SAME
from making.benchmarks.processes import Worker
from making.benchmarks.sound import write_patches, write_song

DISTINCT = 64  # patches at most; questions about more ask them again
SHORT = 13.0  # seconds of the recording on which taggrams are checked
COLD_ROUNDS = 5  # of new processes in one piece of work
BARE = """
import sys
import soundfile

with soundfile.SoundFile(sys.argv[1]) as file:
    while len(file.read(2**17, dtype="float32", always_2d=True)):
        pass
"""


def pieces(plan):
    """Names of the pieces of one run and what does each, in order."""
    found = {}
    for model in plan.models:
        found[f"settings, {model}"] = partial(settings, model=model)
        found[f"patches to tags, {model}"] = partial(patches_to_tags, model=model)
        found[f"cost against number of patches, {model}"] = partial(counts, model=model)
    found["file to taggram, open process"] = warm
    for first in range(0, plan.rounds, COLD_ROUNDS):
        rounds = range(first, min(first + COLD_ROUNDS, plan.rounds))
        found[f"file to taggram, new process, rounds from {first + 1} on"] = partial(
            cold, rounds=rounds)
    found["the command and bare decoding"] = command
    found["cores"] = fewer_cores
    for model in plan.models:
        found[f"engines of the first stage, {model}"] = partial(first_stage, model=model)
    return found


def prepare(bench):
    """Write what all pieces ask about: patches, recordings, graphs."""
    bench.say("Writing patches, recordings and the graphs")
    write_patches(bench.files / "patches.npy", DISTINCT)
    for name, seconds in (("song", bench.plan.song), ("short", SHORT), ("long", bench.plan.long)):
        write_song(bench.files / f"{name}.ogg", seconds)
    for model in bench.plan.models:
        bench.export(model)


def _tags(bench, count, best, save=None):
    batch, setting = best
    return {"do": "tags", "patches": str(bench.files / "patches.npy"), "count": count,
            "batch": batch, "setting": setting, "save": save and str(save)}


def _all_cores(peers, model):
    return [(peer, model, machine.cores()) for peer in peers.values()]


def _with_sizes(bench):
    return bench.usable(lambda peer: peer.sizes)


def _count(bench, best):
    return max(bench.plan.patches, best[0])


def settings(bench, model):
    """Check all answers, then find the best number of patches per call and setting of each."""
    bench.best[model] = {}
    with bench.workers(_all_cores(_with_sizes(bench), model)) as workers:
        bench.say("Checking tags")
        _check_tags(bench, workers, model)
        for name, worker in list(workers.items()):
            bench.best[model][name] = _best(bench, worker)


def _check_tags(bench, workers, model):
    """Ask all for the same tags; who answers otherwise than the original is taken out."""
    answers = {}
    for name, worker in list(workers.items()):
        saved = bench.files / f"{name}.npy"
        question = _tags(bench, bench.plan.patches, (4, worker.peer.settings[0]), saved)
        if bench.ask(worker, **question) is not None:
            answers[name] = np.load(saved)
    reference = _of_original(bench, answers)
    for name, answer in answers.items():
        if not bench.check(name, model, "tags", answer, reference, SAME):
            workers.pop(name)
    for name in set(workers) - set(answers) - {"original"}:
        workers.pop(name)  # failed


def _of_original(bench, answers):
    if "original" not in answers:
        why = bench.peers_found["original"].get("why", "no reason given")
        raise RunError("The original graph gave no answer, so there is nothing to compare with: "
                       f"{why}.")
    return answers.pop("original")


def _best(bench, worker):
    """Patches per call and setting with which a patch takes least time; all are recorded."""
    cost = {}
    for setting in worker.peer.settings:
        for size in filter(lambda size: size <= bench.plan.largest, worker.peer.sizes):
            count = max(bench.plan.patches, size)
            bench.ask(worker, **_tags(bench, size, (size, setting)))  # makes room for this size
            answers = [bench.ask(worker, **_tags(bench, count, (size, setting)))
                       for _ in range(bench.plan.tries)]
            if None in answers:
                continue
            bench.record("sizes", worker, answers, patches=count, batch=size, setting=setting)
            cost[size, setting] = np.median([answer["seconds"] for answer in answers]) / count
    return list(min(cost, key=cost.get)) if cost else [1, worker.peer.settings[0]]


def _warmed(bench, workers, best):
    """Each peer answers once in its best setting, which is not counted."""
    for name, worker in workers.items():
        bench.ask(worker, **_tags(bench, _count(bench, best[name]), best[name]))


def patches_to_tags(bench, model):
    """Throughput of each peer in its best setting."""
    best = bench.best[model]
    with bench.workers(_all_cores(_with_sizes(bench), model)) as workers:
        _warmed(bench, workers, best)
        answers = bench.rounds(workers, bench.plan.rounds, lambda name, _: _tags(
            bench, _count(bench, best[name]), best[name]))
        for name, found in answers.items():
            bench.record("throughput", workers[name], found, patches=_count(bench, best[name]),
                         batch=best[name][0], setting=best[name][1])


def counts(bench, model):
    """Cost of one call against the number of patches."""
    best, first = bench.best[model], model == bench.plan.models[0]
    peers = {name: peer for name, peer in _with_sizes(bench).items() if peer.depends or first}
    with bench.workers(_all_cores(peers, model)) as workers:
        _warmed(bench, workers, best)
        last = dict.fromkeys(workers, 0.0)  # seconds per patch
        for count in bench.plan.counts:
            asked = {name: worker for name, worker in workers.items()
                     if last[name] * count <= bench.plan.limit}
            answers = bench.rounds(asked, bench.plan.rounds,
                                   lambda name, _, count=count: _tags(bench, count, best[name]))
            for name, found in answers.items():
                bench.record("counts", asked[name], found, patches=count, batch=best[name][0])
                last[name] = (min(one["seconds"] for one in found) / count if None not in found
                              else np.inf)


def _with_files(bench):
    """Who is timed from file to taggram: all with the first model, and with the others those
    whose speed depends on it."""
    first = bench.plan.models[0]
    return [(peer, model, machine.cores()) for model in bench.plan.models
            for peer in bench.usable(lambda peer: peer.files).values()
            if model == first or peer.depends]


def _song(bench, peer, model, name="song", save=None):
    setting = bench.best[model].get(peer.name, (1, peer.settings[0]))[1]
    return {"do": "taggram", "path": str(bench.files / f"{name}.ogg"), "setting": setting,
            "save": save and str(save)}


def warm(bench):
    """From audio file to taggram in an open process."""
    first = bench.plan.models[0]
    entries = _with_files(bench)
    entries += [(bench.peers["original"], model, machine.cores())
                for model in bench.plan.models if model != first]
    with bench.workers(entries) as workers:
        for model in bench.plan.models:
            _check_taggrams(bench, workers, model)
        asked = {key: worker for key, worker in workers.items()
                 if worker.model == first or worker.peer.depends}
        answers = bench.rounds(asked, bench.plan.rounds, lambda key, _: _song(
            bench, asked[key].peer, asked[key].model))
        for key, found in answers.items():
            bench.record("warm", asked[key], found, recording=bench.plan.song)


def _check_taggrams(bench, workers, model):
    """The taggram of a short recording; this also fills the libraries' caches on the disk."""
    answers, keys = {}, {}
    for key, worker in list(workers.items()):
        if worker.model != model:
            continue
        saved = bench.files / f"{key}.npy"
        if bench.ask(worker, **_song(bench, worker.peer, model, "short", saved)) is None:
            workers.pop(key)
        else:
            answers[worker.peer.name], keys[worker.peer.name] = np.load(saved), key
    reference = _of_original(bench, answers)
    for name, answer in answers.items():
        peer = bench.peers[name]
        if not bench.check(name, model, "taggram", answer, reference, peer.tolerance, peer.mean):
            workers.pop(keys[name])


def cold(bench, rounds):
    """From the start of a new process to its answer, imports and opening the network included."""
    answers, workers, entries = {}, {}, _with_files(bench)
    for number in rounds:
        turn = number % max(len(entries), 1)
        for peer, model, cores in entries[turn:] + entries[:turn]:
            if None in answers.get((peer, model), []):
                continue
            worker = Worker(peer, model, cores, bench.files, bench.python(peer))
            try:
                answers.setdefault((peer, model), []).append(
                    _whole(bench, worker, _song(bench, peer, model)))
            finally:
                worker.stop()
            workers[peer, model] = worker
    for key, found in answers.items():
        bench.record("cold", workers[key], found, recording=bench.plan.song)


def _whole(bench, worker, song):
    """An answer with the time since the process was started, and all its processor time."""
    answer = bench.attempt(worker, worker.ready) and bench.ask(worker, **song)
    if answer is None:
        return None
    return answer | {"seconds": time.perf_counter() - worker.started, "cpu": answer["cpu_total"]}


def command(bench):
    """The command `tags` as one types it, and a process that decodes the same file and no more."""
    (bench.files / "bare.py").write_text(BARE)
    long = str(bench.files / "long.ogg")
    asked = {("decoding", ""): [sys.executable, str(bench.files / "bare.py"), long]}
    for model in bench.plan.models:
        asked["command", model] = [sys.executable, "-m", "inside_musicnn", "tags", long,
                                   "--model", model]
    answers = {key: [] for key in asked}
    for number in range(bench.plan.rounds + 1):
        for key, words in asked.items():
            time.sleep(0.03)
            bench.load.start()
            before, start = _children(), time.perf_counter()
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
            seconds, cpu = time.perf_counter() - start, _children() - before
            bench.load.stop(seconds, cpu)
            if done.returncode:
                raise RunError(f"The command gave no answer: {done.stderr.strip()}")
            if number:  # the first fills the caches of the disk
                answers[key].append({"seconds": seconds, "cpu": cpu})
    for (name, model), found in answers.items():
        bench.records.append({
            "measurement": "command", "peer": name, "model": model, "cores": machine.cores(),
            "recording": bench.plan.long, "peak": 0,
            **{of: [round(answer[of], 6) for answer in found] for of in ("seconds", "cpu")}})


def _children():
    """Processor seconds of all processes that were started and have ended."""
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fewer_cores(bench):
    """Throughput on fewer cores and on all of them, in the same rounds."""
    model, every = bench.plan.models[0], machine.cores()
    peers = bench.usable(lambda peer: peer.sizes and (bench.plan.every_core
                                                      or peer.name == "compact"))
    for cores in machine.fewer_cores(every):
        entries = [(peer, model, number) for peer in peers.values() for number in (cores, every)]
        with bench.workers(entries) as workers:
            best = {key: bench.best[model][worker.peer.name] for key, worker in workers.items()}
            _warmed(bench, workers, best)
            answers = bench.rounds(workers, bench.plan.rounds, lambda key, _, best=best: _tags(
                bench, _count(bench, best[key]), best[key]))
            for key, found in answers.items():
                bench.record("cores", workers[key], found, patches=_count(bench, best[key]),
                             batch=best[key][0], compared=cores)


def first_stage(bench, model):
    """Engines for the compact network's first stage, against its own matrix products."""
    with bench.workers(_all_cores(FIRST_STAGE, model)) as workers:
        saved = {name: bench.files / f"{name}-first.npy" for name in workers}
        for name, worker in list(workers.items()):
            question = _tags(bench, 4, (4, worker.peer.settings[0]), saved[name])
            if bench.ask(worker, **question) is None:
                workers.pop(name)
        for name in [name for name in workers if name != "first_numpy"]:
            answer, reference = np.load(saved[name]), np.load(saved["first_numpy"])
            if not bench.check(name, model, "first stage", answer, reference, 1e-3):
                workers.pop(name)
        best = {name: _best(bench, worker) for name, worker in workers.items()}
        _warmed(bench, workers, best)
        answers = bench.rounds(workers, bench.plan.rounds, lambda name, _: _tags(
            bench, 2 * bench.plan.patches, best[name]))
        for name, found in answers.items():
            bench.record("first_stage", workers[name], found, patches=2 * bench.plan.patches,
                         batch=best[name][0], setting=best[name][1])
