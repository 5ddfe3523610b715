"""Command line of the atlas: `python -m making.atlas`."""

import argparse
import sys
from pathlib import Path

from inside_musicnn.errors import InputError
from making.atlas.best_inputs import write_best
from making.atlas.table import write, write_facts, write_words
from making.recordings.packages import PLACE


def main() -> None:
    """Make the table of the units."""
    parser = argparse.ArgumentParser(prog="python -m making.atlas", description=(
        "Makes data/units/units.parquet from the weights, the study of the units (run `python -m "
        "making.studies units` before), the shipped recordings and probes."))
    parser.add_argument("--place", type=Path, default=PLACE, help="where the music is unpacked")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--facts", dest="make", action="store_const", const=write_facts,
                      help="make anew only what the weights say, in the table that is there")
    part.add_argument("--words", dest="make", action="store_const", const=write_words,
                      help="make anew only the units' words, likewise")
    part.add_argument("--best", action="store_true", help="search what each unit would hear best, "
                      "and make it audible, for data/units/best (takes an hour; goes on where it "
                      "was stopped)")
    options = parser.parse_args()
    try:
        if options.best:
            write_best(options.place)
        else:
            print(options.make() if options.make else write(options.place))
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
