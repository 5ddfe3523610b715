"""The sub-command `tags`: what MusiCNN calls recordings, without a book."""

import functools
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Literal

from inside_musicnn.commands.options import (
    Commands,
    add_damaged_option,
    add_model_option,
    add_part_options,
)
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import as_text
from inside_musicnn.quiet import close_output

if TYPE_CHECKING:
    import numpy as np

    from inside_musicnn.commands.taggram import Taggram
    from inside_musicnn.network.musicnn import MusiCNN
    from inside_musicnn.progress import Progress
    from inside_musicnn.sound.recordings import Recording

Form = Literal["table", "json", "csv"]
AT_ONCE = 4  # patches: CHUNK of the compact network, which is imported later
_OPENING = threading.Lock()


def add_tags(commands: Commands) -> None:
    """The sub-command `tags`: the most likely tags, or the scores of every patch."""
    parser = commands.add_parser(
        "tags", help="print the tags of recordings",
        description="Print the most likely tags of each recording, by their mean over patches of "
                    "3 s; or, as JSON or CSV, all 50 scores of every patch.")
    add = parser.add_argument
    add("audio", nargs="+", metavar="AUDIO",
        help="a clip in data/, an audio file, or - for the standard input; put -- before names "
             "that begin with a dash")
    add_model_option(parser)
    add_part_options(parser)
    add_damaged_option(parser)
    add("--top", type=int, default=10, metavar="N", help="how many tags (default: 10)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--json", action="store_true", help="one JSON document, every patch")
    kind.add_argument("--csv", action="store_true", help="one CSV table, a row for every patch")
    add("--output", metavar="FILE", help="write there instead of printing")
    add("--original", action="store_true", help="the original network, not the compact one")
    parser.set_defaults(run=run_tags)


def open_network(model: str, original: bool = False) -> "MusiCNN":
    """The network that answers tags, ready to answer several threads."""
    with _OPENING:
        return _opened(model, original)


@functools.cache
def _opened(model: str, original: bool) -> "MusiCNN":
    from inside_musicnn import MusiCNN

    network = MusiCNN(model, compact=not original, threads=1)
    network.engine  # noqa: B018  (made now, and once)
    return network


def run_tags(options: Namespace) -> int:
    """The sub-command's exit code."""
    form: Form = "json" if options.json else "csv" if options.csv else "table"
    return write_tags(options.audio, options.model, original=options.original,
                      start=options.start, duration=options.duration, damaged=options.damaged,
                      form=form, top=options.top, output=options.output)


def write_tags(recordings: Sequence[str], model: str = "MSD_musicnn", *, original: bool = False,
               start: float = 0.0, duration: float | None = None, damaged: bool = False,
               form: Form = "table", top: int = 10,
               output: str | None = None) -> int:
    """Print or write the tags; what cannot be read, or is doubtful, is told on standard error.

    Args:
        recordings: names of clips in data/, paths, or "-" for the standard input.
        original: answer from the original network, not from the compact one.
        start, duration: which part of each, in seconds.
        damaged: read damaged files too: what is lost is silence, and patches with it are marked.
        form: a table to read, or one document with all scores of every patch.
        top: how many tags, 1 to 50.
        output: file to write; None to print.

    Returns:
        0, or 2 if a recording could not be read.

    Raises:
        InputError: another argument is wrong, or the answer cannot be written.
    """
    from inside_musicnn.commands import taggram
    from inside_musicnn.network.layers import TAGS
    from inside_musicnn.network.weights import check_model

    check_model(model)
    if not 1 <= top <= TAGS:
        raise InputError(f"The number of tags is {top}; it must be 1 to {TAGS}.")
    forms = {"table": taggram.as_table, "json": taggram.as_json, "csv": taggram.as_csv}
    failed: list[str] = []
    found = _taggrams(recordings, model, original, start, duration, damaged, failed)
    how = taggram.How(top, output is None and sys.stdout.isatty(), damaged)
    _write(forms[form](found, how), output)
    return 2 if failed else 0


def _taggrams(recordings: Sequence[str], model: str, original: bool, start: float,
              duration: float | None, damaged: bool, failed: list[str]
              ) -> Iterator["Taggram"]:
    """A Taggram for each recording that can be read; the others are told and go to `failed`."""
    from inside_musicnn.progress import Progress
    from inside_musicnn.sound.recordings import open_recording

    progress = Progress()
    for audio in recordings:
        try:
            recording = open_recording(audio, start, duration, damaged)
            found = _taggram(audio, recording, model, original, progress)
        except InputError as error:
            progress.say(error)
            failed.append(audio)
            continue
        finally:
            progress.clear()
        yield found


def _taggram(audio: str, recording: "Recording", model: str, original: bool,
             progress: "Progress") -> "Taggram":
    """The scores of one recording, which its reader calls `audio`."""
    import numpy as np

    from inside_musicnn.commands.taggram import Taggram

    total, scores, done = recording.patch_count(), [], 0
    for found in scores_of(recording, model, original):
        scores.append(found)
        done += len(found)
        progress.show(f"{audio}: {done} patches", total and done / total)
    for note in recording.notes:
        progress.say(note)
    labels = open_network(model, original).labels
    file = recording.title if audio == "-" else audio
    return Taggram(file, model, labels, recording.offset, np.concatenate(scores),
                   recording.damaged_patches(0, done), recording.notes)


def scores_of(recording: "Recording", model: str, original: bool = False
              ) -> Iterator["np.ndarray"]:
    """The scores of some patches after the others; the network is opened beside decoding."""
    from inside_musicnn.cores import count_cores
    from inside_musicnn.sharing import shared_out
    from inside_musicnn.sound.patching import patch_batches

    def answer(patches: "np.ndarray") -> "np.ndarray":
        return open_network(model, original).tags(patches)

    if original:  # TensorFlow has threads of its own
        yield from map(answer, recording.patch_batches())
    else:
        patches = patch_batches(recording.sample_blocks(), recording.shown, AT_ONCE)
        yield from shared_out(answer, patches, count_cores())


def _write(texts: Iterator[str], output: str | None) -> None:
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


def _print(texts: Iterator[str]) -> None:
    try:
        for text in texts:
            sys.stdout.write(as_text(text))
            sys.stdout.flush()
    except OSError as error:
        close_output()
        if not isinstance(error, BrokenPipeError):  # whoever read it has seen enough
            raise InputError(f"The tags cannot be printed: {error.strerror}.") from error
