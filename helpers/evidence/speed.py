"""The results of the benchmark, read: for the speed page, chapter 17, README and the report.

A record is one question that was asked of one peer in several rounds: `seconds` and `cpu`, the
processor's seconds, have one number for each round. In each round all peers were asked in turn.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.evidence.intervals import FEWEST, Interval, bootstrap
from inside_musicnn.errors import InputError
from inside_musicnn.sound.shipped import DATA

FOLDER = DATA.parent / "making" / "benchmarks" / "results"
Results = Mapping[str, Any]
Record = Mapping[str, Any]


def latest() -> Results:
    """The newest results that are kept.

    Raises:
        InputError: there are none.
    """
    files = sorted(FOLDER.glob("*.json"))
    if not files:
        raise InputError("There are no results in making/benchmarks/results; measure some with: "
                         "make bench.")
    return json.loads(files[-1].read_text(encoding="utf-8"))


def select(results: Results, measurement: str, **what: Any) -> list[Record]:
    """The records of one measurement, such as model="MSD_musicnn", fastest first."""
    found = [record for record in results["records"] if record["measurement"] == measurement
             and all(record.get(key) == value for key, value in what.items())]
    return sorted(found, key=cost)


def one(results: Results, measurement: str, **what: Any) -> Record | None:
    """The fastest such record, or None."""
    return next(iter(select(results, measurement, **what)), None)


def each(record: Record, of: str = "seconds") -> np.ndarray:
    """What each round took, per patch where patches were counted, shape (rounds,)."""
    return np.asarray(record[of], float) / record.get("patches", 1)


def cost(record: Record, of: str = "seconds") -> float:
    """Median over the rounds, per patch where patches were counted."""
    return float(np.median(each(record, of)))


def quartiles(record: Record) -> np.ndarray:
    """Lower quartile, median and upper quartile of the seconds, per patch where counted."""
    return np.percentile(each(record), [25, 50, 75])


def ratio(slow: Record, fast: Record, of: str = "seconds") -> Interval:
    """How many times as fast `fast` is: the ratio of medians, rounds drawn again in pairs.

    Below five rounds there is no interval: its ends are not numbers.
    """
    pair = each(slow, of), each(fast, of)
    rounds = min(map(len, pair))
    pair = pair[0][:rounds], pair[1][:rounds]
    if rounds < FEWEST:
        return Interval(_of_medians(*pair), np.nan, np.nan, 0.95, rounds, np.empty(0))
    return bootstrap(_of_medians, *pair, clusters=np.arange(rounds))


def _of_medians(slow: np.ndarray, fast: np.ndarray) -> float:
    return float(np.median(slow) / np.median(fast))


@dataclass(frozen=True)
class Comparison:
    """One ratio that is worth quoting.

    Attributes:
        what: "patches to tags", "file to taggram, open process" and so on.
        model: the network.
        slow, fast: names of the peers.
        times: how many times as fast, with its interval.
        processor: the same of the processor's seconds.
        rounds: how many.
    """

    what: str
    model: str
    slow: str
    fast: str
    times: Interval = field(repr=False)
    processor: Interval = field(repr=False)
    rounds: int


WHAT = {"throughput": "patches to tags", "warm": "file to taggram, open process",
        "cold": "file to taggram, new process"}


def comparisons(results: Results, fast: str = "compact") -> list[Comparison]:
    """One peer beside each of the others that were measured, for each measurement and network."""
    found = []
    for measurement, what in WHAT.items():
        for record in select(results, measurement, peer=fast):
            for other in select(results, measurement)[::-1]:
                same = other["model"] == record["model"] or not (
                    measurement == "throughput" or results["peers"][other["peer"]].get("depends"))
                if other["peer"] != fast and same:
                    found.append(Comparison(
                        what, record["model"], other["peer"], fast, ratio(other, record),
                        ratio(other, record, "cpu"),
                        min(len(other["seconds"]), len(record["seconds"]))))
    return found


def compared(results: Results, what: str, slow: str, model: str, fast: str = "compact"
             ) -> Comparison | None:
    """The comparison of `fast` with `slow`, or None if one of them was not measured."""
    return next((found for found in comparisons(results, fast)
                 if (found.what, found.slow, found.model) == (what, slow, model)), None)
