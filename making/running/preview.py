"""What a run says before it begins, and where its time went once it is done."""

from collections.abc import Callable

from inside_musicnn.checksums import files_of
from inside_musicnn.file_names import shown
from inside_musicnn.progress import span
from making.running.estimate import Estimate
from making.running.plan import Plan
from making.running.resume import Store
from making.running.title_page import short
from making.running.work import Work

SLOWEST = 3


def tell_plan(plan: Plan, work: list[Work], store: Store, estimate: Estimate,
              say: Callable[[str], None]) -> None:
    """Say what the run would do, and do nothing."""
    say("This would run; nothing is written now.")
    for recording in plan.recordings:
        if recording.title:
            begin = recording.parameters.get("start", 0.0)
            say(f"recording   {short(recording.title)} ({short(recording.file_name)}), "
                f"{begin:.1f} s to {begin + recording.seconds:.1f} s")
    values = plan.recordings[0].parameters
    for name in values:
        if name not in ("audio", "start"):
            say(f"{name:<11} {values[name]}")
    there = [each for each in work
             if not plan.fresh and store.find(each.key, each.paths) is not None]
    left = [each for each in work if each not in there]
    _tell_list("to execute", left, say)
    _tell_list("from earlier work", there, say)
    say(f"at once     {plan.jobs}")
    names = sorted((each.page.name for each in left), key=lambda name: -estimate.seconds(name))
    say(f"time        about {span(estimate.left([], names))}")
    say(f"output      {shown(plan.output)}"
        + (", in place of what is there" if plan.output.exists() else ""))


def _tell_list(what: str, work: list[Work], say: Callable[[str], None]) -> None:
    say(f"{what}: {len(work)} of the chapters" if work else f"{what}: none")
    for each in work:
        say(f"    {each.label}")


def tell_times(plan: Plan, work: list[Work], seconds: dict[str, float],
               say: Callable[[str], None]) -> None:
    """Say where the time of a run went, in seconds: `chapters`, `sites` and `all`."""
    new = sorted((each for each in work if not each.taken), key=lambda each: -each.seconds)
    rest = max(0.0, seconds["all"] - seconds["chapters"] - seconds["sites"])
    say(f"Where the time went: {span(seconds['all'])} in all")
    worked = sum(each.seconds for each in new)
    if new:
        waiting = max(0.0, seconds["chapters"] - worked / plan.jobs)
        say(f"    chapters  {span(seconds['chapters'])}: {span(worked)} of work, {plan.jobs} at "
            f"once; {span(waiting)} of starting and waiting")
        say("    slowest   " + ", ".join(f"{each.label} {span(each.seconds)}"
                                         for each in new[:SLOWEST]))
    saved = [each for each in work if each.taken]
    if saved:
        say(f"    taken     {len(saved)} of {len(work)} chapters from earlier work, "
            f"{span(sum(each.seconds for each in saved))} saved")
    say(f"    site      {span(seconds['sites'])}")
    say(f"    the rest  {span(rest)}: reading, copying, checking")
    size = sum(file.stat().st_size for file in files_of(plan.output / "site"))
    say(f"The site weighs {size / 1e6:.1f} MB")
