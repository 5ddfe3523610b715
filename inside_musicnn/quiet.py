"""Holds back what C libraries write to stderr by themselves (readers get sentences instead), and
what nobody reads any more."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_STATE = {"depth": 0, "saved": -1}  # shared: the file descriptor belongs to the process


def _after_fork() -> None:
    """In a child, no other thread is there to restore or to let go of the lock."""
    global _LOCK
    _LOCK = threading.Lock()
    if _STATE["depth"]:
        os.dup2(_STATE["saved"], 2)
        os.close(_STATE["saved"])
        _STATE["depth"] = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


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
            if _STATE["depth"] == 1:
                os.dup2(_STATE["saved"], 2)
                os.close(_STATE["saved"])
            _STATE["depth"] = max(0, _STATE["depth"] - 1)  # a child of a fork has restored


def close_output() -> None:
    """Let what is still to be written to standard output go nowhere, and quietly."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except OSError:  # standard output is not a file, as in a notebook
        pass
