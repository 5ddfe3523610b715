"""Progress of a run: which chapters are done, which run, how long the rest may take."""

import sys
import time
from typing import TextIO

from inside_musicnn.progress import Progress, span
from making.running.estimate import Estimate


class RunProgress(Progress):
    """Tells of chapters.

    Args:
        total: number of chapters, those that are taken from earlier work among them.
        estimate: how long chapters take.
        stream: where to print; standard output if None.
    """

    def __init__(self, total: int, estimate: Estimate, stream: TextIO | None = None):
        super().__init__(stream or sys.stdout)
        self.total, self.estimate = total, estimate
        self.running: dict[str, tuple[str, float]] = {}  # label -> chapter's name, its start
        self.waiting: dict[str, str] = {}  # label -> chapter's name, in the order of starting
        self.done = 0

    def taken(self, label: str, seconds: float) -> None:
        """A chapter is there from earlier work, where it took so many seconds."""
        self.done += 1
        self.say(f"{self._count()} {label:<20} taken from earlier work ({seconds:.1f} s saved)")

    def expect(self, chapters: dict[str, str]) -> None:
        """These chapters will be executed: label -> name."""
        self.waiting = dict(chapters)
        if chapters:
            self.say(f"{len(chapters)} to execute{self._left()}")

    def started(self, label: str) -> None:
        self.running[label] = (self.waiting.pop(label), time.monotonic())

    def finished(self, label: str, seconds: float) -> None:
        name, _ = self.running.pop(label)
        self.estimate.learn(name, seconds)
        self.done += 1
        self.say(f"{self._count()} {label:<20} done in {seconds:.1f} s{self._left()}")

    def tick(self) -> None:
        """Show what is running, if it is time."""
        if self.running:
            now = time.monotonic()
            names = ", ".join(f"{label} {now - since:.0f} s"
                              for label, (_, since) in self.running.items())
            self.show(f"{self._left().removeprefix(', ')}; running: {names}",
                      self.done / self.total)

    def _count(self) -> str:
        return f"[{self.done}/{self.total}]"

    def _left(self) -> str:
        """Words on the time left."""
        if not (self.running or self.waiting):
            return ""
        now = time.monotonic()
        running = [(name, now - since) for name, since in self.running.values()]
        left = self.estimate.left(running, list(self.waiting.values()))
        return f", about {span(left)} left"
