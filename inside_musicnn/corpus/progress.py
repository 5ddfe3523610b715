"""Progress over a corpus: files done, files that could not be read, the time left."""

import sys
import time
from collections.abc import Iterable
from typing import TextIO

from inside_musicnn.corpus.files import Audio
from inside_musicnn.corpus.worker import Part
from inside_musicnn.progress import Progress, span

PERIOD = 10.0  # seconds from one line to the next where there is no terminal


class CorpusProgress(Progress):
    """Counts what is done.

    Args:
        files: how many are to be done.
        seconds: how long their audio may last, estimated from their sizes.
        stream: where to print; standard output if None.
    """

    def __init__(self, files: int, seconds: float, stream: TextIO | None = None):
        super().__init__(stream or sys.stdout, every=PERIOD)
        self.files, self.expected = files, seconds
        self.begun = time.monotonic()
        self.done = self.failed = 0
        self.heard = self.behind = 0.0  # seconds of audio: true, and as estimated

    def finished(self, group: Iterable[Audio], part: Part) -> None:
        """One group of files is done."""
        self.done += len(part.done)
        self.failed += len(part.failed)
        self.heard += part.seconds
        self.behind += sum(audio.seconds for audio in group if audio.id in part.done
                           or audio.name in part.failed)
        if self.done + self.failed == self.files:
            self.say(self._line())
        else:
            self.tick()

    def tick(self) -> None:
        """Show where things stand, if it is time."""
        self.show(self._line(), self.behind / self.expected if self.expected else None)

    def _line(self) -> str:
        line = f"[{self.done + self.failed}/{self.files} files]"
        if self.failed:
            line += f" {self.failed} could not be read,"
        line += f" {span(self.heard)} of audio"
        gone, left = time.monotonic() - self.begun, self.expected - self.behind
        if self.behind > 0 and self.done + self.failed < self.files:
            line += f", about {span(gone * left / self.behind)} left"
        return line
