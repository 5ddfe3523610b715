"""How far work has come: lines that stay and, on a terminal, one below them that changes.

The line that changes is drawn by rich. Where there is no terminal, or no rich, lines are plain.
"""

import os
import sys
import time
from typing import Any, Self, TextIO

from inside_musicnn.file_names import visible

PATIENCE = 1.0  # seconds of work before a terminal shows the line
PERIOD = 0.5  # seconds from one look of it to the next
BAR = 24  # columns


def span(seconds: float) -> str:
    """A length of time in words: "45 s", "12 min", "2 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Progress:
    """Tells on one stream how far work has come; as a context, it leaves no line behind.

    Args:
        stream: where to write; standard error if None.
        every: without a terminal, the changing line is printed once in so many seconds; never if
            None.
    """

    def __init__(self, stream: TextIO | None = None, every: float | None = None):
        self.stream = stream or sys.stderr
        self._console = _console(self.stream)
        self._live: Any = None
        self._period = PERIOD if self._console else every
        self._next = time.monotonic() + (PATIENCE if self._console else every or 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, line: str, share: float | None = None) -> None:
        """Change the line, if it is time.

        Args:
            share: between 0 and 1, how much is done; drawn as a bar.
        """
        now = time.monotonic()
        if self._period is None or now < self._next:
            return
        self._next = now + self._period
        if self._console is None:
            self.say(line)
            return
        if self._live is None:
            self._live = _live(self._console)
        self._live.update(_drawn(visible(line), share), refresh=True)

    def say(self, sentence: object) -> None:
        """Print a line that stays."""
        self.clear()
        print(visible(sentence), file=self.stream, flush=True)

    def clear(self) -> None:
        """Take the changing line away."""
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()


def _console(stream: TextIO) -> Any:
    """What draws on a terminal; None for plain lines."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, force_terminal=True, force_jupyter=False)


def _live(console: Any) -> Any:
    from rich.live import Live

    # No thread of its own, and print() stays as it is: answers go to another stream.
    live = Live(console=console, transient=True, auto_refresh=False, redirect_stdout=False,
                redirect_stderr=False)
    live.start()
    return live


def _drawn(line: str, share: float | None) -> Any:
    """The line, cut where the terminal ends, with a bar if the share is known."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    text = Text(line, no_wrap=True, overflow="ellipsis")
    if share is None:
        return text
    done = min(1.0, max(0.0, share))
    grid = Table.grid(padding=(0, 1))
    grid.add_row(ProgressBar(total=1.0, completed=done, width=BAR), f"{done:4.0%}", text)
    return grid
