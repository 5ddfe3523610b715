"""The measurements of one run: what is asked of whom, in which order."""

import time

import numpy as np

from inside_musicnn.errors import RunError
from making.benchmarks import machine
from making.benchmarks.peers import FIRST_STAGE, SAME
from making.benchmarks.processes import Worker
from making.benchmarks.sound import write_patches, write_song

DISTINCT = 64  # patches at most; questions about more ask them again
GOAL = ("compact", "extractor")  # whose files are timed more often


def measure(bench):
    """Everything; the records and checks are then in `bench`."""
    bench.say("Writing patches, a recording and the graphs")
    write_patches(bench.files / "patches.npy", DISTINCT)
    write_song(bench.files / "song.ogg", bench.plan.song)
    write_song(bench.files / "short.ogg", 13.0)
    for model in bench.plan.models:
        bench.export(model)
    best = {}
    for model in bench.plan.models:
        best[model] = patches_to_tags(bench, model)
    file_to_taggram(bench)
    fewer_cores(bench, best)
    for model in bench.plan.models:
        first_stage(bench, model)


def _tags(bench, count, batch, save=None):
    return {"do": "tags", "patches": str(bench.files / "patches.npy"), "count": count,
            "batch": batch, "save": save and str(save)}


def _all_cores(peers, model):
    return [(peer, model, machine.cores()) for peer in peers.values()]


def patches_to_tags(bench, model):
    """Throughput at each number of patches per call and at the best, and cost against number."""
    bench.say(f"Checking tags, {model}")
    with bench.workers(_all_cores(bench.usable(lambda peer: peer.sizes), model)) as workers:
        _check_tags(bench, workers, model)
        bench.say(f"Patches per call, {model}")
        best = {name: _best_size(bench, worker) for name, worker in list(workers.items())}
        bench.say(f"Patches to tags, {model}")
        count = {name: max(bench.plan.patches, best[name]) for name in workers}
        answers = bench.rounds(workers, bench.plan.rounds,
                               lambda name, _: _tags(bench, count[name], best[name]))
        for name, found in answers.items():
            bench.record("throughput", workers[name], found, patches=count[name],
                         batch=best[name])
        bench.say(f"Cost against number of patches, {model}")
        _counts(bench, {name: worker for name, worker in workers.items()
                        if worker.peer.depends or model == bench.plan.models[0]}, best)
    return best


def _check_tags(bench, workers, model):
    """Ask all for the same tags; who answers otherwise than the original is taken out."""
    answers = {}
    for name, worker in list(workers.items()):
        saved = bench.files / f"{name}.npy"
        if bench.ask(worker, **_tags(bench, bench.plan.patches, 4, saved)) is not None:
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


def _best_size(bench, worker):
    """The number of patches per call at which one patch takes least time; all are recorded."""
    cost = {}
    for size in filter(lambda size: size <= bench.plan.largest, worker.peer.sizes):
        count = max(bench.plan.patches, size)
        bench.ask(worker, **_tags(bench, size, size))  # makes room for this size
        answers = [bench.ask(worker, **_tags(bench, count, size)) for _ in range(2)]
        if None in answers:
            continue
        bench.record("sizes", worker, answers, patches=count, batch=size)
        cost[size] = min(answer["seconds"] for answer in answers) / count
    return min(cost, key=cost.get) if cost else 1


def _counts(bench, workers, best):
    """Cost of one call against the number of patches; large ones are asked once."""
    last = dict.fromkeys(workers, 0.0)  # seconds per patch
    for count in bench.plan.counts:
        asked = {name: worker for name, worker in workers.items()
                 if last[name] * count <= bench.plan.limit}
        answers = bench.rounds(asked, 3 if count <= 10 else 1,
                               lambda name, _, count=count: _tags(bench, count, best[name]))
        for name, found in answers.items():
            bench.record("counts", asked[name], found, patches=count, batch=best[name])
            last[name] = (min(one["seconds"] for one in found) / count if None not in found
                          else np.inf)


