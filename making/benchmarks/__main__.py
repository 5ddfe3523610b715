"""`python -m making.benchmarks`: measure, print the report, keep the results."""

import argparse
import datetime
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from inside_musicnn import replacing
from inside_musicnn.errors import InputError, RunError
from making.benchmarks import environment, machine
from making.benchmarks.bench import Bench
from making.benchmarks.measure import measure
from making.benchmarks.peers import choose
from making.benchmarks.plan import FULL, QUICK
from making.benchmarks.report import as_text

RESULTS = Path(__file__).resolve().parent / "results"


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
        print("Stopped; nothing was written.", file=sys.stderr)
        return 130


def _options(arguments):
    parser = argparse.ArgumentParser(prog="make bench", description="Speed, side by side.")
    add = parser.add_argument
    add("--quick", action="store_true", help="a minute, to see that it works; keeps no results")
    add("--rounds", type=int, metavar="N", help="how often each question is asked")
    add("--peers", metavar="A,B", help="only these besides the original; a .py file is yours")
    add("--output", metavar="FILE", help="where to write the results")
    add("--install", action="store_true", help="install the optional peers first")
    add("--environment", metavar="DIR", default=str(environment.FOLDER),
        help="environment of the optional peers")
    return parser.parse_args(arguments)


def run(options):
    """Measure as the options say and write the results."""
    if options.rounds is not None and options.rounds < 1:
        raise InputError(f"The number of rounds is {options.rounds}; it must be at least 1.")
    peers, plan = choose(options.peers), QUICK if options.quick else FULL
    plan = replace(plan, rounds=options.rounds or plan.rounds)
    output = _output(options)
    start = time.monotonic()

    def say(sentence):
        print(f"[{time.monotonic() - start:4.0f} s] {sentence}", file=sys.stderr, flush=True)

    if options.install:
        environment.install(options.environment, say)
    with tempfile.TemporaryDirectory() as files:
        bench = Bench(peers, plan, files, options.environment, say)
        try:
            measure(bench)
        finally:
            bench.stop()
        results = _results(bench, options.quick, time.monotonic() - start)
    print("\n".join(as_text(results)))
    if output is None and not options.quick:
        output = RESULTS / f"{results['date']}-{machine.slug(results['machine']['processor'])}.json"
    if output:
        output.parent.mkdir(exist_ok=True)
        replacing.write(output, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        print(f"\nThe results are in {output}")
    return 1 if any(not check["right"] for check in results["checks"]) else 0


def _output(options):
    """The file asked for, checked before minutes of work; None if none was named."""
    if not options.output:
        return None
    output = Path(options.output)
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise InputError(f"The results cannot be written to '{output}'; name a file in a folder "
                         "that is there and can be written to.")
    return output


def _results(bench, quick, seconds):
    return {
        "format": 1, "date": datetime.date.today().isoformat(), "quick": quick,
        "seconds": round(seconds), "machine": machine.describe(),
        "others": round(bench.load.others(), 3), "models": list(bench.plan.models),
        "song": bench.plan.song, "limit": bench.plan.limit, "peers": bench.peers_found,
        "checks": bench.checks, "records": bench.records}


if __name__ == "__main__":
    sys.exit(main())
