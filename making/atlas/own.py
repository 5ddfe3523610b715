"""The atlas of the reader's own collection: `python -m making.atlas.own DATA_SET`.

What the study *units* measures, on a sample of the recordings of a data set that `musicnn-book
corpus` made; as pages in a folder that stands for itself, with the same JSON and Parquet. The
moments are the reader's, each heard in ten seconds cut from the file.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from helpers.evidence import intervals
from inside_musicnn import load_clip, replacing
from inside_musicnn.atlas import KEY, Units, units
from inside_musicnn.checksums import digest, sha256
from inside_musicnn.cores import workers_that_fit
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import as_text, shown
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.live_weights import stored_weights
from inside_musicnn.network.unit_facts import Facts
from inside_musicnn.network.weights import MODELS, check_model, checksums_of_weights
from inside_musicnn.progress import Progress
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS
from inside_musicnn.versions import everything
from making.atlas import pages, words
from making.atlas.activity import moments, of_one, positions_of, together
from making.atlas.collection import (
    FEWEST,
    Own,
    Results,
    encoder_is_there,
    key_of_results,
    measure,
    recordings_of,
)
from making.atlas.sounds import write_sound
from making.atlas.table import answers_of, assembled, with_nothing, write_rows
from making.atlas.tag_nulls import beside_nothing
from making.recordings.numbers import MOST_PATCHES
from making.recordings.packages import ROOT

RUNS = ROOT / "_runs"
KEPT = ".units"  # in RUNS: what was measured, for the next run
MOST = 200  # recordings
CUT, MARGIN = 3, 31  # patches of an excerpt; frames before and after them: ten seconds in all
MEMORY = 700_000_000  # bytes of a process that measures
BOTH = "both"
README = """Made by `make units CORPUS=...`. Where the fields speak of the corpus or of the shipped
recordings, your own are meant, and each of them counts as an author of its own; only the units'
words, and their test, are those of the book's recordings. In Python:

    from inside_musicnn import units
    units("MSD_musicnn", "units.parquet")["cnn_1/out", 12]"""
NOT_OF_MUSIC = ("tuning", "like_kernel", "cosine_by_chance",
                *words.FIELDS)  # as the book's table has them
WIDE = 20  # recordings: below, intervals are wide
KINDS = ("highest", "lowest", "random")


def make_own(corpus: str, model: str | None = None, output: Path | None = None,
             jobs: int | None = None, most: int = MOST, runs: Path | None = None,
             say: Callable[[str], None] = print) -> Path:
    """Make the atlas of a data set's recordings, or what of it is missing.

    Args:
        corpus: folder of the data set.
        model: "MSD_musicnn", "MTT_musicnn" or "both"; None for that of the data set.
        output: folder of the pages; None for RUNS/units-NAME.
        jobs: processes; None for as many as the machine has cores and memory for.
        most: recordings; of more, so many are drawn by lot.
        runs: where both are made; None for RUNS.

    Returns:
        the page to open.

    Raises:
        InputError: see the sentences; nothing half-made is left, and what was measured is kept.
    """
    if not encoder_is_there():
        raise InputError("The excerpts need a libsndfile that writes MP3, 1.1 or newer; install "
                         "the soundfile wheel, which brings one.")
    if most < FEWEST or (jobs is not None and jobs < 1):
        raise InputError(f"The number of recordings must be {FEWEST} or more, and that of jobs 1 "
                         "or more.")
    runs = runs or RUNS
    recordings, gone, data = recordings_of(corpus, most)
    models = MODELS if model == BOTH else [check_model(model or data.model)]
    name = data.path.resolve().name
    output = (output or runs / f"units-{name}").expanduser().resolve()
    if output.exists() and not (output / "units.parquet").is_file() and (
            not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{shown(output)} is there and is no atlas; choose another output folder.")
    total = len(data.files)
    if gone:
        say(f"{gone} of {total} recordings of the data set are not where they were; they are left "
            "out.")
    if len(recordings) < total - gone:
        say(f"Of {total - gone} recordings {len(recordings)} are drawn by lot, always the same.")
    try:
        kept = {each: runs / KEPT / name / key_of_results(each) for each in models}
        readable = _measure_all(recordings, kept, jobs, say)
        return _written(readable, kept, output, name, say)
    except OSError as error:
        raise InputError(f"The atlas cannot be written: {error.strerror or error}; what was "
                         "measured is kept for the next run.") from None


def _measure_all(recordings: Sequence[Own], kept: dict[str, Path], jobs: int | None,
                 say: Callable[[str], None]) -> list[Own]:
    """Measure what is missing; returns the recordings that could be read."""
    work = [(own, model) for own in recordings for model in kept
            if not own.result(kept[model], model).is_file()]
    for folder in kept.values():
        folder.mkdir(parents=True, exist_ok=True)
    failed: dict[str, str] = {}
    if work:
        jobs = jobs or workers_that_fit(MEMORY, len(work))
        say(f"{len(recordings)} recordings, {len(work)} measurements to make, {jobs} at a time.")
        with Progress(sys.stdout, every=10) as progress:
            for number, (own, reason) in enumerate(_each(work, kept, jobs), 1):
                if reason:
                    failed[own.id] = reason
                progress.show(f"[{number}/{len(work)}] measured", number / len(work))
    if failed:
        say(f"{len(failed)} of {len(recordings)} recordings cannot be read and are left out; "
            + next(iter(failed.values())))
    readable = [own for own in recordings if own.id not in failed]
    if len(readable) < FEWEST:
        raise InputError(f"{len(readable)} of {len(recordings)} recordings can be read, and an "
                         f"atlas needs {FEWEST} or more; {next(iter(failed.values()))}")
    say(f"{len(work)} measured now, {len(readable) * len(kept)} in all.")
    return readable


def _each(work: Sequence[tuple[Own, str]], kept: dict[str, Path], jobs: int
          ) -> Iterator[tuple[Own, str | None]]:
    """Each recording with what `measure` says of it, as they are done."""
    if jobs == 1:
        yield from ((own, measure(own, model, kept[model])) for own, model in work)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        waiting = {pool.submit(measure, own, model, kept[model]): own for own, model in work}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _written(recordings: Sequence[Own], kept: dict[str, Path], output: Path, name: str,
             say: Callable[[str], None]) -> Path:
    """Write the folder, unless it is there already and made of the same."""
    code = sorted(path for path in Path(__file__).parent.rglob("*.*") if path.suffix != ".pyc")
    key = digest({"recordings": [(own.id, own.name, own.sha256) for own in recordings],
                  "measured": {model: folder.name for model, folder in kept.items()},
                  "name": name, "code": {file.name: sha256(file) for file in code}})
    page = output / "index.html"
    if page.is_file() and _key(output) == key:
        say("The pages are there already.")
        return page
    rows, basis = [], {}
    for model, folder in kept.items():
        found, patches = records(Results(model, folder, recordings), say)
        basis[model] = f"{patches:,} patches of {len(recordings):,} recordings of your own"
        rows += found
    say("Excerpts and pages.")
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing.new_version(output) as place:
        place.mkdir()
        write_rows(rows, {"corpus": basis, "own": key, "versions": everything(("pyarrow",)),
                          "weights": {model: checksums_of_weights(model) for model in kept}},
                   place, README)
        table = place / "units.parquet"
        cuts = write_cuts(rows, recordings, place / "atlas" / "sound")
        pages.write_pages(place, table, {}, pages.Sounds(
            {as_text(own.name): {"title": as_text(own.name), "own": True} for own in recordings},
            cuts, sentences(name, len(recordings))))
    size = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
    say(f"{sum(map(len, cuts.values()))} excerpts, {size / 1e6:.0f} MB in all.")
    return page


def _key(output: Path) -> str | None:
    table = output / "units.parquet"
    try:
        return json.loads(pq.read_schema(table).metadata[KEY]).get("own")
    except (OSError, KeyError, TypeError, ValueError):
        return None


def sentences(name: str, count: int) -> tuple[str, ...]:
    """What a reader has to know of the pages."""
    found = [f"These pages tell of your own recordings: the data set '{name}', up to "
             f"{MOST_PATCHES} patches of each recording, drawn by lot. What they say of kernels, "
             "of tuning and in words is the same as in the book, and does not rest on your music."]
    if count < intervals.FEWEST:
        found.append(f"{count} recordings are too few for intervals, of which there are none: a "
                     "mean may be that of one of them.")
    elif count < WIDE:
        found.append(f"{count} recordings are few: the intervals, drawn by recording, are wide, "
                     "and may be too narrow still.")
    return tuple(found)


def records(results: Results, say: Callable[[str], None] = print
            ) -> tuple[list[dict[str, Any]], int]:
    """All records of one network on the reader's recordings, and how many patches they rest on."""
    from making.studies.units import inside

    model = results.model
    say(f"{model}: contributions, likeness, moments")
    names = [as_text(own.name) for own in results.recordings]
    found, positions, scores, numbers = [], 0, [], []
    for each in results:
        found.append({name: each[name] for name in (
            *KINDS, *(f"{kind}_at" for kind in KINDS), "highest_place")})
        positions = positions + each["positions"].astype(np.int64)
        scores.append(each["scores"])
        numbers.append(each["numbers"])
    live = inside(model)
    active = together(live, results, names, moments(
        list(zip(names, found, strict=True)), live, lambda name: name))
    book: Units = units(model)

    def fixed(layer: str, number: int, place: int) -> dict[str, Any]:
        record = book[layer, number]
        return {name: record[name] for name in NOT_OF_MUSIC if name in record}

    facts = Facts(stored_weights(model), active.deviations())
    rows = assembled(facts, active, positions_of(live["cnn_1/out"], np.asarray(positions)),
                     of_tags(names, scores, numbers), fixed, lambda _: None)
    told = beside_nothing(np.concatenate(scores), np.repeat(names, [len(each) for each in scores]),
                          {name: name for name in names}, answers_of(model))
    return with_nothing(rows, told), sum(map(len, scores))


