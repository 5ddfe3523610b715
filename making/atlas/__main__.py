"""Command line of the atlas: `python -m making.atlas`."""

import argparse
import sys
from pathlib import Path

from inside_musicnn.errors import InputError
from making.atlas.table import write, write_facts
from making.recordings.packages import PLACE


def main() -> None:
    """Make the table of the units."""
    parser = argparse.ArgumentParser(prog="python -m making.atlas", description=(
        "Makes data/units/units.parquet from the weights, the study of the units (run `python -m "
        "making.studies units` before), the shipped recordings and probes."))
    parser.add_argument("--place", type=Path, default=PLACE, help="where the music is unpacked")
    parser.add_argument("--facts", action="store_true", help="make anew only what the weights "
                        "say, in the table that is there")
    options = parser.parse_args()
    try:
        print(write_facts() if options.facts else write(options.place))
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
