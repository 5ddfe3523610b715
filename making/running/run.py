"""A run: chapters executed with given parameters, and the website made of them.

The sources are only read. A run is made in a temporary folder beside its place and moved there
at the end, so that a run that fails or is stopped leaves an older one as it was. Each chapter is
kept as soon as it is done, so the next run takes it up: see `making.running.resume`.
"""

import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from inside_musicnn.errors import InputError, RunError
from inside_musicnn.file_names import shown, visible
from making.running import manifest as notes
from making.running.chapters import check_outputs, mark_as_not_run, tidy
from making.running.estimate import GUESS, Estimate
from making.running.execute import Task, execute_all
from making.running.fingerprint import Fingerprints
from making.running.finish_site import finish_site
from making.running.folders import keep_failed, new_folder, publish, remove_failed
from making.running.launch_buttons import add_launch_buttons
from making.running.lighter_site import sizes
from making.running.plan import Plan, Recording, make_plan
from making.running.preview import tell_plan, tell_times
from making.running.progress import RunProgress
from making.running.resume import Store
from making.running.several import add_switch, gather, place
from making.running.site import build_site
from making.running.title_page import name_recording, read_config, short, write_card, write_config
from making.running.work import Work, list_work

ROOT = Path(__file__).resolve().parents[2]
DONE = Path("_runs", ".done")  # executed chapters, of whatever run


class Stopped(KeyboardInterrupt):
    """The reader stopped the run; says what is kept."""


def build(root: str | Path = ROOT, *, audio: str | Sequence[str] | None = None,
          model: str | None = None, start: float | None = None, segments: int | None = None,
          corpus: str | Path | None = None, chapters: str | None = None, jobs: int | None = None,
          output: str | Path | None = None, fresh: bool = False, dry_run: bool = False,
          damaged: bool = False, stream: TextIO | None = None) -> Path:
    """Execute the chapters, build the site, and return the run's folder.

    Args:
        root: the project: `_toc.yml`, `_config.yml` and `book/`.
        audio: a name in data/, or a path; or a list of them, for one site that compares them. This
            and the next three: the chapters' own if None.
        model: "MSD_musicnn" or "MTT_musicnn".
        start: where in the audio to begin, in seconds.
        segments: how many segments of about 3 s the chapters look at.
        corpus: the folder of a data set, for the chapters that read one.
        chapters: numbers or names with commas between; all if None.
        jobs: chapters executed at once; as many as cores and memory allow if None.
        output: the run's folder; `_runs/<clip>-<model>` if None.
        fresh: execute every chapter, whatever earlier runs have done.
        dry_run: only say what would be done.
        damaged: read recordings in which sound is lost; it is silence then.
        stream: where progress is printed; standard output if None.

    Raises:
        InputError: an input is wrong, or the disk is full; nothing is left of the run.
        RunError: a chapter or the site failed; an earlier run in `output` is as it was.
        Stopped: the reader pressed Ctrl-C; so it is then, too.
    """
    given = {"audio": audio, "model": model, "start": start, "segments": segments}
    plan = make_plan(Path(root).resolve(), given, chapters=chapters, jobs=jobs, output=output,
                     fresh=fresh, corpus=corpus, damaged=damaged)
    run = _Run(plan, stream)
    if dry_run:
        tell_plan(plan, run.work, run.store, run.estimate, run.progress.say)
        return plan.output
    try:
        with run.progress, new_folder(plan.output) as folder:
            try:
                run.make(folder)
            except RunError as error:
                kept = keep_failed(folder, plan.output, str(error))
                raise RunError(f"{error}\nThe unfinished run is kept in {shown(kept)}"
                                 f"{run.resumable()}") from None
    except (InputError, BrokenPipeError):  # the latter: nobody reads the progress any more
        raise
    except OSError as error:
        raise InputError(f"The run could not be written: {error}{run.resumable()}.") from None
    except KeyboardInterrupt:
        raise Stopped(f"Stopped; the site was not changed{run.resumable()}.") from None
    finally:
        run.store.prune({work.key for work in run.work})
    remove_failed(plan.output)
    return plan.output


