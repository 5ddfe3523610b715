"""`python -m making.benchmarks`: measure, print the report, keep the results.

A full run is made in pieces of some minutes. What is known is kept after each, so that a run that
was stopped goes on where it was.
"""

import argparse
import datetime
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from helpers.evidence.speed import FOLDER
from inside_musicnn import replacing
from inside_musicnn.errors import InputError, RunError
from making.benchmarks import environment, machine
from making.benchmarks.bench import Bench
from making.benchmarks.measure import pieces, prepare
from making.benchmarks.peers import choose
from making.benchmarks.plan import FULL, QUICK
from making.benchmarks.report import as_text

KEPT = environment.ROOT / "_runs" / "benchmark.json"  # what is known of a run that is not done


def main(arguments=None):
    """Returns 0; 1 if an answer was wrong or a measurement impossible; 2 for wrong use."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(_options(arguments))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = "the same command goes on from there" if KEPT.exists() else "nothing was written"
        print(f"Stopped; {kept}.", file=sys.stderr)
        return 130


def _options(arguments):
    parser = argparse.ArgumentParser(prog="make bench", description="Speed, side by side.")
    add = parser.add_argument
    add("--quick", action="store_true", help="a minute, to see that it works; keeps no results")
    add("--pieces", type=int, metavar="N",
        help="do N pieces of the work, of 1 to 5 minutes each; the same command goes on")
    add("--fresh", action="store_true", help="begin anew, whatever is known of a run that stopped")
    add("--rounds", type=int, metavar="N", help="how often each question is asked")
    add("--peers", metavar="A,B", help="only these besides the original; a .py file is yours")
    add("--output", metavar="FILE", help="where to write the results")
    add("--install", action="store_true", help="install the optional peers first")
    add("--environment", metavar="DIR", default=str(environment.FOLDER),
        help="environment of the optional peers")
    return parser.parse_args(arguments)


def run(options):
    """Measure as the options say and write the results."""
    for name, count in (("rounds", options.rounds), ("pieces", options.pieces)):
        if count is not None and count < 1:
            raise InputError(f"The number of {name} is {count}; it must be at least 1.")
    peers, plan = choose(options.peers), QUICK if options.quick else FULL
    plan = replace(plan, rounds=options.rounds or plan.rounds)
    output = _output(options)
    begun = time.monotonic()

    def say(sentence):
        print(f"[{time.monotonic() - begun:4.0f} s] {sentence}", file=sys.stderr, flush=True)

    if options.install:
        environment.install(options.environment, say)
    # Not through JSON alone: what is compared must be as it is read back.
    key = json.loads(json.dumps([asdict(plan), list(peers), machine.describe()]))
    with tempfile.TemporaryDirectory() as files:
        bench = Bench(peers, plan, files, options.environment, say)
        if KEPT.exists() and not options.quick and not options.fresh:
            kept = json.loads(KEPT.read_text(encoding="utf-8"))
            if kept["key"] == key:
                bench.restore(kept["state"])
        if not _measure(bench, options, key):
            return 0
        results = _results(bench, options.quick)
    print("\n".join(as_text(results)))
    if output is None and not options.quick:
        output = FOLDER / f"{results['date']}-{machine.slug(results['machine']['processor'])}.json"
    if output:
        output.parent.mkdir(exist_ok=True)
        replacing.write(output, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        print(f"\nThe results are in {output}")
    if not options.quick:
        KEPT.unlink(missing_ok=True)
    return 1 if any(not check["right"] for check in results["checks"]) else 0


def _measure(bench, options, key):
    """Do the pieces that are missing, or as many as asked for; returns whether all are done."""
    every = pieces(bench.plan)
    missing = [name for name in every if name not in bench.done]
    if missing:
        prepare(bench)
    for name in missing[: options.pieces]:
        bench.say(f"{name[0].upper()}{name[1:]}")
        begun = time.monotonic()
        try:
            every[name](bench)
        finally:
            bench.stop()
        bench.seconds += time.monotonic() - begun
        bench.done.append(name)
        if not options.quick:
            KEPT.parent.mkdir(exist_ok=True)
            replacing.write(KEPT, json.dumps({"key": key, "state": bench.state()}))
    left = len(every) - len(bench.done)
    if left:
        print(f"{left} of {len(every)} pieces are left; the same command goes on.")
    return not left


def _output(options):
    """The file asked for, checked before minutes of work; None if none was named."""
    if not options.output:
        return None
    output = Path(options.output)
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise InputError(f"The results cannot be written to '{output}'; name a file in a folder "
                         "that is there and can be written to.")
    return output


def _results(bench, quick):
    return {
        "format": 2, "date": datetime.date.today().isoformat(), "quick": quick,
        "seconds": round(bench.seconds), "machine": machine.describe(),
        "others": round(bench.load.others(), 3), "models": list(bench.plan.models),
        "rounds": bench.plan.rounds, "song": bench.plan.song, "long": bench.plan.long,
        "limit": bench.plan.limit, "best": bench.best, "peers": bench.peers_found,
        "checks": bench.checks, "records": bench.records}


if __name__ == "__main__":
    sys.exit(main())
