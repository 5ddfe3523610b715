"""The command `musicnn-book`."""

import argparse
import signal
import sys

from helpers.corpus.command import add_corpus
from helpers.errors import BookError, BuildError
from helpers.grammar import skip_grammar
from helpers.names import visible
from helpers.tags_command import add_tags
from helpers.tensors_command import add_tensors


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {visible(message)} (see {self.prog} --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one sub-command; return the exit code.

    0 done, 1 a chapter or the site failed, 2 a wrong input, 130 stopped by the reader.
    """
    skip_grammar()
    parser = Parser(prog="musicnn-book", description="Inside MusiCNN, from the command line.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(arguments)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does
    try:
        return options.run(options) or 0
    except BookError as error:
        print(error, file=sys.stderr)
        return 2
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing was changed.", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)


def add_build(commands) -> None:
    """The sub-command `build`: run the chapters and make the website."""
    parser = commands.add_parser(
        "build", help="run the chapters and make the website",
        description="Run the chapters on a piece of music and make the website of them.",
    )
    add = parser.add_argument
    add("--audio", metavar="NAME_OR_PATH", action="append",
        help="a clip in data/, or an audio file; give it again for one site about several")
    add("--model", metavar="M", help="MSD_musicnn or MTT_musicnn")
    add("--start", type=float, metavar="SECONDS", help="where in the audio to begin")
    add("--segments", type=int, metavar="N", help="how many segments of 3 s to look at")
    add("--chapters", metavar="LIST", help="only these, such as 1,3 or layers")
    add("--jobs", type=int, metavar="N", help="chapters run at once (default: as many as fit)")
    add("--corpus", metavar="DIR", help="a data set, for the chapters that read one")
    add("--output", metavar="DIR", help="the run's folder (default: _runs/CLIP-MODEL)")
    add("--fresh", action="store_true", help="execute every chapter, even those that are done")
    add("--dry-run", action="store_true", help="only say what would be done")
    add("--root", help=argparse.SUPPRESS)  # another book, for the tests
    parser.set_defaults(run=run_build)


def run_build(options) -> int | None:
    from helpers.running.run import ROOT, Stopped, build

    audio = options.audio
    try:
        output = build(
            options.root or ROOT, audio=audio[0] if audio and len(audio) == 1 else audio,
            model=options.model, start=options.start, segments=options.segments,
            corpus=options.corpus, chapters=options.chapters, jobs=options.jobs,
            output=options.output, fresh=options.fresh, dry_run=options.dry_run,
        )
    except Stopped as stopped:
        print(f"\n{visible(stopped)}", file=sys.stderr)
        return 130
    if not options.dry_run:
        print(f"The site is at {output / 'site' / 'index.html'}")
    return None


COMMANDS = (add_build, add_tags, add_tensors, add_corpus)


if __name__ == "__main__":
    sys.exit(main())