def of_tags(names: Sequence[str], scores: Sequence[np.ndarray], numbers: Sequence[np.ndarray]
            ) -> tuple[np.ndarray, np.ndarray, list[list[dict[str, Any]]]]:
    """Mean and deviation of each tag's score, and the best patch of each of some recordings."""
    every = np.concatenate(scores)
    best = []
    for tag in range(every.shape[1]):
        tops = [int(part[:, tag].argmax()) for part in scores]
        ordered = sorted(range(len(names)), key=lambda each: -scores[each][tops[each], tag])
        best.append([{"recording": name, "seconds": float(numbers[each][tops[each]])
                      * PATCH_SECONDS, "value": float(scores[each][tops[each], tag])}
                     for name, each in of_one(lambda name: name,
                                              [(names[each], each) for each in ordered])])
    return every.mean(axis=0), every.std(axis=0), best


def write_cuts(rows: Sequence[dict[str, Any]], recordings: Sequence[Own], folder: Path
               ) -> dict[str, list[tuple[float, str]]]:
    """Write the excerpts in which all moments are heard; of one stretch of a recording one.

    Returns:
        from a recording to its excerpts, each with its begin in seconds and its file.
    """
    folder.mkdir(parents=True)
    wanted: dict[str, set[int]] = {}
    for row in rows:
        for moment in (each for kind in KINDS for each in row.get(kind, [])):
            frame = round(moment["seconds"] / FRAME_SECONDS)
            wanted.setdefault(moment["recording"], set()).add(frame // (CUT * FRAMES))
    cuts: dict[str, list[tuple[float, str]]] = {}
    for own in recordings:
        for number in sorted(wanted.get(as_text(own.name), ())):
            first = max(number * CUT * FRAMES - MARGIN * (number > 0), 0)
            clip = load_clip(own.file, first * FRAME_SECONDS,
                             (CUT * FRAMES + 2 * MARGIN) * FRAME_SECONDS, damaged=own.damaged)
            write_sound(folder, f"{own.id}-{number}", clip)
            cuts.setdefault(as_text(own.name), []).append(
                (first * FRAME_SECONDS, f"{own.id}-{number}"))
    return cuts


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m making.atlas.own", description=(
        "Makes the atlas of the units on the recordings of a data set that musicnn-book corpus "
        "made. Run again, it goes on where it was stopped."))
    add = parser.add_argument
    add("corpus", nargs="?", help="folder of the data set")
    add("--model", choices=[*MODELS, BOTH], help="that of the data set if not given")
    add("--output", type=Path, help="folder of the pages, _runs/units-NAME if not given")
    add("--jobs", type=int, help="how many recordings at a time")
    add("--most", type=int, default=MOST, help=f"how many recordings at most, {MOST} if not "
        "given; of more, so many are drawn by lot")
    options = parser.parse_args(arguments)
    try:
        if not options.corpus:
            raise InputError("Give a data set of your music: make units CORPUS=my-music; "
                             "'musicnn-book corpus MUSIC --output my-music' makes one.")
        print(make_own(options.corpus, options.model, options.output, options.jobs, options.most))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; what was measured is kept for the next run.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
