"""Progress of a run on the terminal; plain lines where there is no terminal."""

import sys
import time


class Progress:
    """Tells which chapters are done, which run, and how long the rest may take.

    Args:
        total: number of chapters.
        known: seconds per chapter of an earlier run, to estimate the time left.
        jobs: how many chapters run at once.
        stream: where to print; standard output if None.
    """

    def __init__(self, total: int, known: dict, jobs: int, stream=None):
        self.total, self.known, self.jobs = total, known, jobs
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty()
        self.running: dict[str, float] = {}
        self.done = 0
        self.left = dict(known)
        self.shown = 0.0

    def started(self, name: str) -> None:
        self.running[name] = time.monotonic()

    def finished(self, name: str, seconds: float) -> None:
        self.running.pop(name)
        self.left.pop(name, None)
        self.done += 1
        self.say(f"[{self.done}/{self.total}] {name:<20} done in {seconds:.1f} s{self._left()}")

    def say(self, line: str) -> None:
        """Print one line that stays."""
        self._clear()
        print(line, file=self.stream, flush=True)

    def tick(self) -> None:
        """Refresh the line that shows what is running, at most once in a second."""
        now = time.monotonic()
        if not self.live or not self.running or now - self.shown < 1:
            return
        self.shown = now
        names = ", ".join(f"{name} {now - since:.0f} s" for name, since in self.running.items())
        self._clear()
        print(f"running: {names}{self._left()}"[:100], end="", file=self.stream, flush=True)

    def _left(self) -> str:
        """Words on the time left, if every chapter that is left has been timed before."""
        waiting = self.total - self.done - len(self.running)
        timed = [name for name in self.left if name not in self.running]
        if not self.left or len(timed) < waiting or not set(self.running) <= set(self.left):
            return ""
        now = time.monotonic()
        rest = [max(0.0, self.left[name] - (now - since)) for name, since in self.running.items()]
        rest += [self.left[name] for name in timed]
        guess = max(sum(rest) / self.jobs, max(rest, default=0.0))
        return f", about {guess:.0f} s left" if self.done < self.total else ""

    def _clear(self) -> None:
        if self.live:
            print("\r\033[K", end="", file=self.stream)
