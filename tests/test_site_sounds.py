"""Every sound in the built site says what it is and whose, and is what it says."""

import base64
import html
import io
import json
import re

import numpy as np
import pytest
import soundfile
import soxr
from conftest import ROOT
from scipy.signal import correlate

from inside_musicnn.atlas import BEST
from making.recordings.packages import licences

ENTRIES = json.loads((ROOT / "data" / "recordings.json").read_text(encoding="utf-8"))
PLAYER = re.compile(r'<audio\s[^>]*?aria-label="([^"]*)"[^>]*?'
                    r'src="data:audio/[^;]*;base64,([^"]*)"')
CHANGED = re.compile("made again|backwards|blocks|smallest change|scaled|without|louder|quieter")
RATE = 4_000  # Hz: enough to know a piece again
SHORTEST = 1.0  # s


@pytest.fixture(scope="module")
def sounds(built_site):
    """Page, label and bytes of every player of the site."""
    return [(page.name, html.unescape(label), base64.b64decode(sound))
            for page in sorted((built_site / "site" / "book").glob("*.html"))
            for label, sound in PLAYER.findall(page.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def shipped():
    return {entry["name"]: slow(ROOT / "data" / entry["file"]) for entry in ENTRIES}


def slow(file):
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, RATE)


def named(label):
    """The shipped recording that a label names: title, author and licence."""
    return [entry for entry in ENTRIES if entry["title"] in label and entry["author"] in label
            and entry["licence"] in label]


def likeness(part, whole):
    """Largest correlation of a part with any stretch of its length of the whole."""
    part, whole = part[:len(whole)], np.pad(whole, len(part) // 4)
    energy = np.convolve(whole ** 2, np.ones(len(part)), mode="valid")
    products = correlate(whole, part, mode="valid", method="fft")
    return float((products / np.sqrt(np.maximum(energy, 1e-9) * (part ** 2).sum())).max())


def test_every_page_with_sound_is_seen(built_site, sounds):
    pages = list((built_site / "site" / "book").glob("*.html"))
    count = sum(page.read_text(encoding="utf-8").count("<audio") for page in pages)
    assert count == len(sounds) > 60
    files = {file.stem for file in (built_site / "site").rglob("*")
             if file.suffix.lower() in {".ogg", ".mp3", ".wav", ".flac", ".opus", ".m4a"}}
    made = {file.stem for file in BEST.glob("*.mp3")}  # from the weights: no music
    assert len(made) == 16 and files == made | {entry["name"] for entry in ENTRIES}


def test_every_sound_says_what_it_is(sounds):
    silent = [(page, label) for page, label, _ in sounds
              if "synthesised" not in label and not ("recording" in label and named(label))]
    assert not silent


def test_licences_of_sounds_allow_it(sounds):
    """None of the GPL's above all: its numbers may be told, its sound not."""
    assert not [label for _, label, _ in sounds if "GPL" in label]
    allowed = {name for name, licence in licences().items() if licence.ship}
    assert {entry["licence"] for _, label, _ in sounds for entry in named(label)} <= allowed


def test_recordings_are_the_shipped_ones(sounds, shipped):
    """By its samples: what is heard as a recording is a stretch of the excerpt in data/."""
    strange = []
    for page, label, sound in sounds:
        if "recording" not in label or CHANGED.search(label):
            continue
        part = slow(io.BytesIO(sound))
        assert len(part) >= SHORTEST * RATE
        if max(likeness(part, shipped[entry["name"]]) for entry in named(label)) < 0.7:
            strange.append((page, label))
    assert not strange


def test_another_recording_is_told_apart(shipped):
    first, second, *_ = shipped.values()
    assert likeness(first[8_000:20_000], first) > 0.99
    assert likeness(second[8_000:20_000], first) < 0.5
