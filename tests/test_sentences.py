"""Sentences that are true of some music only: whether each page says them where they are true.

The text of the built pages of two runs, other music and another network, against conditions that
are computed here from the tensors, by other code than the chapters'.
"""

import json
import re
from functools import cached_property

import numpy as np
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

from inside_musicnn import MusiCNN, load_clip
from inside_musicnn.network.units import constants, live_rows, live_units

MEL_LIMIT = np.log10(65520.0 + 1)  # dB mel value above which float16 overflows


class Heard:
    """What a run was made with, and what the networks make of it."""

    def __init__(self, run):
        self.run = run
        given = json.loads((run / "manifest.json").read_text())["parameters"]
        self.model, self.segments = given["model"], given["segments"]
        self.clip = load_clip(given["audio"], offset=given["start"], segments=self.segments)
        self.patches = self.clip.patches()
        self.net = MusiCNN(self.model, compact=True)
        self.msd = MusiCNN("MSD_musicnn", compact=True)
        self.live = live_units(self.msd, "cnn_4")

    @cached_property
    def second(self):
        """Tensors of the second stage of MSD, patches joined over time."""
        names = [f"cnn_{number}/{step}" for number in (2, 3, 4) for step in ("relu", "norm")]
        return {name: values.reshape(-1, values.shape[-1]).astype(float)
                for name, values in self.msd.activations(self.patches, names).items()}

    @cached_property
    def tags(self):
        return self.net.tags(self.patches).mean(axis=0)

    @cached_property
    def on(self):
        """Share of the frames in which each unit of CNN_4 is above zero."""
        return np.count_nonzero(self.second["cnn_4/relu"] > 0, axis=0) / len(
            self.second["cnn_4/relu"])

    @cached_property
    def moving(self):
        """How many dead rows of MSD leave their constants; the original network tells."""
        net = MusiCNN("MSD_musicnn")
        dead = np.setdiff1d(np.arange(561), live_rows(net))
        u = net.activations(self.patches, "cnn_1/out")["cnn_1/out"]
        return int((np.ptp(np.r_[u.reshape(-1, 561), constants(net)[None]], axis=0)[dead]
                    > 1e-5).sum())

    def loudest_unit(self, step):
        values = self.second[f"cnn_4/{step}"]
        return int(values.max(axis=0).argmax())

    def silence(self):
        quiet = np.zeros((1, *self.patches.shape[1:]), np.float32)
        return self.net.labels[int(self.net.tags(quiet)[0].argmax())]


def opposite_reasons(heard, _):
    return heard.on[5] > 0.9 and heard.on[53] < 0.5


