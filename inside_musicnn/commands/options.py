"""Options that several sub-commands have."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from argparse import _SubParsersAction

Commands: TypeAlias = "_SubParsersAction[Any]"  # where sub-commands are added


def add_model_option(parser: ArgumentParser) -> None:
    """The option that chooses the network."""
    parser.add_argument("--model", default="MSD_musicnn", metavar="M",
                        help="MSD_musicnn (default) or MTT_musicnn")


def add_part_options(parser: ArgumentParser) -> None:
    """The options that choose the part of the audio."""
    add = parser.add_argument
    add("--start", type=float, default=0.0, metavar="SECONDS", help="where in the audio to begin")
    add("--duration", type=float, metavar="SECONDS", help="how much of it (default: all)")


def add_damaged_option(parser: ArgumentParser) -> None:
    """The option that has damaged files read."""
    parser.add_argument("--damaged", action="store_true",
                        help="read damaged files too: what is lost is silence, and marked")
