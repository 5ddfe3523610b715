"""The sub-command `corpus`: a folder of recordings in, a data set out."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from inside_musicnn.commands.options import Commands, add_damaged_option, add_model_option
from inside_musicnn.file_names import visible

if TYPE_CHECKING:
    from inside_musicnn.corpus import Report

SHOWN = 5  # failures that are told on the terminal; all are in failed.parquet


def add_corpus(commands: Commands) -> None:
    """The sub-command `corpus`: tags, pooled values and embeddings of all audio in a folder."""
    parser = commands.add_parser(
        "corpus", help="make a data set of a folder of recordings",
        description="Compute tags, pooled values and embeddings of every 3 s of every recording "
                    "in a folder and the folders below, as Parquet files. Running it again goes "
                    "on where it was stopped, and adds what is new.")
    add = parser.add_argument
    add("folder", metavar="FOLDER", help="where the audio is")
    add("--output", required=True, metavar="DIR", help="folder of the data set")
    add_model_option(parser)
    add_damaged_option(parser)
    add("--scheduler", metavar="ADDRESS", help="use the Dask cluster there, such as "
        "tcp://host:8786; its workers need the same folders under the same paths")
    add("--jobs", type=int, metavar="N", help="worker processes (default: one for each core)")
    add("--original", action="store_true", help="the original network, not the compact one")
    add("--prune", action="store_true", help="drop the rows of files that are no longer there")
    parser.set_defaults(run=run_corpus)


def run_corpus(options: Namespace) -> int:
    """The sub-command's exit code."""
    return write_corpus(options.folder, options.output, options.model, original=options.original,
                        scheduler=options.scheduler, jobs=options.jobs, prune=options.prune,
                        damaged=options.damaged)


def write_corpus(folder: str, output: str, model: str = "MSD_musicnn", *, original: bool = False,
                 scheduler: str | None = None, jobs: int | None = None, prune: bool = False,
                 damaged: bool = False) -> int:
    """Make or complete the data set and say what became of it; 130 if the reader stopped it.

    What is doubtful about files that were read is told on standard error.

    Arguments and errors are those of `make_corpus`.
    """
    from inside_musicnn.corpus import Report, make_corpus
    from inside_musicnn.file_names import shown
    from inside_musicnn.network.weights import check_model

    check_model(model)
    report = Report()
    try:
        make_corpus(folder, output, model, original=original, scheduler=scheduler, jobs=jobs,
                    prune=prune, damaged=damaged, report=report)
    except KeyboardInterrupt:
        print(f"\nStopped: {report.before + report.done} files are done; running the same "
              "command again goes on.", file=sys.stderr)
        return 130
    for line in _told(report.noted, report.output or Path(output)):
        print(visible(line), file=sys.stderr)
    for line in _summary(report, shown(report.output or Path(output)), prune):
        print(visible(line))
    return 0


def _told(noted: Mapping[str, str], output: Path) -> Iterator[str]:
    """Sentences on files that were read all the same."""
    from inside_musicnn.file_names import shown

    yield from list(noted.values())[:SHOWN]
    if more := max(0, len(noted) - SHOWN):
        files = "file" if more == 1 else "files"
        yield (f"Something is lost or doubtful in {more} more {files}; see the column `notes` in "
               f"{shown(output)}/files.")


def _summary(report: "Report", where: str, prune: bool) -> Iterator[str]:
    """Sentences on what was done."""
    for name, reason in list(report.failed.items())[:SHOWN]:
        yield f"  {reason if name in reason else f'{name}: {reason}'}"
    if len(report.failed) > SHOWN:
        yield f"  and {len(report.failed) - SHOWN} more"
    totals = report.totals
    yield (f"The data set is in {where}: {totals['files']} files, {totals['patches']} patches; "
           f"{report.done} files are new, {report.before} were there before.")
    if report.failed:
        yield (f"{len(report.failed)} could not be read; see {where}/failed.parquet for the "
               "reasons.")
    if report.removed:
        what = "were dropped" if prune else "are kept; --prune drops them"
        yield f"{len(report.removed)} files are no longer there; their rows {what}."
    yield from report.notes
