"""Fetch the packages and make from them all that the book has of real recordings.

    python -m making.recordings                 everything, what is there already left alone
    python -m making.recordings fetch           download, check and unpack the packages (2.1 GB)
    python -m making.recordings list            data/corpus/recordings.json
    python -m making.recordings compute         both networks' answers, into the packages' folder
    python -m making.recordings excerpts        data/recordings/, data/recordings.json, the README
    python -m making.recordings numbers         data/corpus/*/part-*.parquet
    python -m making.recordings candidates      measure which excerpt could be the default
"""

import argparse
import sys
from pathlib import Path

from inside_musicnn.errors import InputError
from making.recordings.catalogue import (
    MANIFEST,
    check_works,
    choose_corpus,
    find_works,
    read_works,
    write_works,
)
from making.recordings.packages import PLACE, fetch

STEPS = ("fetch", "list", "compute", "excerpts", "numbers", "candidates")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m making.recordings", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--packages", type=Path, default=PLACE, metavar="DIR",
                        help="where the packages are kept (default: _runs/packages)")
    parser.add_argument("--jobs", type=int, help="processes that compute")
    options = parser.parse_args()
    unknown = [step for step in options.steps if step not in STEPS]
    try:
        if unknown:
            raise InputError(f"There is no step '{unknown[0]}'; choose of {', '.join(STEPS)}.")
        for step in options.steps or STEPS[:-1]:
            _do(step, options.packages.expanduser().resolve(), options.jobs)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on.", file=sys.stderr)
        return 130
    return 0


def _do(step: str, place: Path, jobs: int | None) -> None:
    if step == "fetch":
        fetch(place)
        if MANIFEST.is_file():
            check_works(read_works(), place)
    elif step == "list":
        write_works(choose_corpus(find_works(place)))
        read_works.cache_clear()
    elif step == "compute":
        from making.recordings import numbers

        numbers.compute(read_works(), place, jobs)
    elif step == "excerpts":
        from making.recordings import choosing, excerpts, listing

        listing.write_table(excerpts.make_excerpts(
            read_works(), choosing.read_scores(place), place))
    elif step == "numbers":
        from making.recordings import numbers

        numbers.reduce(read_works(), place)
    else:
        from making.recordings import candidates, excerpts

        table = candidates.measure_candidates(excerpts.listed())
        print(table.to_string(float_format="%.2f"))


if __name__ == "__main__":
    sys.exit(main())
