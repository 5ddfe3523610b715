"""One line on the terminal that tells how far long work has come; silent elsewhere."""

import shutil
import sys
import time

from inside_musicnn.file_names import visible

PATIENCE = 1.0  # seconds before the line appears
PERIOD = 0.3  # seconds between two looks of it


class Status:
    """A line on standard error that is written over again and again.

    Args:
        stream: where to write; standard error if None.
    """

    def __init__(self, stream=None):
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.next = time.monotonic() + PATIENCE
        self.drawn = False

    def show(self, name, done, total):
        """Tell that `done` of `total` patches are done; `total` is None where nobody knows."""
        if not self.live or time.monotonic() < self.next:
            return
        self.next = time.monotonic() + PERIOD
        share = f"{min(1.0, done / total):.0%}" if total else f"{done} patches"
        width = shutil.get_terminal_size().columns - len(share) - 4
        self.stream.write(f"\r\033[K{visible(name)[:max(width, 8)]}: {share}")
        self.stream.flush()
        self.drawn = True

    def say(self, sentence):
        """A line that stays."""
        self.clear()
        print(visible(sentence), file=self.stream, flush=True)

    def clear(self):
        """Take the line away."""
        if self.drawn:
            self.stream.write("\r\033[K")
            self.stream.flush()
            self.drawn = False
