"""A small sample of what `python -m tests.fuzz` does with 2,000 files of each format."""

import os
import re
import subprocess
import sys

import fuzz
import numpy as np
import pytest
from conftest import ROOT

SAMPLE = 5  # files of each format


def test_mutated_files_get_an_answer_or_a_sentence():
    done = subprocess.run([sys.executable, "-m", "tests.fuzz", "--count", str(SAMPLE)], cwd=ROOT,
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.findall(r"(\d+) answered, (\d+) refused, 0 wrong", done.stdout)
    assert len(counts) == 16 and all(int(a) + int(b) == SAMPLE for a, b in counts)
    answered, refused = (sum(map(int, each)) for each in zip(*counts, strict=True))
    assert answered > 10 and refused > 10, "mutations are neither harmless nor all deadly"


@pytest.mark.parametrize("name, number, said", [
    ("float.wav", 909, "not a number or infinite"),  # of more than two channels
    ("faststart.mp4", 702, "too short"),  # a packet that speaks of 54 channels: the process died
    ("faststart.mp4", 1305, "is lost and read as silence"),  # or 24
])
def test_a_file_that_was_wrong_once(tmp_path, name, number, said):
    done = subprocess.run([sys.executable, "-m", "tests.fuzz", "--only", str(number), name],
                          cwd=ROOT, capture_output=True, text=True, timeout=600,
                          env=os.environ | {"TMPDIR": str(tmp_path)})
    assert done.returncode == 0 and said in done.stdout


SENTENCE = "The file 'x' cannot be read as audio.\n"


@pytest.mark.parametrize("code, out, err, what", [
    (0, "1 patch", "", ""), (0, "1 patch", SENTENCE, ""), (2, "", SENTENCE, ""),
    (-9, "", "", "too long"), (-24, "", "", "too long"), (-11, "", "", "exit code -11"),
    (1, "", SENTENCE, "exit code 1"),
    (2, "", "Traceback (most recent call last):\n", "not a sentence"),
    (2, "", SENTENCE + SENTENCE, "more or less"), (2, "", "", "more or less"),
    (2, "1 patch", SENTENCE, "more or less"), (0, "", "", "no answer"),
    (0, "1 patch", "[mp3] Header missing\n", "not a sentence")])
def test_what_counts_as_wrong(code, out, err, what):
    found = fuzz.wrong(code, out, err)
    assert (what in found) if what else not found


def test_the_same_seed_makes_the_same_files():
    whole = bytes(range(256)) * 40
    first, again, other = (fuzz.mutated(whole, np.random.default_rng([15, number]), [whole])
                           for number in (1, 1, 2))
    assert first == again and first != other and first != whole
