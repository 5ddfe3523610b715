"""Words of the units: given by the rule alone, and by the sound of the recordings."""

from functools import cache

import numpy as np
import pytest
from bs4 import BeautifulSoup

from inside_musicnn.atlas import units
from inside_musicnn.cores import one_thread
from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.network.weights import MODELS
from inside_musicnn.sound.shipped import clip_facts
from making.atlas import heard, pages, tuning, words

MODEL = "MSD_musicnn"
PHRASES = {words.words_of(number, sign): (number, sign)
           for number in range(len(heard.MEASURES)) for sign in (1, -1)}


def told(model):
    """The live units that may have words, by layer."""
    layers = {}
    for record in units(model).values():
        if record["alive"] and record["layer"] != "tags/logits":
            layers.setdefault(record["layer"], []).append(record)
    return layers


@cache
def listened():
    """Activity of all such units in every patch, in the order of the table."""
    with one_thread():
        found = {layer: values for layer, _, values in words.activity(
            MODEL, words.listened().patches)}
    return np.concatenate([found[layer] for layer in told(MODEL)], axis=1)


def in_table():
    """Measure and sign of each unit's words, and a field of their test."""
    rows = [record["description_test"] for layer in told(MODEL).values() for record in layer]
    best, sign = map(np.array, zip(*(PHRASES[row["tried"]] for row in rows), strict=True))
    return best, sign, {name: np.array([row[name] for row in rows])
                        for name in ("score", "low", "high", "null", "chance")}


@pytest.mark.parametrize("model", MODELS)
def test_who_has_words_has_passed_and_nobody_else(model):
    assert len(PHRASES) == 2 * len(heard.MEASURES)
    for layer, records in told(model).items():
        tests = [record["description_test"] for record in records]
        passed = words.kept(*(np.array([test[name] for test in tests])
                              for name in ("chance", "low")))
        assert [("description" in record) for record in records] == passed.tolist(), layer
        for record, test in zip(records, tests, strict=True):
            assert record.get("description", test["tried"]) == test["tried"] in PHRASES
            assert test["low"] <= test["score"] <= test["high"]
    tags = [record for record in units(model).values() if record["layer"] == "tags/logits"]
    assert not any(set(words.FIELDS) & set(record) for record in tags)


@pytest.mark.numeric
def test_the_table_is_what_the_sound_gives():
    """Ranks of two processors may differ where values all but agree: hundredths of a score."""
    sound, active, (best, sign, stored) = words.listened(), listened(), in_table()
    chose = words.chosen(active[~sound.held], sound.measures[~sound.held])
    same = (chose[0] == best) & (chose[1] == sign)
    assert same.mean() > 0.98
    there, measures = active[sound.held], sound.measures[sound.held]
    found = words.against_others(there, measures, best, sign)
    for name in ("score", "null", "chance"):
        assert np.abs(found[name] - stored[name]).max() < 0.01, name
    some = np.arange(0, len(best), 90)
    ends = words.interval(there[:, some], measures, sound.authors[sound.held], best[some],
                          sign[some])
    for name in ("low", "high"):
        assert np.abs(ends[name] - stored[name][some]).max() < 0.02, name


@pytest.mark.numeric
def test_shuffled_words_hardly_ever_pass():
    """The same rule, with the words of the layer's units dealt out among them."""
    sound, active, (best, sign, stored) = words.listened(), listened(), in_table()
    there, measures = active[sound.held], sound.measures[sound.held]
    random, ends = np.random.default_rng(0), np.cumsum([len(each) for each in told(MODEL).values()])
    layers = np.split(np.arange(len(best)), ends[:-1])

    def count(chance):
        return sum(words.kept(chance[layer], np.ones(len(layer))).sum() for layer in layers)

    dealt = []
    for _ in range(10):
        order = random.permutation(len(best))
        dealt.append(count(words.against_others(there, measures, best[order], sign[order])[
            "chance"]))
    assert np.mean(dealt) < 0.02 * len(best) < 0.1 * len(best) < count(stored["chance"])


def test_halves_share_no_author():
    sound = words.listened()
    assert not set(sound.authors[sound.held]) & set(sound.authors[~sound.held])
    recordings = [len(set(sound.ids[half])) for half in (sound.held, ~sound.held)]
    assert sum(recordings) == len(set(sound.ids)) and max(recordings) < 1.5 * min(recordings)
    assert all(clip_facts(name)["source"] == author
               for name, author in zip(sound.ids, sound.authors, strict=True))


def test_phrases_are_true_of_sounds_that_they_describe():
    random = np.random.default_rng(0)
    low, high = (tuning.patch_of(tuning.tone(each, random, 0)) for each in (150, 5000))
    soft, loud = (tuning.patch_of(tuning.loud(each, random, 0)) for each in (-40, 0))
    sudden, slow = (tuning.patch_of(tuning.burst(each, random, 0)) for each in (0, 320))
    clicks = {each: tuning.patch_of(tuning.pulse(each, random, 1)) for each in (90, 180, 360)}
    chord = tuning.patch_of(tuning.tone(440, random, 1))
    slope = np.linspace(3, 1, BANDS) + np.zeros((FRAMES, 1))
    steady, narrow = (tuning.patch_of(tuning.band(each, random, 0)) for each in (6, 1 / 12))
    for phrase, more, less in (
            ("the sound is loud", loud, soft), ("the sound is bright", high, low),
            ("frequencies below 200 Hz are loud", low, high),
            ("frequencies above 3200 Hz stand out", high, low),
            ("beginnings are sudden", sudden, slow),
            ("neighbouring frequencies differ", chord, slope),
            ("the sound reaches over many frequencies", steady, narrow),
            ("the loudness goes up and down", clicks[90], steady),
            ("beginnings return 60 to 120 times a minute", clicks[90], clicks[180]),
            ("beginnings return 120 to 240 times a minute", clicks[180], clicks[90]),
            ("beginnings return 240 to 480 times a minute", clicks[360], clicks[180]),
            ("beginnings are regular", clicks[180], steady), ("much begins", clicks[360], low),
            ("the spectrum changes", clicks[180], low)):
        values = heard.MEASURES[PHRASES[phrase][0]].of(np.array([more, less], float))
        assert values[0] > values[1], phrase
    assert np.isfinite(heard.measured(np.zeros((1, FRAMES, BANDS)))).all()


def test_ranks_by_hand():
    one, other = np.array([[1.0, 2, 3, 9], [4, 4, 4, 4]]).T, np.array([[9.0, 3, 2, 1]]).T
    assert words.by_rank(one, other).ravel().tolist() == pytest.approx([-1, 0])


def test_pages_tell_the_words_of_the_table(tmp_path):
    """A unit with words, and one without."""
    writer = pages.Writer.__new__(pages.Writer)
    template = pages.Writer.environment.func(writer).get_template("in_words.html")
    for with_words in (True, False):
        record = next(each for each in units(MODEL).live("cnn_1/out")
                      if ("description" in each) == with_words)
        text = " ".join(BeautifulSoup(template.render(record=record, up="../../"),
                                      "html.parser").get_text().split())
        test = record["description_test"]
        assert (f"Most active where {test['tried']}." in text) == with_words
        assert (test["tried"] in text) == with_words
        for name in ("score", "low", "high", "null", "recordings", "authors"):
            assert pages.significant(test[name]) in text, name
