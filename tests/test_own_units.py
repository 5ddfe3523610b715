"""The atlas of the reader's own collection: excerpts that come with the book stand for it."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from test_atlas import whole

from helpers.evidence import intervals
from inside_musicnn import load_clip, make_corpus
from inside_musicnn.atlas import units
from inside_musicnn.errors import InputError
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.live_layers import live_layers
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound.spectrogram import FRAME_SECONDS
from making.atlas import activity, collection, own, pages

MODEL = "MSD_musicnn"
NAMES = ("aberrations", "feelings", "misanthropia", "tutorial")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Music in a folder below a folder, and a data set of it."""
    folder = tmp_path_factory.mktemp("collection")
    (folder / "music" / "some & more").mkdir(parents=True)
    for name in NAMES:
        shutil.copy(ROOT / "data" / "recordings" / f"{name}.ogg", folder / "music" / "some & more")
    make_corpus(folder / "music", folder / "mine", MODEL, jobs=0)
    return folder


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def made(place, said):
    """The pages' folder."""
    return own.make_own(str(place / "mine"), jobs=1, runs=place / "runs", say=said.append).parent


def again(place, **options):
    told = []
    own.make_own(str(place / "mine"), jobs=1, runs=place / "runs", say=told.append, **options)
    return told


def test_page_json_and_table_are_one(made):
    atlas = units(MODEL, made / "units.parquet")
    book = units(MODEL)
    assert set(atlas) == set(book)
    for key in (("cnn_1/out", 1), ("cnn_3/sum", 12), ("dense/norm", 7), ("tags/logits", 3)):
        record = next(each for each in atlas.live(key[0]) if each["number"] >= key[1])
        file = made / MODEL / key[0].replace("/", "-") / str(record["number"])
        assert json.loads(file.with_suffix(".json").read_text()) == record
        page = BeautifulSoup(file.with_suffix(".html").read_text(), "html.parser")
        drawn = whole(json.loads(page.find(id="record").string), made, MODEL)
        assert {name: drawn[name] for name in pages.DRAWN if name in record} == {
            name: record[name] for name in pages.DRAWN if name in record}
        theirs = book[key[0], record["number"]]
        assert record["tuning"] == theirs["tuning"]
        assert record.get("description_test") == theirs.get("description_test")
        assert record["mean"] != theirs["mean"]
        for kind in ("highest", "lowest", "random"):
            for moment in record.get(kind, []):
                assert moment["recording"] in {f"some & more/{name}.ogg" for name in NAMES}
        if "contribution" in record:
            assert set(record["contribution"]) == {"mean"}  # four recordings give no interval
            assert sum(record["counts"]) == 40 * (1 if key[0] == "dense/norm" else FRAMES)


def test_every_link_and_sound_is_in_the_folder(made):
    files = [*made.rglob("*.html")]
    assert len(files) > 500
    for file in files:
        text = file.read_text(encoding="utf-8")
        for address in re.findall(r'(?:href|src)="([^"#]+)', text):
            assert (file.parent / address).resolve().is_file(), (file, address)
            assert (file.parent / address).resolve().is_relative_to(made.resolve())
        for name in re.findall(r'data-recording="([^"]+)"', text):
            for ending in ("mp3", "webp"):
                assert (made / "atlas" / "sound" / f"{name}.{ending}").is_file()
    text = (made / MODEL / "cnn_1-out" / "12.html").read_text(encoding="utf-8")
    assert "your own file" in text and "fewer than 5 recordings give none" in text
    assert "some &amp; more/" in text and "creativecommons" not in text
    assert "too few for intervals" in (made / "index.html").read_text(encoding="utf-8")


