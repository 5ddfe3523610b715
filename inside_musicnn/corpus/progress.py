"""Progress over a corpus: files done, files that could not be read, the time left."""

import sys
import time

from inside_musicnn.progress import span

PERIOD_LIVE, PERIOD = 0.5, 10.0  # seconds from one line to the next: terminal, anything else


class CorpusProgress:
    """One line that is written over on a terminal; elsewhere a line now and then.

    Args:
        files: how many are to be done.
        seconds: how long their audio may last, estimated from their sizes.
        stream: where to print; standard output if None.
    """

    def __init__(self, files, seconds, stream=None):
        self.files, self.expected = files, seconds
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty()
        self.begun = self.shown = time.monotonic()
        self.done = self.failed = 0
        self.heard = self.behind = 0.0  # seconds of audio: true, and as estimated

    def finished(self, group, part):
        """One group of files is done."""
        self.done += len(part.done)
        self.failed += len(part.failed)
        self.heard += part.seconds
        self.behind += sum(audio.seconds for audio in group if audio.id in part.done
                           or audio.name in part.failed)
        self.tick(self.done + self.failed == self.files)

    def tick(self, last=False):
        """Show where things stand, if it is time."""
        now = time.monotonic()
        if not last and now - self.shown < (PERIOD_LIVE if self.live else PERIOD):
            return
        self.shown = now
        print(f"\r\033[K{self._line()}" if self.live else self._line(),
              end="\n" if last or not self.live else "", file=self.stream, flush=True)

    def _line(self):
        line = f"[{self.done + self.failed}/{self.files} files]"
        if self.failed:
            line += f" {self.failed} could not be read,"
        line += f" {span(self.heard)} of audio"
        gone, left = time.monotonic() - self.begun, self.expected - self.behind
        if self.behind > 0 and self.done + self.failed < self.files:
            line += f", about {span(gone * left / self.behind)} left"
        return line
