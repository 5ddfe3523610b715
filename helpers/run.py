"""A run: chapters executed with given parameters, and the website made of them.

The sources are only read. A run is made in a temporary folder beside its place and moved there
at the end, so that a run that fails or is stopped leaves an older one as it was.
"""

import math
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import psutil

from helpers import manifest as notes
from helpers.chapters import (
    Page,
    check_outputs,
    choose,
    mark_as_not_run,
    read_pages,
    shared_defaults,
    tidy,
)
from helpers.errors import BookError, BuildError
from helpers.execute import execute_all
from helpers.folders import keep_failed, new_folder, publish, remove_failed, shown
from helpers.progress import Progress
from helpers.site import build_site

ROOT = Path(__file__).resolve().parent.parent
BYTES_PER_CHAPTER = 2 * 2**30  # a kernel with TensorFlow and the tensors of a few layers


@dataclass(frozen=True)
class Plan:
    """A run whose inputs have been checked."""

    root: Path
    output: Path
    pages: list[Page]
    chapters: list[Page]
    parameters: dict  # all, with their values in this run
    injected: dict  # chapter's name -> those that differ from its own
    audio: Path | None  # the file, if there is one
    jobs: int


def build(root=ROOT, *, audio=None, model=None, start=None, segments=None, chapters=None,
          jobs=None, output=None, stream=None) -> Path:
    """Execute the chapters, build the site, and return the run's folder.

    Args:
        root: the project: `_toc.yml`, `_config.yml` and `book/`.
        audio: a name in data/, or a path; this and the next three: the chapters' own if None.
        model: "MSD_musicnn" or "MTT_musicnn".
        start: where in the audio to begin, in seconds.
        segments: how many segments of about 3 s the chapters look at.
        chapters: numbers or names with commas between; all if None.
        jobs: chapters executed at once; as many as cores and memory allow if None.
        output: the run's folder; `_runs/<clip>-<model>` if None.
        stream: where progress is printed; standard output if None.

    Raises:
        BookError: an input is wrong; nothing has been written.
        BuildError: a chapter or the site failed; an earlier run in `output` is as it was.
    """
    given = {"audio": audio, "model": model, "start": start, "segments": segments}
    plan = make_plan(Path(root).resolve(), given, chapters, jobs, output)
    folder = new_folder(plan.output)
    try:
        _run(plan, folder, stream)
        publish(folder, plan.output)
    except BuildError as error:
        kept = keep_failed(folder, plan.output, str(error))
        raise BuildError(f"{error}\nThe unfinished run is kept in {shown(kept)}") from None
    except OSError as error:
        raise BuildError(f"The run could not be written: {error}.") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    remove_failed(plan.output)
    return plan.output


def make_plan(root: Path, given: dict, chapters, jobs, output) -> Plan:
    """Check every input before anything is written; raises BookError."""
    pages = read_pages(root)
    chosen = choose(pages, chapters)
    each, defaults = shared_defaults(root, [page for page in pages if page.is_chapter])
    values = defaults | {name: value for name, value in given.items() if value is not None}
    _check_numbers(values, jobs)
    _check_model(values.get("model"))
    values["audio"], file = _check_audio(values)
    injected = {
        name: {key: values[key] for key in own if values[key] != own[key]}
        for name, own in each.items()
    }
    folder = _output(root, output, values)
    return Plan(root, folder, pages, chosen, values, injected, file, jobs or _jobs(len(chosen)))


def _check_numbers(values: dict, jobs) -> None:
    start, segments = values.get("start", 0.0), values.get("segments", 1)
    if not math.isfinite(start) or start < 0:
        raise BookError(f"The start is {start:g} s; it must be 0 or more.")
    if segments < 1:
        raise BookError(f"The number of segments is {segments}; it must be 1 or more.")
    if jobs is not None and jobs < 1:
        raise BookError(f"The number of jobs is {jobs}; it must be 1 or more.")


def _check_model(model) -> None:
    from helpers.network import check_model

    if model is not None:
        check_model(model)