def test_moments_are_in_the_recordings(made, place):
    """Their values are what the sound gives; and the excerpt that is played holds them."""
    weights = Weights(MODEL)
    engine = Compact(weights, threads=1)
    layers = live_layers(engine.folded, weights.block("pool")["mean"])
    atlas, checked = units(MODEL, made / "units.parquet"), 0
    for layer in ("cnn_1/out", "cnn_4/sum"):
        for record in atlas.live(layer)[3::20]:
            file = made / MODEL / layer.replace("/", "-") / f"{record['number']}.html"
            page = BeautifulSoup(file.read_text(), "html.parser")
            for kind in ("highest", "lowest", "random"):
                moment = record[kind][-1]
                clip = load_clip(place / "music" / moment["recording"])
                at = round(moment["seconds"] / FRAME_SECONDS)
                patch = clip.patches()[at // FRAMES : at // FRAMES + 1]
                varying = {"cnn_1/out": engine.first_stage(patch)}

                def seen(name, values, varying=varying):
                    varying[name] = values
                    return values

                engine.second_stage(varying["cnn_1/out"], seen)
                values = layers[layer].values(varying[layer])[:, 0, at % FRAMES]
                value = values[list(layers[layer].live).index(record["number"])]
                # told with three digits, kept in float16 before
                assert abs(value - moment["value"]) < 0.01 * abs(value) + 2e-3, (layer, moment)
                box = page.select(f'.moment[data-kind="{kind}"] .picture')[-1]
                heard = load_clip(made / "atlas" / "sound" / f"{box['data-recording']}.mp3")
                assert heard.duration < 10.1
                there = round(float(box["data-seconds"]) / FRAME_SECONDS)
                first = max(12 - min(at, there), 0)
                ours, theirs = (each.db_mel[here - 12 + first : here + 12].ravel()
                                for each, here in ((clip, at), (heard, there)))
                size = min(len(ours), len(theirs))
                assert np.corrcoef(ours[:size], theirs[:size])[0, 1] > 0.9
                checked += 1
    assert checked >= 15


def test_a_second_run_measures_nothing(made, place, said, monkeypatch):
    assert "4 measurements to make" in said[0] and "4 measured now, 4 in all." in said
    before = (made / "index.html").stat().st_mtime_ns
    monkeypatch.setattr(own, "measure", None)
    monkeypatch.setattr(own, "records", None)
    assert again(place) == ["0 measured now, 4 in all.", "The pages are there already."]
    assert (made / "index.html").stat().st_mtime_ns == before


def test_what_is_missing_alone_is_measured(made, place, monkeypatch):
    results = sorted((place / "runs" / ".units").rglob("*.npz"))
    assert len(results) == 4
    known = dict(np.load(results[1]))
    results[1].unlink()
    monkeypatch.setattr(own, "_written", lambda *_: None)
    assert "1 measured now, 4 in all." in again(place)
    found = dict(np.load(results[1]))
    assert set(found) == set(known)
    for name, values in known.items():  # the same lot, the same steps: to the last bit
        assert np.array_equal(found[name], values, equal_nan=values.dtype.kind == "f"), name


def test_a_lot_is_said_and_stays(place):
    three, gone, _ = collection.recordings_of(str(place / "mine"), 3)
    four, _, _ = collection.recordings_of(str(place / "mine"), 4)
    assert len(three) == 3 and gone == 0 and set(three) < set(four)


def copied(place, folder):
    """The collection somewhere else."""
    shutil.copytree(place / "music", folder / "music")
    make_corpus(folder / "music", folder / "mine", MODEL, jobs=0)
    return folder


def test_what_cannot_be_read_is_said(place, tmp_path, monkeypatch):
    folder = copied(place, tmp_path)
    inside = folder / "music" / "some & more"
    (inside / "feelings.ogg").write_bytes(b"nothing")
    for name in ("tutorial", "aberrations"):  # measured before, if not here
        shutil.copytree(place / "runs" / ".units" / "mine", folder / "runs" / ".units" / "mine",
                        dirs_exist_ok=True)
        assert (inside / f"{name}.ogg").is_file()
    monkeypatch.setattr(own, "_written", lambda readable, *_: readable)
    told = []
    for result in (folder / "runs" / ".units").rglob("*.npz"):
        if collection.read_corpus(folder / "mine").files.set_index("id")["file"][
                result.name.split("-")[1]].endswith("feelings.ogg"):
            result.unlink()
    own.make_own(str(folder / "mine"), jobs=1, runs=folder / "runs", say=told.append)
    assert any(line.startswith("1 of 4 recordings cannot be read and are left out; "
                               "'some & more/feelings.ogg': it has changed") for line in told)
    (inside / "tutorial.ogg").unlink()
    with pytest.raises(InputError, match="2 of 3 recordings can be read, and an atlas needs 3"):
        own.make_own(str(folder / "mine"), jobs=1, runs=folder / "runs", say=told.append)
    assert "1 of 4 recordings of the data set are not where they were" in " ".join(told)
    (inside / "aberrations.ogg").unlink()
    with pytest.raises(InputError, match="Of the 4 recordings of the data set .* 2 are where"):
        own.make_own(str(folder / "mine"), jobs=1, runs=folder / "runs", say=told.append)
    assert [each.name for each in (folder / "runs").iterdir()] == [".units"]


def test_bad_input_is_one_sentence(place, tmp_path, capsys, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    data = str(place / "mine")
    for arguments, words in (
            ([], "make units CORPUS=my-music"),
            ([str(tmp_path / "nothing")], "There is no data set of a corpus in"),
            ([data, "--jobs", "0"], "jobs 1 or more"), ([data, "--most", "2"], "3 or more"),
            ([data, "--output", str(tmp_path / "full")], "is there and is no atlas")):
        assert own.main(arguments) == 2
        error = capsys.readouterr().err
        assert words in error and len(error.splitlines()) == 1, error
    assert [each.name for each in tmp_path.rglob("*")] == ["full", "letter.txt"]
    monkeypatch.setattr(own, "encoder_is_there", lambda: False)
    assert own.main([data]) == 2 and "libsndfile that writes MP3" in capsys.readouterr().err


def test_a_kill_leaves_no_half_folder(place, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(own, "RUNS", place / "runs")
    monkeypatch.setattr(pages, "write_pages", stop)
    monkeypatch.setattr(own, "records", lambda *_: ([{
        "model": MODEL, "layer": "tags/logits", "number": 0, "name": "rock", "alive": True}], 40))
    output = tmp_path / "pages"
    assert own.main([str(place / "mine"), "--output", str(output), "--jobs", "1"]) == 130
    assert list(tmp_path.iterdir()) == []


def test_what_is_brought_together_is_the_mean_of_all():
    """Recordings with different numbers of patches; against the same over all patches at once."""
    random = np.random.default_rng(0)
    names = {"cnn_1/out": np.arange(3), "dense/norm": np.arange(70)}
    found, every = [], []
    for count in (2, 5, 9):
        values = random.standard_normal((73, count, 10))
        mean = np.full((73, 24), np.nan)
        mean[:, :count] = values.mean(axis=2)
        every.append(values)
        found.append({"count": count, "mean": mean, "square": (values**2).mean(axis=(1, 2)),
                      "counts": np.ones((73, 33)), "counts_dealt": np.ones((73, 33)),
                      "contribution": random.standard_normal((73, 50)),
                      "held": random.standard_normal((73, 50))})
    values = np.concatenate(every, axis=1)
    got = activity.together(names, found, ["a", "b", "c"], [])
    assert np.allclose(got.mean, values.mean(axis=(1, 2)), atol=1e-6)
    assert np.allclose(got.deviation, values.std(axis=(1, 2)), atol=1e-6)
    assert (got.counts == 3).all()
    expected = np.mean([each["contribution"] for each in found], axis=0)
    assert np.allclose(got.contribution[0], expected, atol=1e-6)
    assert np.isnan(got.contribution[1:]).all()  # three recordings
    assert np.allclose(got.likeness["dense/norm"], np.corrcoef(values[3:].mean(axis=2)), atol=1e-5)


def test_intervals_in_parts_are_those_of_all():
    random = np.random.default_rng(1)
    rows = [random.standard_normal((130, 50)) for _ in range(8)]
    sources = list("aabcdefg")
    found = activity.with_ends(rows, sources)
    known = intervals.mean(np.array(rows).reshape(8, -1), sources, repeats=activity.REPEATS)
    for part, end in zip(found, (known.estimate, known.low, known.high), strict=True):
        assert np.array_equal(part.ravel(), end)


def test_make_hands_on_what_is_given():
    recipe = (ROOT / "Makefile").read_text().split("\nunits:")[1].split("\n\n")[0]
    for name in ("MODEL", "JOBS", "OUTPUT", "ARGS", "CORPUS"):
        assert f"BOOK_{name}" in recipe
    assert Path(own.RUNS) == ROOT / "_runs"
