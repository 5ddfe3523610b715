"""Holds back what C libraries write to stderr by themselves: readers get sentences instead."""

import os
import sys
from contextlib import contextmanager


@contextmanager
def quiet_stderr():
    """Nothing that is written to file descriptor 2 meanwhile reaches the terminal or the page."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "w") as sink:
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