class _Run:
    """One run on its way."""

    def __init__(self, plan: Plan, stream: TextIO | None):
        self.plan = plan
        self.started, self.begin = datetime.now(UTC), time.monotonic()
        self.fingerprints = Fingerprints(plan.root)
        self.work = list_work(plan, self.fingerprints)
        self.store = Store(plan.root / DONE)
        site = notes.known_site_seconds(plan.output) or GUESS
        sizes = {page.name: (plan.root / page.file).stat().st_size for page in plan.chapters}
        self.estimate = Estimate(sizes, notes.known_seconds(plan.output), plan.jobs,
                                 after=site * len(plan.recordings))
        self.progress = RunProgress(len(self.work), self.estimate, stream)
        self.seconds: dict[str, float] = {}  # of the phases of this run
        self.can_keep = True

    def make(self, folder: Path) -> None:
        """Make the whole run in `folder`, and publish it unless it is there already."""
        for recording in self.plan.recordings:
            if recording.silent:
                self.progress.say(f"{short(recording.title)} is silent where the chapters look at "
                                  "it; they go on, and tell of no music.")
            for note in recording.notes:
                print(visible(note), file=sys.stderr)
            self._copy_sources(recording, place(self.plan, recording, folder))
        self._chapters(folder)
        made_of = notes.made_of(folder, self.fingerprints.software)
        if self._is_there(made_of):
            self.progress.say("Nothing has changed since this site was made; it stays as it is.")
            return
        records = {each.name: self._record(each) for each in self.plan.recordings}
        begin = time.monotonic()
        for recording in self.plan.recordings:
            self._site(recording, place(self.plan, recording, folder), records[recording.name])
        if self.plan.is_several:
            gather(self.plan, folder)
        self.seconds["sites"] = time.monotonic() - begin
        self.seconds["all"] = time.monotonic() - self.begin
        notes.write(notes.together(records, self.seconds, made_of, folder), folder)
        publish(folder, self.plan.output)
        tell_times(self.plan, self.work, self.seconds, self.progress.say)

    def _copy_sources(self, recording: Recording, folder: Path) -> None:
        """Copy the book into the run: its pages, and every file that is not a notebook."""
        root, pages, chosen = self.plan.root, self.plan.pages, self.plan.chapters
        ignored = shutil.ignore_patterns("*.ipynb", ".*", "_generated", "_build", "__pycache__")
        shutil.copytree(root / "book", folder / "book", ignore=ignored)
        shutil.copyfile(root / "_toc.yml", folder / "_toc.yml")
        config = read_config(root)
        name_recording(config, recording.title)
        add_launch_buttons(config)
        if self.plan.is_several:
            add_switch(config, self.plan.recordings, recording, folder)
        write_config(config, folder)
        write_card(recording, folder)
        for page in pages:
            target = folder / page.file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / page.file, target)
            if page.is_chapter and page not in chosen:
                mark_as_not_run(target)

    def _chapters(self, folder: Path) -> None:
        """Take what earlier runs have done, and execute the rest."""
        begin = time.monotonic()
        for work in self.work:
            target = place(self.plan, work.recording, folder) / work.page.file
            entry = None if self.plan.fresh else self.store.take(work.key, target, work.paths)
            if entry is not None:
                work.seconds, work.memory = entry["seconds"], entry["memory"]
                work.done = work.taken = True
                self.progress.taken(work.label, work.seconds)
        left = {work.label: work for work in self.work if not work.taken}
        tasks = [Task(place(self.plan, work.recording, folder), work.page,
                      work.recording.injected[work.page.name], work.label)
                 for work in sorted(left.values(), key=self._seconds, reverse=True)]
        execute_all(tasks, self.plan.jobs, self.progress,
                    lambda task, *took: self._finish(left[task.label], task, *took))
        self.seconds["chapters"] = time.monotonic() - begin
        for recording in self.plan.recordings:
            shutil.rmtree(place(self.plan, recording, folder) / ".jupyter", ignore_errors=True)

    def _seconds(self, work: Work) -> float:
        """How long it may take; the longest come first, so that the last to end is a short one."""
        return self.estimate.seconds(work.page.name)

    def _finish(self, work: Work, task: Task, seconds: float, memory: int) -> None:
        """Check a chapter that was just executed, make it tidy, and keep it."""
        file = task.folder / task.page.file
        check_outputs(file)
        tidy(file, work.paths)
        work.seconds, work.memory, work.done = seconds, memory, True
        if self.can_keep and not self.store.keep(work.key, file, seconds, memory, work.paths):
            self.can_keep = False
            self.progress.say(f"Chapters cannot be kept in {shown(self.store.folder)} for a later "
                              "run.")

    def _is_there(self, made_of: str) -> bool:
        """Whether the site that this run would make stands in its place, whole."""
        if self.plan.fresh or not all(work.taken for work in self.work):
            return False
        old = notes.read(self.plan.output)
        return (old.get("made_of") == made_of
                and old.get("holds") == notes.holds(self.plan.output))

    def _record(self, recording: Recording) -> dict:
        work = [each for each in self.work if each.recording is recording]
        return {
            "title": recording.title,
            "parameters": recording.parameters,
            "chapters": [each.page.name for each in work],
            "started": self.started.isoformat(timespec="seconds"),
            "jobs": self.plan.jobs,
            "seconds": {"chapters": {each.page.name: each.seconds for each in work}},
            "memory": {each.page.name: each.memory for each in work},
            "taken": [each.page.name for each in work if each.taken],
            "versions": notes.versions(),
            "sha256": notes.checksums(self.plan.root, recording, work),
        }

    def _site(self, recording: Recording, folder: Path, record: dict) -> None:
        made = folder / "book" / "_generated" / "made.md"
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(notes.as_markdown(record, self.seconds["chapters"]), encoding="utf-8")
        about = f" about {short(recording.title)}" if self.plan.is_several else ""
        self.progress.say(f"building the site{about}")
        begin = time.perf_counter()
        build_site(folder)
        finish_site(self.plan.root, folder / "site")
        record["seconds"]["site"] = round(time.perf_counter() - begin, 2)
        record["bytes"] = sizes(folder / "site")

    def resumable(self) -> str:
        """What is said when the run ends early."""
        done = sum(work.done for work in self.work)
        if not done or not self.can_keep:
            return ""
        return (f"; {done} of {len(self.work)} chapters are done and kept: "
                "run the same again to go on from there")
