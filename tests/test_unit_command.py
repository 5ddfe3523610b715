"""`musicnn-book unit`: the record of a unit, as its page has it, told in a terminal."""

import json

import pytest

from inside_musicnn.atlas import plain, units
from inside_musicnn.commands import main as command
from inside_musicnn.commands.unit import on_music
from inside_musicnn.network.live_weights import stored_weights
from inside_musicnn.network.unit_facts import SIZES, unit_facts

SHOWN = [("MSD_musicnn", "cnn_1/out", 12), ("MSD_musicnn", "cnn_1/out", 3),
         ("MTT_musicnn", "cnn_2/norm", 5), ("MTT_musicnn", "cnn_4/sum", 7),
         ("MSD_musicnn", "dense/norm", 8), ("MTT_musicnn", "tags/logits", 3)]


def told(capsys, *arguments):
    assert command.main(["unit", *map(str, arguments)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("key", SHOWN)
def test_json_is_the_record_of_the_page(capsys, key):
    assert json.loads(told(capsys, *key, "--json")) == units(key[0])[key[1:]]


@pytest.mark.parametrize("key", SHOWN)
def test_every_part_of_a_record_is_told(capsys, key):
    record, text = units(key[0])[key[1:]], told(capsys, *key)
    assert f"{record['norm']:.3g}" in text and ("live" if record["alive"] else "dead") in text
    assert ("whatever the music" in text) == ("constant" in record)
    for moment in record.get("highest", []):
        assert f"{moment['value']:.3g} at {moment['seconds']:.1f} s of" in text
    for name in record.get("tuning", {}):
        assert f"\n  {name} " in text
    for field in ("reads", "feeds"):
        assert all(f" {link['number']} ({link['strength']:.2g})" in text
                   for link in record.get(field, []))
    assert ("in words     most active where " in text) == ("description" in record)
    if "description_test" in record:
        assert f"rank correlation {record['description_test']['score']:.2f} (" in text
    if "contribution" in record:
        assert "250 recordings by 85 authors" in text
        labels = stored_weights(key[0]).labels
        given = record["contribution"]
        best = given["mean"].index(max(given["mean"]))
        certain = given["low"][best] > 0
        assert (f"raises       {labels[best]} {given['mean'][best]:.2g} "
                f"({given['low'][best]:.2g} to {given['high'][best]:.2g})" in text) == certain
        assert f"by chance below {record['correlation_by_chance']:.2f}" in text


def test_tags_whose_interval_holds_zero_are_not_told():
    labels = ["rock", "pop", "jazz", "blues"]
    given = {"mean": [0.2, 0.3, -0.1, 0.1], "low": [0.1, -0.1, -0.2, 0.05],
             "high": [0.3, 0.7, -0.05, 0.2]}
    unit = {"mean": 0.0, "deviation": 1.0, "contribution": given, "held": given}
    text = "\n".join(on_music(unit, labels, "3 patches"))
    assert "raises       rock 0.2 (0.1 to 0.3), blues 0.1 (0.05 to 0.2)\n" in text
    assert "lowers       jazz -0.1 (-0.2 to -0.05)\n" in text
    # what is lost without it: the other way round, ends and all
    assert "without it, jazz 0.1 (0.05 to 0.2) and rock -0.2 (-0.3 to -0.1)" in text
    unit["contribution"] = unit["held"] = {"mean": given["mean"]}  # too few recordings
    assert "raises       no tag for certain" in "\n".join(on_music(unit, labels, "3 patches"))


def test_without_the_table_the_weights_speak(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("inside_musicnn.atlas.FILE", tmp_path / "nothing.parquet")
    text = told(capsys, "MSD_musicnn", "cnn_1/out", 12)
    assert "in data/units of the book's repository" in text.splitlines()[-1]
    assert "  on music  " not in text and "size of the weights" in text
    record = json.loads(told(capsys, "MSD_musicnn", "cnn_1/out", 12, "--json"))
    assert record == plain(unit_facts(stored_weights("MSD_musicnn"), "cnn_1/out", 12).record())
    page = units("MSD_musicnn", "data/units/units.parquet")["cnn_1/out", 12]
    assert {name: value for name, value in record.items() if name not in ("reads", "feeds")} == {
        name: page[name] for name in record if name not in ("reads", "feeds")}


@pytest.mark.parametrize("model", ["MSD_musicnn", "MTT_musicnn"])
def test_the_table_has_what_the_weights_say(model):
    """Now: nobody forgot to make the table's columns anew (`python -m making.atlas --facts`)."""
    from making.atlas.table import Facts, deviations_of

    atlas = units(model)
    facts = Facts(stored_weights(model), deviations_of(atlas))
    for layer in SIZES:
        for number in range(0, SIZES[layer], 7):
            for name, value in plain(facts.of(layer, number).record()).items():
                found = atlas[layer, number].get(name, [])
                if name in ("reads", "feeds"):  # from deviations that were rounded, or not
                    assert [each["strength"] for each in found] == pytest.approx(
                        [each["strength"] for each in value], rel=1e-2)
                else:
                    assert found == value, (layer, number, name)


def test_bad_input_is_one_sentence(capsys):
    for arguments, words in ((("MSD", "cnn_1/out", 3), "MSD"),
                             (("MSD_musicnn", "cnn_9", 3), "choose one of cnn_1/out"),
                             (("MSD_musicnn", "cnn_4/sum", 64), "its units are 0 to 63")):
        assert command.main(["unit", *map(str, arguments)]) == 2
        said = capsys.readouterr()
        assert words in said.err and len(said.err.splitlines()) == 1 and said.out == ""
