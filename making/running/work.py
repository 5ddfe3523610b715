"""What there is to do in a run: each chapter for each recording, with its key."""

import os
from dataclasses import dataclass

from making.running.chapters import Page
from making.running.fingerprint import Fingerprints
from making.running.plan import Plan, Recording, apart
from making.running.title_page import short

LABEL = 24  # characters of a recording's title before a chapter's name


@dataclass
class Work:
    """One chapter about one recording."""

    recording: Recording
    page: Page
    key: str  # of what its outputs depend on, see `making.running.fingerprint`
    label: str  # what progress calls it
    paths: list[str]  # full paths among its parameters; pages show names alone
    done: bool = False
    seconds: float = 0.0  # once it is done
    memory: int = 0  # most bytes that its kernel held
    taken: bool = False  # from an earlier run


def list_work(plan: Plan, fingerprints: Fingerprints) -> list[Work]:
    """The chapters of all recordings; raises InputError if a file that counts cannot be read."""
    work: list[Work] = []
    labels: set[str] = set()
    for recording in plan.recordings:
        before = ""
        if plan.is_several:
            before = apart(short(recording.title, LABEL), labels) + ": "
        values = recording.parameters
        paths = [str(values[name]) for name in ("audio", "corpus")
                 if os.sep in str(values.get(name))]
        for page in plan.chapters:
            own = {name: values.get(name, default)
                   for name, default in plan.own[page.name].items()}
            key = fingerprints.key(page, own, recording.file)
            work.append(Work(recording, page, key, before + page.name, paths))
    return work
