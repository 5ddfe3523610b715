"""The command `musicnn-book`."""

import argparse
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from inside_musicnn.commands.corpus import add_corpus
from inside_musicnn.commands.options import Commands
from inside_musicnn.commands.tags import add_tags
from inside_musicnn.commands.tensors import add_tensors
from inside_musicnn.commands.unit import add_unit
from inside_musicnn.errors import InputError, RunError
from inside_musicnn.file_names import visible
from inside_musicnn.quiet import close_output

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {visible(message)} (see {self.prog} --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one sub-command; return the exit code.

    0 done, 1 a chapter or the site failed, 2 a wrong input, 130 stopped by the reader, 141 nobody
    reads any more what it prints (as shells tell of it).
    """
    parser = Parser(prog="musicnn-book", description="Inside MusiCNN, from the command line.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    arguments = sys.argv[1:] if arguments is None else arguments
    for add in _commands(arguments):
        add(commands)
    options = parser.parse_args(arguments)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does
    try:
        return options.run(options) or 0
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except RunError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        close_output()
        return 141
    except KeyboardInterrupt:
        print("\nStopped; nothing was changed.", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)


COMMANDS = {"tags": add_tags, "tensors": add_tensors, "corpus": add_corpus, "unit": add_unit}
FURTHER = "inside_musicnn.commands"  # entry points of other packages, such as the book's `build`


def _commands(arguments: list[str]) -> list[Callable[[Commands], None]]:
    """What adds the sub-command that is asked for; if it is not our own, what adds them all.

    Those of other installed packages come first; to look for them takes as long as some answers.
    """
    if arguments and arguments[0] in COMMANDS:
        return [COMMANDS[arguments[0]]]
    from importlib.metadata import entry_points

    further = sorted(entry_points(group=FURTHER), key=lambda entry: entry.name)
    return [*map(_loaded, further), *COMMANDS.values()]


def _loaded(entry: "EntryPoint") -> Callable[[Commands], None]:
    """What adds a sub-command of another package; if that is not here, what says so."""
    try:
        return entry.load()
    except ModuleNotFoundError:
        return partial(_add_missing, entry.name)


def _add_missing(name: str, commands: Commands) -> None:
    def refuse(options: argparse.Namespace) -> int:
        raise InputError(f"'{name}' needs the book, which the library alone does not hold; get the "
                         "whole repository and run `make book` in it.")

    parser = commands.add_parser(name, help="needs the whole book", prefix_chars="\0",
                                 add_help=False)
    parser.add_argument("arguments", nargs="*")
    parser.set_defaults(run=refuse)


if __name__ == "__main__":
    sys.exit(main())
