"""Holds back what C libraries write to stderr by themselves: readers get sentences instead."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_STATE = {"depth": 0, "saved": -1}  # shared: the file descriptor belongs to the process


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Nothing that is written to file descriptor 2 meanwhile reaches the terminal or the page.

    Threads may be inside at the same time; the last to leave restores.
    """
    with _LOCK:
        _STATE["depth"] += 1
        if _STATE["depth"] == 1:
            sys.stderr.flush()
            _STATE["saved"] = os.dup(2)
            with open(os.devnull, "w") as sink:
                os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        with _LOCK:
            _STATE["depth"] -= 1
            if _STATE["depth"] == 0:
                os.dup2(_STATE["saved"], 2)
                os.close(_STATE["saved"])
