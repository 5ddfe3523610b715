"""Medians, spreads and ratios of the records, and the goals they are held against."""

import numpy as np

GOALS = {"MSD_musicnn": 8.0, "MTT_musicnn": 3.5}  # patches: times the original's throughput
GOAL_FILES = 5.0  # files: times as fast as musicnn.extractor


def summary(record):
    """Median and quartiles of a record: of seconds, and of processor seconds; per patch if the
    record counts patches."""
    parts = record.get("patches", 1)
    seconds = np.array(record["seconds"]) / parts
    return {"median": float(np.median(seconds)),
            "quartiles": [float(q) for q in np.percentile(seconds, [25, 75])],
            "cpu": float(np.median(record["cpu"])) / parts}


def select(results, measurement, **what):
    """The records of one measurement, such as model="MSD_musicnn"."""
    return [record for record in results["records"] if record["measurement"] == measurement
            and all(record.get(key) == value for key, value in what.items())]


def ratio(slow, fast, of="median"):
    """How many times as fast `fast` is, from the medians of two records."""
    return summary(slow)[of] / summary(fast)[of]


def one(results, measurement, **what):
    """The only such record, or None."""
    return next(iter(select(results, measurement, **what)), None)


def goals(results):
    """What was aimed at and what came out, as sentences: list of dicts."""
    found = []
    for model, goal in GOALS.items():
        pair = [one(results, "throughput", model=model, peer=name)
                for name in ("original", "compact")]
        if all(pair):
            found.append(_goal(
                f"{model}: the compact network tags {{}} times as many patches a second as the "
                "original graph, in one process on the same cores", *pair, goal))
    for kind, words in (("warm", "in an open process"), ("cold", "in a new process")):
        slow = one(results, kind, peer="extractor")
        for fast in select(results, kind, peer="compact"):
            if slow:
                found.append(_goal(
                    f"{fast['model']}: from a file of {fast['recording']:.0f} s to its taggram, "
                    f"{words}, the compact network is {{}} times as fast as musicnn.extractor "
                    "without features", slow, fast, GOAL_FILES))
    return found


def _goal(sentence, slow, fast, goal):
    value = ratio(slow, fast)
    told = "reached" if value >= goal else "missed"
    return {"ratio": value, "goal": goal, "reached": value >= goal,
            "sentence": f"{sentence.format(f'{value:.1f}')}. The goal of {goal:g} is {told}."}
