"""Run by a Python that has the wheel and what it needs, and nothing of the book.

    python asked_of_wheel.py FOLDER_OF_AUDIO ANSWERS.npz

Writes what the library answers, as arrays; what must hold there and then is asserted.
"""

import importlib.util
import json
import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

import inside_musicnn
from inside_musicnn import InputError, Tagger, extractor

MODELS = ("MSD_musicnn", "MTT_musicnn")
FOREIGN = ("tensorflow", "librosa", "scipy", "musicnn", "pyarrow", "distributed", "av", "zarr",
           "psutil", "threadpoolctl", "rich", "helpers", "making")


def refused(ask):
    """The one sentence."""
    try:
        ask()
    except InputError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def in_a_fork(ask):
    """What a forked process answers, as an array."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(ask().tobytes())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        found = np.frombuffer(pipe.read(), np.float32).reshape(-1, 50)
    assert os.waitpid(child, 0)[1] == 0
    return found


def in_threads(ask, count=3):
    """What several threads are answered at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(ask) for _ in range(count)]]


def main(folder, answers):
    there = [name for name in FOREIGN if importlib.util.find_spec(name)]
    assert not there, there
    assert "site-packages" in inside_musicnn.__file__, inside_musicnn.__file__
    found = {}
    for model in MODELS:
        tagger = Tagger(model)
        for file in sorted(Path(folder).iterdir()):
            found[f"{model}/{file.name}/taggram"] = tagger.taggram(file)
        file = str(Path(folder) / "disco.ogg")
        taggram, labels, features = extractor(file, model)
        assert labels == list(tagger.labels)
        found |= {f"{model}/extractor/{key}": values
                  for key, values in {"taggram": taggram, **features}.items()}
        again = pickle.loads(pickle.dumps(tagger))
        samples, rate = soundfile.read(file, dtype="float32")
        ways = {"samples": lambda t=tagger, s=samples, r=rate: t.taggram(s, r),
                "pickled": lambda t=again, f=file: t.taggram(f),
                "forked": lambda t=tagger, f=file: in_a_fork(lambda: t.taggram(f))}
        found |= {f"{model}/{name}": ask() for name, ask in ways.items()}
        together = in_threads(lambda t=tagger, f=file: t.taggram(f))
        found |= {f"{model}/thread {number}": each for number, each in enumerate(together)}
        part = tagger.contributions(samples[: 4 * rate], "rock", rate)
        found[f"{model}/sum"] = part.values.sum(axis=(1, 2)) + part.constants - part.logits
    found["sentences"] = np.array(json.dumps({
        "corpus": refused(lambda: inside_musicnn.make_corpus(folder, "out")),
        "original": refused(lambda: inside_musicnn.MusiCNN("MSD_musicnn")),
        "clip": refused(lambda: Tagger().tags("disco")),
    }))
    np.savez(answers, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
