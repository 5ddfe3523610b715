"""Compile the listening room's engine, or write the room into a folder.

    python -m making.room                 compile book/room/engine to book/room/engine.wasm
    python -m making.room --page FOLDER   write the page into FOLDER/room
"""

import argparse
import sys
from pathlib import Path

from inside_musicnn.errors import InputError
from making.room import compiler
from making.room.page import write_room


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m making.room", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, metavar="FOLDER", help="write the page there")
    options = parser.parse_args()
    try:
        if options.page:
            write_room(options.page)
        else:
            print(compiler.write())
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
