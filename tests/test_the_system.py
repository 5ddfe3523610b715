"""Part one of the book: scores beside answers to nothing, credits, the log, what is told apart."""

import re

import nbformat
import numpy as np
import pytest
import yaml
from conftest import ROOT

from helpers.evidence.nothing import MARGIN, answers_to_nothing
from helpers.evidence.training import training_log
from helpers.page.credits import UNKNOWN, credit, credit_line
from inside_musicnn import MODELS, Clip, MusiCNN, load_clip
from inside_musicnn.sound import probes
from inside_musicnn.sound.shipped import clip_facts, clip_names


@pytest.mark.parametrize("model", MODELS)
def test_what_a_network_says_to_nothing_is_not_worth_words(model):
    net = MusiCNN(model, compact=True)
    nothing = answers_to_nothing(net)
    assert not any(nothing.worth_words(answer).any() for answer in nothing.answers.values())
    assert (nothing.highest >= net.tags(probes.silence(12.0))[0] - 1e-6).all()
    just = nothing.highest.copy()
    just[[3, 7]] += MARGIN + 1e-6
    assert np.flatnonzero(nothing.worth_words(just)).tolist() == [3, 7]
    assert nothing.worth_words(np.stack([just, just - 0.01])).sum(axis=1).tolist() == [2, 0]


def test_the_rule_can_fall_both_ways():
    net = MusiCNN("MTT_musicnn", compact=True)
    nothing = answers_to_nothing(net)
    worth = nothing.worth_words(net.tags(load_clip("string_quartet")).mean(axis=0))
    assert worth[net.labels.index("violin")] and not worth[net.labels.index("guitar")]
    assert not nothing.worth_words(net.tags(probes.noise(0.05)).mean(axis=0)).any()


def test_a_page_says_of_every_sound_whose_it_is_and_of_which_kind():
    for name in clip_names("recording"):
        facts, clip = clip_facts(name), load_clip(name, segments=1)
        assert all(part in credit(clip) for part in (facts["author"], facts["licence"]))
        assert "recording" in credit(clip) and f"]({facts['link']})" in credit_line(clip)
        assert "cut to" in credit_line(clip)
    assert "synthesised" in credit(load_clip("disco", segments=1))
    outside = Clip("disco", "**<b>**", np.zeros(48000, np.float32))
    assert UNKNOWN in credit(outside) and "CC0" not in credit(outside)
    assert "<b>" not in credit_line(outside)


@pytest.mark.parametrize("model", MODELS)
def test_the_log_begins_before_the_training(model):
    log = training_log(MusiCNN(model))
    assert np.isnan(log.training[0]) and np.isfinite(log.training[1:]).all()
    assert log.validation[0] > 10 * log.validation[1:].max()
    assert (log.epoch == np.arange(1, len(log.epoch) + 1)).all()
    halved = log.rate[1:][np.diff(log.rate) < 0] / log.rate[:-1][np.diff(log.rate) < 0]
    assert halved == pytest.approx(0.5, rel=1e-4)  # the log has six digits


def test_two_tones_and_one():
    """A semitone apart, equal tones merge at 440 Hz; an octave apart they do not; one is heard."""
    def picture(*tones):
        samples = sum(probes.sine(tone, 0.2).samples for tone in tones)
        return Clip("tones", "tones", samples).db_mel[20:-20].mean(axis=0)

    def dip(low, high):
        both, first, last = picture(low, high), picture(low).argmax(), picture(high).argmax()
        return min(both[first], both[last]) - both[first : last + 1].min()

    semitone = 2 ** (1 / 12)
    assert dip(440, 440 * semitone) < 0.1 < dip(440, 880)
    assert dip(3000, 3000 * semitone**2) > 0.1
    assert np.abs(picture(110) - picture(110 * semitone)).max() > 0.1


def test_the_table_of_stages_has_the_chapters_of_the_parts():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    source = "\n".join(cell.source for cell in nbformat.read(
        ROOT / "book" / "01_system.ipynb", as_version=4).cells)
    for part in parts:
        if part["caption"] in ("First stage", "Second stage", "Final stage"):
            (row,) = re.findall(rf"^\| \*\*{part['caption']}\*\* .*$", source, re.MULTILINE)
            files = [each["file"].removeprefix("book/") for each in part["chapters"]]
            assert re.findall(r"\]\((\d\d_\w+)\)", row) == [files[0], files[-1]]