def quiet_most_of_the_time(heard, _):
    return np.sort(heard.on[heard.live])[len(heard.live) // 2] < 0.5


def never_near_zero(heard, _):
    units = heard.second["cnn_4/relu"]
    highest = units[:, np.argsort(units.mean(axis=0))[-2:]]
    return highest.min() > units.max() / 10


def alone_after(heard, match):
    energy = [np.square(heard.second[f"cnn_{number}/norm"][:, 34]).sum() for number in (2, 3, 4)]
    first, second = np.argsort(energy)[::-1][:2]
    return energy[first] > 100 * energy[second] and (match is None or int(match[1]) == first + 2)


def same_unit(heard, _):
    return heard.loudest_unit("relu") == heard.loudest_unit("norm")


def brightest_three(heard, match):
    rows = {int(row) for row in re.findall(r"\d+", match[1])}
    return (rows == {5, 33, 59}) == (match[2] == "holds")


def rising_sound(heard, match):
    """Where the maxima fall, by the live series of the page's network."""
    found, ratio = heard.net.activations(heard.patches, "stage_2/out")["stage_2/out"], []
    for patch, series in zip(heard.patches.astype(float), found, strict=True):
        moves = np.flatnonzero(np.ptp(series, axis=0) > 1e-3)
        rises = np.clip(np.diff(patch, axis=0, prepend=patch[:1]), 0, None).sum(axis=1)
        places = series[:, moves].argmax(axis=0)
        places = places[(places >= 12) & (places < 175)]
        ratio += [(rises[places].sum(), len(places), rises[12:-12].mean())]
    at, count, mean = map(np.array, zip(*ratio, strict=True))
    more = at.sum() > count.sum() * mean.mean()
    return more if match[1] == "More" else not more


def level_decides(heard, match):
    level, shape = (abs(float(match[name].replace("−", "-"))) for name in ("level", "shape"))
    return (shape > level) == ("shape that" in match["said"])


# chapter, what it says, whether that is so; with a page that does not say it, it must not be so
ALWAYS_TOLD = [
    ("03_input", r"no power is large enough to overflow",
     lambda heard, _: heard.patches.max() < MEL_LIMIT),
    ("09_first_stage", r"still follows? the input a little", lambda heard, _: heard.moving > 0),
    ("12_cnn_4", r"They are dark for opposite reasons", opposite_reasons),
    ("12_cnn_4", r"around which most are quiet most of the time", quiet_most_of_the_time),
    ("12_cnn_4", r"they never come near zero", never_near_zero),
    ("12_cnn_4", r"it is active after CNN_(\d) alone", alone_after),
    ("12_cnn_4", r"the same unit of MSD_musicnn holds the largest value before", same_unit),
    ("13_pooling", r"One segment has no order", lambda heard, _: len(heard.patches) == 1),
]

# the same, of what need not be told
TOLD = [
    ("08_time_series", r"contributes is (?P<level>[+−-][\d.]+); what its shape, the deviations "
     r"from that mean, contributes is (?P<shape>[+−-][\d.]+)\. (?P<said>Here [^.]+)",
     level_decides),
    ("12_cnn_4", r"On this clip the largest value before and the largest after are of different",
     lambda heard, match: not same_unit(heard, match)),
    ("12_cnn_4", r"on this clip none is far above the others",
     lambda heard, match: not alone_after(heard, None)),
    ("13_pooling", r"(More|Fewer) of them than by chance fall where the sound rises", rising_sound),
    ("14_dense_tags", r"Silence is ([\w -]+?) to M.._musicnn, with",
     lambda heard, match: match[1] == heard.silence()),
    ("15_from_tags_to_structures", r"M.._musicnn answers ([\w -]+?) \(\d",
     lambda heard, match: match[1] == heard.net.labels[heard.tags.argmax()]),
    ("claims", r"This page was made with .+? \(([^)]+)\)\. Of",
     lambda heard, match: match[1] == (heard.clip.kind or "a file from outside the book")),
    ("claims", r"the three brightest: ([\d, and]+); it (holds|does not hold) here",
     brightest_three),
]

# what was once said of all music, and is so of none that we heard
NEVER = [
    ("01_system", r"one speaks of style and time, the other of instruments"),
    ("12_cnn_4", r"by far the brightest"),
    ("12_cnn_4", r"none in MTT"),
    ("12_cnn_4", r"near or below the line"),
    ("12_cnn_4", r"the third is far more active"),
]
CHAPTERS = sorted({place for place, *_ in ALWAYS_TOLD + TOLD + NEVER})


def page_text(run, chapter):
    """The words of a built page, without code; alternative texts of figures are words."""
    page = BeautifulSoup((run / "site" / "book" / f"{chapter}.html").read_text(), "html.parser")
    article = page.find("article")
    for code in article.find_all("pre"):
        code.decompose()
    for image in article.find_all("img"):
        image.replace_with(f" {image.get('alt', '')} ")
    return re.sub(r"\s+", " ", article.get_text())


def untrue(text, chapter, heard):
    """What a page says though it is not so, or does not say though it is."""
    wrong = [pattern for place, pattern in NEVER if place == chapter and re.search(pattern, text)]
    for listed, told in ((ALWAYS_TOLD, True), (TOLD, False)):
        for place, pattern, is_so in listed:
            match = re.search(pattern, text) if place == chapter else None
            if match and not is_so(heard, match):
                wrong.append(match[0])
            elif told and place == chapter and not match and is_so(heard, None):
                wrong.append(f"not said: {pattern}")
    return wrong


@pytest.fixture(scope="module")
def runs(built_site, other_run):
    return {"default": Heard(built_site), "other": Heard(other_run)}


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("name", ["default", "other"])
def test_what_a_page_says_is_so(runs, name, chapter):
    heard = runs[name]
    assert untrue(page_text(heard.run, chapter), chapter, heard) == []


@pytest.mark.parametrize("place, pattern", [entry[:2] for entry in ALWAYS_TOLD + TOLD])
def test_patterns_are_of_sentences_that_are_there(place, pattern):
    """A sentence that is worded anew is not forgotten here."""
    files = [ROOT / "book" / f"{place}.ipynb", ROOT / "helpers" / "evidence" / "claims.yml"]
    source = re.sub(r"[*`\\]", "", "".join(file.read_text(encoding="utf-8") for file in files))
    words = re.split(r"M\.\._musicnn|\(.*?\)|\[.*?\]|\\.|[?+.|]{1,3}", pattern)
    literal = max(words, key=len)
    assert literal.strip() in source, literal


class Planted(Heard):
    """A run in which CNN_4's units follow one another in size, and the last is the loudest."""

    def __init__(self):
        rows = np.tile(np.arange(64.0), (187, 1))
        self.second = {f"cnn_{number}/{step}": rows for number in (2, 3, 4)
                       for step in ("relu", "norm")}
        self.second["cnn_4/norm"] = rows[:, ::-1]
        self.on, self.live = np.full(64, 0.4), np.arange(64)


@pytest.mark.parametrize("planted", [
    "They are dark for opposite reasons: so it was.",
    "Here the same unit of MSD_musicnn holds the largest value before and after.",
    "Row 34: it is active after CNN_3 alone.", "The third is by far the brightest."])
def test_a_false_sentence_is_found(planted):
    heard, place = Planted(), "12_cnn_4"
    assert any(said in planted for said in untrue(planted, place, heard))


def test_a_sentence_that_is_missing_is_found():
    missing = [said for said in untrue("", "12_cnn_4", Planted()) if said.startswith("not said")]
    assert len(missing) == 2 and "quiet most of the time" in missing[0]
