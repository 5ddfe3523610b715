"""Progress of a run on the terminal; plain lines where there is no terminal."""

import sys
import time

from inside_musicnn.file_names import visible
from inside_musicnn.progress import span
from making.running.estimate import Estimate

WIDTH = 100


class Progress:
    """Tells which chapters are done, which run, and how long the rest may take.

    Args:
        total: number of chapters, those that are taken from earlier work among them.
        estimate: how long chapters take.
        stream: where to print; standard output if None.
    """

    def __init__(self, total: int, estimate: Estimate, stream=None):
        self.total, self.estimate = total, estimate
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty()
        self.running: dict[str, tuple[str, float]] = {}  # label -> chapter's name, its start
        self.waiting: dict[str, str] = {}  # label -> chapter's name, in the order of starting
        self.done = 0
        self.shown = 0.0

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

    def say(self, line: str) -> None:
        """Print one line that stays."""
        self._clear()
        print(visible(line), file=self.stream, flush=True)

    def tick(self) -> None:
        """Refresh the line that shows what is running, at most once in a second."""
        now = time.monotonic()
        if not self.live or not self.running or now - self.shown < 1:
            return
        self.shown = now
        left = self._left()
        names = ", ".join(f"{label} {now - since:.0f} s"
                          for label, (_, since) in self.running.items())
        self._clear()
        line = visible(f"running: {names}")[: WIDTH - len(left)]
        print(line + left, end="", file=self.stream, flush=True)

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

    def _clear(self) -> None:
        if self.live:
            print("\r\033[K", end="", file=self.stream)
