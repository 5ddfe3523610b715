"""The sub-command `tags`: what MusiCNN calls recordings, without a book."""

import functools
import os
import sys
from itertools import chain

from inside_musicnn.errors import InputError
from inside_musicnn.file_names import as_text

PATCHES = 32  # computed at once


def add_tags(commands) -> None:
    """The sub-command `tags`: the most likely tags, or the scores of every patch."""
    parser = commands.add_parser(
        "tags", help="print the tags of recordings",
        description="Print the most likely tags of each recording, by their mean over patches of "
                    "3 s; or, as JSON or CSV, all 50 scores of every patch.")
    add = parser.add_argument
    add("audio", nargs="+", metavar="AUDIO",
        help="a clip in data/, or an audio file; put -- before names that begin with a dash")
    add_audio_options(parser)
    add("--top", type=int, default=10, metavar="N", help="how many tags (default: 10)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--json", action="store_true", help="one JSON document, every patch")
    kind.add_argument("--csv", action="store_true", help="one CSV table, a row for every patch")
    add("--output", metavar="FILE", help="write there instead of printing")
    add("--original", action="store_true", help="the original network, not the compact one")
    parser.set_defaults(run=run_tags)


def add_audio_options(parser) -> None:
    """The options that choose the network and the part of the audio."""
    add = parser.add_argument
    add("--model", default="MSD_musicnn", metavar="M", help="MSD_musicnn (default) or MTT_musicnn")
    add("--start", type=float, default=0.0, metavar="SECONDS", help="where in the audio to begin")
    add("--duration", type=float, metavar="SECONDS", help="how much of it (default: all)")


@functools.cache
def open_network(model, original=False):
    """The network that answers tags."""
    from inside_musicnn import MusiCNN

    return MusiCNN(model, compact=not original)


def run_tags(options) -> int:
    """Print or write the tags; return 2 if a recording failed, and go on with the others."""
    from inside_musicnn.commands import taggram
    from inside_musicnn.network.layers import TAGS
    from inside_musicnn.network.weights import check_model

    check_model(options.model)
    if not 1 <= options.top <= TAGS:
        raise InputError(f"The number of tags is {options.top}; it must be 1 to {TAGS}.")
    kind = taggram.as_json if options.json else taggram.as_csv if options.csv else taggram.as_table
    failed = []
    _write(kind(_taggrams(options, failed), options.top, _to_terminal(options)), options.output)
    return 2 if failed else 0


def _to_terminal(options):
    return options.output is None and sys.stdout.isatty()


def _taggrams(options, failed):
    """A Taggram for each recording that can be read; the others are told and go to `failed`."""
    from inside_musicnn.progress import Progress

    progress = Progress()
    for audio in options.audio:
        try:
            found = _taggram(audio, options, progress)
        except InputError as error:
            progress.say(error)
            failed.append(audio)
            continue
        finally:
            progress.clear()
        yield found


def _taggram(audio, options, progress):
    import numpy as np

    from inside_musicnn.commands.taggram import Taggram
    from inside_musicnn.sound.recordings import open_recording

    recording = open_recording(audio, options.start, options.duration)
    total, scores, silent = recording.patch_count(), [], True
    for patches in recording.patch_batches(PATCHES):
        scores.append(open_network(options.model, options.original).tags(patches))
        silent = silent and not patches.any()
        done = sum(map(len, scores))
        progress.show(f"{audio}: {done} patches", total and done / total)
    if silent:
        progress.say(f"The audio in {recording.shown} is silent, so its tags tell of no music.")
    labels = open_network(options.model, options.original).labels
    return Taggram(audio, options.model, labels, recording.offset, np.concatenate(scores))


def _write(texts, output):
    """Write pieces of text to a file, put in place when it is complete, or print them."""
    if output is None:
        _print(texts)
        return
    from inside_musicnn.replacing import aside

    with aside(output) as place:
        first = next(texts, None)
        if first is not None:
            with place.open("w", encoding="utf-8", newline="") as file:
                file.writelines(chain([first], texts))


def _print(texts):
    try:
        for text in texts:
            sys.stdout.write(as_text(text))
            sys.stdout.flush()
    except OSError as error:
        _close_output()
        if not isinstance(error, BrokenPipeError):  # whoever read it has seen enough
            raise InputError(f"The tags cannot be printed: {error.strerror}.") from error


def _close_output():
    """Let what is still to be written to standard output go nowhere, and quietly."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except OSError:  # standard output is not a file, as in a notebook
        pass