def _check_audio(values: dict) -> tuple[str | None, Path | None]:
    """The audio as the chapters will be told it, and its file; raises BookError."""
    from helpers.audio import clip_names, load_clip

    audio = values.get("audio")
    if audio is None:
        return None, None
    if str(audio) not in clip_names() and Path(audio).expanduser().exists():
        audio = Path(audio).expanduser().absolute()
    # Chapters look at patches of 187 frames, 2.99 s each.
    clip = load_clip(str(audio), offset=values.get("start", 0.0),
                     duration=3.0 * values.get("segments", 1) + 1)
    return str(audio), clip.path


def _jobs(chapters: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().available // BYTES_PER_CHAPTER
    return max(1, min(cores or 1, memory, chapters))


def run_name(audio, model) -> str:
    """A folder name for a run: plain characters only, whatever the audio file is called."""
    stem = Path(str(audio)).stem if audio else "book"
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60]
    if plain != stem:  # odd names that look alike once made plain stay apart
        mark = sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()[:6]
        plain = f"{plain or 'clip'}-{mark}"
    return f"{plain}-{model}" if model else plain


def _output(root: Path, output, values: dict) -> Path:
    """The run's folder; never one that holds anything but an earlier run."""
    if output is None:
        folder = root / "_runs" / run_name(values["audio"], values.get("model"))
    else:
        folder = Path(output).expanduser().resolve()
    if folder.is_relative_to(root / "book") or root.is_relative_to(folder):
        raise BookError(f"The output folder {shown(folder)} would overwrite the book's sources; "
                        "choose another.")
    if folder.is_file():
        raise BookError(f"The output {shown(folder)} is a file; give a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not notes.read(folder):
        raise BookError(f"The output folder {shown(folder)} holds something else than an earlier "
                        "run; choose another, or an empty one.")
    return folder


def _run(plan: Plan, folder: Path, stream) -> None:
    """Make the whole run in `folder`."""
    started = datetime.now(UTC)
    known = notes.known_seconds(plan.output)
    names = [page.name for page in plan.chapters]
    progress = Progress(len(names), {n: known[n] for n in names if n in known}, plan.jobs, stream)
    _copy_sources(plan, folder)
    # Unknown ones first, then the longest: the last to end is then a short one.
    order = sorted(plan.chapters, key=lambda page: -known.get(page.name, math.inf))
    seconds = execute_all(folder, order, plan.injected, plan.jobs, progress)
    path = plan.parameters["audio"] if os.sep in str(plan.parameters["audio"]) else None
    for page in plan.chapters:
        check_outputs(folder / page.file)
        tidy(folder / page.file, path)
    record = {
        "parameters": plan.parameters,
        "chapters": names,
        "started": started.isoformat(timespec="seconds"),
        "seconds": {"chapters": {name: seconds[name] for name in names}},
        "versions": notes.versions(),
        "sha256": _checksums(plan),
    }
    made = folder / "book" / "_generated" / "made.md"
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_text(notes.as_markdown(record), encoding="utf-8")
    progress.say("building the site")
    record["seconds"]["site"] = build_site(folder)
    notes.write(record, folder)
    shutil.rmtree(folder / ".jupyter")
    progress.say(f"site built in {record['seconds']['site']:.1f} s")


def _copy_sources(plan: Plan, folder: Path) -> None:
    """Copy the book into the run: its pages, and every file that is not a notebook."""
    ignored = shutil.ignore_patterns("*.ipynb", ".*", "_generated", "_build", "__pycache__")
    shutil.copytree(plan.root / "book", folder / "book", ignore=ignored)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(plan.root / name, folder / name)
    for page in plan.pages:
        target = folder / page.file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(plan.root / page.file, target)
        if page.is_chapter and page not in plan.chapters:
            mark_as_not_run(target)


def _checksums(plan: Plan) -> dict[str, str]:
    sums = {}
    if plan.audio is not None:
        sums[plan.audio.name] = notes.sha256(plan.audio)
    if plan.parameters.get("model"):
        sums |= notes.weights(plan.parameters["model"])
    for page in plan.chapters:
        sums[page.file.as_posix()] = notes.sha256(plan.root / page.file)
    return sums
