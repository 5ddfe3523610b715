"""Run studies: `python -m making.studies [NAME ...]`, all of them if none is named."""

import argparse
import sys
from pathlib import Path

from inside_musicnn.errors import InputError
from making.recordings.packages import PLACE
from making.studies.runner import run, studies


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m making.studies", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(studies())}")
    parser.add_argument("--packages", type=Path, default=PLACE, metavar="DIR",
                        help="where the packages are, and results on their way")
    options = parser.parse_args()
    try:
        for name in options.names or studies():
            for file in run(name, options.packages) or ():
                print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