def file_to_taggram(bench):
    """From audio file to taggram: in an open process, and in a new one each time.

    All peers with the first model, and with the others who depends on it, in the same rounds.
    """
    bench.say("Checking taggrams")
    first = bench.plan.models[0]
    entries = [(peer, model, machine.cores()) for model in bench.plan.models
               for peer in bench.usable(lambda peer: peer.files).values()
               if model == first or peer.depends or peer.name == "original"]
    with bench.workers(entries) as workers:
        for model in bench.plan.models:
            _check_taggrams(bench, workers, model)
        asked = {key: worker for key, worker in workers.items()
                 if worker.model == first or worker.peer.depends}
        bench.say("From file to taggram, open process")
        song = {"do": "taggram", "path": str(bench.files / "song.ogg")}
        answers = bench.rounds(asked, bench.plan.warm, lambda key, number: (
            song if number < _times(bench.plan.warm, asked[key].peer) else None))
        for key, found in answers.items():
            bench.record("warm", asked[key], found, recording=bench.plan.song)
    bench.say("From file to taggram, new process")
    _cold(bench, [(worker.peer, worker.model) for worker in asked.values()], song)


def _check_taggrams(bench, workers, model):
    """The taggram of a short recording; this also fills the libraries' caches on the disk."""
    answers, keys = {}, {}
    for key, worker in list(workers.items()):
        if worker.model != model:
            continue
        saved = bench.files / f"{key}.npy"
        question = {"do": "taggram", "path": str(bench.files / "short.ogg"), "save": str(saved)}
        if bench.ask(worker, **question) is None:
            workers.pop(key)
        else:
            answers[worker.peer.name], keys[worker.peer.name] = np.load(saved), key
    reference = _of_original(bench, answers)
    for name, answer in answers.items():
        peer = bench.peers[name]
        if not bench.check(name, model, "taggram", answer, reference, peer.tolerance, peer.mean):
            workers.pop(keys[name])


def _times(count, peer):
    return count if peer.name in GOAL else count - 1


def _cold(bench, entries, song):
    """From the start of a new process to its answer, imports and opening the network included."""
    answers, workers = {}, {}
    for number in range(bench.plan.cold):
        for peer, model in entries:
            if number < _times(bench.plan.cold, peer):
                worker = Worker(peer, model, machine.cores(), bench.files, bench.python(peer))
                try:
                    answers.setdefault((peer, model), []).append(_whole(bench, worker, song))
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


def fewer_cores(bench, best):
    """Throughput on fewer cores and on all of them, in the same rounds."""
    model, every = bench.plan.models[0], machine.cores()
    peers = bench.usable(lambda peer: peer.sizes and (bench.plan.every_core or peer.depends))
    for cores in machine.fewer_cores(every):
        bench.say(f"Patches to tags on {cores} and on {every} cores")
        entries = [(peer, model, number) for peer in peers.values() for number in (cores, every)]
        with bench.workers(entries) as workers:
            size = {key: best[model].get(worker.peer.name, 1) for key, worker in workers.items()}
            count = {key: max(bench.plan.patches, size[key]) for key in workers}
            bench.rounds(workers, 1, lambda key, _, size=size: _tags(bench, size[key], size[key]))
            answers = bench.rounds(workers, 3, lambda key, _, size=size, count=count: _tags(
                bench, count[key], size[key]))
            for key, found in answers.items():
                bench.record("cores", workers[key], found, patches=count[key], batch=size[key],
                             compared=cores)


def first_stage(bench, model):
    """Engines for the compact network's first stage, against its own matrix products."""
    bench.say(f"Engines of the first stage, {model}")
    count = 4 * bench.plan.patches
    with bench.workers(_all_cores(FIRST_STAGE, model)) as workers:
        saved = {name: bench.files / f"{name}-first.npy" for name in workers}
        for name, worker in list(workers.items()):
            if bench.ask(worker, **_tags(bench, 4, 4, saved[name])) is None:
                workers.pop(name)
        for name in [name for name in workers if name != "first_numpy"]:
            answer, reference = np.load(saved[name]), np.load(saved["first_numpy"])
            if not bench.check(name, model, "first stage", answer, reference, 1e-3):
                workers.pop(name)
        answers = bench.rounds(workers, 1 + bench.plan.rounds,
                               lambda name, _: _tags(bench, count, 16))
        for name, found in answers.items():
            bench.record("first_stage", workers[name], found[1:], patches=count, batch=16)
