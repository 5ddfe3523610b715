"""The ledger on another processor: the same verdicts and sentences, but for last digits."""

import json
import os
import platform
import re
import subprocess
import sys

import numpy as np
import pytest
from arithmetic.processors import environment
from conftest import ROOT

CLIPS = ("disco", "lucky_13")
SEGMENTS = 2
NUMBER = re.compile(r"[+−-]?\d+(?:\.\d+)?(?: · 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
ASK = """
import json, sys
from helpers.evidence import Context, ledger
from inside_musicnn import load_clip
found = {}
for name in sys.argv[2:]:
    context = Context(load_clip(name, segments=int(sys.argv[1])), int(sys.argv[1]))
    found[name] = [[each.claim.id, each.verdict, each.ours] for each in ledger(context)]
json.dump(found, sys.stdout)
"""


def asked(processor=None):
    """The ledger of each clip in a process of its own: lists of claim, verdict and sentence."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(SEGMENTS), *CLIPS], cwd=ROOT, text=True, check=True,
        capture_output=True, env=environment(processor) if processor else None)
    return json.loads(done.stdout)


def number(text):
    """A printed number, and what one step of its last digit is."""
    mantissa, _, power = text.replace("−", "-").partition(" · 10")
    factor = 10.0 ** int(power.translate(RAISED) or 0)
    decimals = len(mantissa.partition(".")[2])
    return float(mantissa) * factor, 10.0**-decimals * factor


def alike(one, other):
    """Whether two sentences have the same words, and numbers that rounding may tell apart."""
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(np.isclose(a, b, rtol=0, atol=1.01 * max(steps)) for (a, b), steps in (
        zip(number(first), number(second), strict=True) for first, second in pairs))


def test_sentences_are_compared_as_they_should_be():
    assert alike("rows 5 and 33, 0.41", "rows 5 and 33, 0.42")
    assert alike("at most 9.9 · 10⁻⁵", "at most 1.0 · 10⁻⁴")
    assert not alike("0.41 s", "0.43 s")
    assert not alike("at most 2 · 10⁻⁵", "at most 2 · 10⁻⁴")
    assert not alike("0.41: so", "0.41: not so")


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"),
                    reason="what can be imitated here is of the kind x86-64")
@pytest.mark.skipif("ONEDNN_MAX_CPU_ISA" in os.environ, reason="imitated already")
def test_verdicts_and_sentences_are_the_same():
    here, elsewhere = asked(), asked("nehalem")
    for clip in CLIPS:
        assert len(here[clip]) > 40
        for one, other in zip(here[clip], elsewhere[clip], strict=True):
            assert one[:2] == other[:2], (clip, one, other)
            assert alike(one[2], other[2]), (clip, one, other)
