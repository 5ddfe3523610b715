"""What workers do in the tests of a corpus: the real work, and something that goes wrong."""

import os
import signal
import time

from inside_musicnn.corpus.worker import describe

DEADLY = "07.wav"


def slowly(task, group):
    time.sleep(0.5)
    return describe(task, group)


def deadly(task, group):
    if DEADLY in [audio.name for audio in group]:
        os.kill(os.getpid(), signal.SIGKILL)
    return describe(task, group)


def full(task, group):
    raise OSError(28, os.strerror(28))
