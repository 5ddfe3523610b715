"""The sub-command `build`: run the chapters and make the website."""

import argparse
import sys
from typing import Any

from inside_musicnn.file_names import visible
from making.running.lighter_imports import skip_grammar


def add_build(commands: Any) -> None:
    """The sub-command `build`: run the chapters and make the website."""
    parser = commands.add_parser(
        "build", help="run the chapters and make the website",
        description="Run the chapters on a piece of music and make the website of them.",
    )
    add = parser.add_argument
    add("--audio", metavar="NAME_OR_PATH", action="append",
        help="a clip in data/, an audio file, or - for the standard input; give it again for one "
             "site about several")
    add("--model", metavar="M", help="MSD_musicnn or MTT_musicnn")
    add("--start", type=float, metavar="SECONDS", help="where in the audio to begin")
    add("--segments", type=int, metavar="N", help="how many segments of 3 s to look at")
    add("--chapters", metavar="LIST", help="only these, such as 1,3 or layers")
    add("--jobs", type=int, metavar="N", help="chapters run at once (default: as many as fit)")
    add("--corpus", metavar="DIR", help="a data set, for the chapters that read one")
    add("--output", metavar="DIR", help="the run's folder (default: _runs/CLIP-MODEL)")
    add("--damaged", action="store_true",
        help="read a damaged file too: what is lost is silence")
    add("--fresh", action="store_true", help="execute every chapter, even those that are done")
    add("--dry-run", action="store_true", help="only say what would be done")
    add("--root", help=argparse.SUPPRESS)  # another book, for the tests
    parser.set_defaults(run=run_build)


def run_build(options: argparse.Namespace) -> int | None:
    skip_grammar()
    from making.running.run import ROOT, Stopped, build

    audio = options.audio
    try:
        output = build(
            options.root or ROOT, audio=audio[0] if audio and len(audio) == 1 else audio,
            model=options.model, start=options.start, segments=options.segments,
            corpus=options.corpus, chapters=options.chapters, jobs=options.jobs,
            output=options.output, fresh=options.fresh, dry_run=options.dry_run,
            damaged=options.damaged,
        )
    except Stopped as stopped:
        print(f"\n{visible(stopped)}", file=sys.stderr)
        return 130
    if not options.dry_run:
        print(f"The site is at {output / 'site' / 'index.html'}")
    return None
