"""The excerpts of real recordings, their licences, and the corpus of numbers."""

import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from arithmetic.network import PROMISED, Truth, pruned, weights_of
from arithmetic.rounding import U
from arithmetic.sound import spectrogram, truth_of_clip

from helpers.evidence.corpus import EXCERPT, FOLDER, read_recordings, stored_corpus
from helpers.evidence.reference import reference
from inside_musicnn import MODELS, InputError, MusiCNN, clip_names, load_clip
from inside_musicnn.checksums import sha256
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.sound import probes
from inside_musicnn.sound.shipped import DATA
from making.recordings import catalogue, choosing, excerpts, listing, numbers, packages

ROOT = DATA.parent
ENTRIES = excerpts.listed()
ALLOWED = {"MIT", "CC-BY-3.0", "CC-BY-SA-3.0", "public domain", "EFF-OAL-1"}
AUDIO = {".ogg", ".oga", ".opus", ".mp3", ".wav", ".flac", ".m4a", ".aac", ".aiff"}

each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=[entry["name"] for entry in ENTRIES])


def needs_packages():
    if not packages.have():
        pytest.skip("the packages are not in _runs/packages: 'make recordings' fetches them")


def test_there_are_as_many_as_promised():
    assert len(ENTRIES) >= 32
    assert sum(bool(entry["people"]) for entry in ENTRIES) >= 12
    assert sum(entry["voice"] for entry in ENTRIES) >= 6
    styles = {entry["style"] for entry in ENTRIES}
    assert set(choosing.PLACES) <= styles
    for word in choosing.WORDS:
        assert any(word in entry["chosen"] for entry in ENTRIES)
    sources = [entry["source"] for entry in ENTRIES]
    assert max(map(sources.count, sources)) <= choosing.MOST_OF_A_SOURCE


@each_entry
def test_each_says_whose_it_is_and_under_which_licence(entry):
    assert entry["licence"] in ALLOWED
    assert entry["title"] and entry["author"] and entry["changes"] and entry["files"]
    assert entry["link"] == packages.licences()[entry["licence"]].link
    work = next(work for work in catalogue.read_works() if work.id == entry["name"])
    assert work.ship and work.licence == entry["licence"]
    assert (work.title, work.author, work.source) == (
        entry["title"], entry["author"], entry["source"])
    assert packages.packages()[entry["package"]].version == entry["version"]


@each_entry
def test_each_file_is_what_the_list_says(entry):
    file = DATA / entry["file"]
    info = soundfile.info(file)
    assert (info.format, info.subtype) == ("OGG", "VORBIS")
    assert (info.samplerate, info.channels) == (entry["rate"], entry["channels"])
    assert info.frames == 30 * entry["rate"] and entry["seconds"] == 30
    assert file.stat().st_size <= 400_000
    assert sha256(file) == entry["sha256"]
    assert excerpts.decoded_checksum(file) == entry["samples_sha256"]
    with soundfile.SoundFile(file) as sound:
        assert sound.title == entry["title"] and sound.artist == entry["author"]
        assert sound.license.startswith(entry["licence"])
        assert "(O)" in sound.copyright or entry["licence"] != "EFF-OAL-1"


@each_entry
def test_each_is_heard_from_end_to_end(entry):
    sound, rate = soundfile.read(DATA / entry["file"], always_2d=True)
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0.05
    levels = choosing.second_levels(sound.astype(np.float32), rate)
    assert len(levels) == 30 and levels.min() > -52
    assert levels.min() > levels.max() - choosing.SILENCE - 1
    assert abs(levels[:5].mean() - levels[-5:].mean()) < choosing.FADE + 1


@each_entry
def test_each_is_loaded_by_its_name_and_is_called_a_recording(entry):
    clip = load_clip(entry["name"], duration=4)
    assert (clip.name, clip.title, clip.kind) == (entry["name"], entry["title"], "recording")
    assert np.array_equal(load_clip(clip.path, duration=4).samples, clip.samples)


def test_recordings_and_synthesised_clips_are_two_lists():
    recordings, synthesised = clip_names("recording"), clip_names()
    assert list(recordings) == [entry["name"] for entry in ENTRIES]
    assert len(synthesised) == 10 and not set(recordings) & set(synthesised)
    assert set(clip_names(None)) == set(recordings) | set(synthesised)
    assert load_clip("disco", duration=4).kind == "synthesised"
    assert probes.sine().kind == "synthesised"
    with pytest.raises(InputError, match="no clips of the kind 'jazz'; choose synthesised or"):
        clip_names("jazz")


def test_a_file_of_the_readers_is_of_no_kind(noise_file):
    assert load_clip(noise_file).kind == ""


def test_no_other_audio_is_in_the_repository():
    """Above all none under the GPL: its numbers may be stored, its sound not. What units would
    hear best is no music: it was computed from the weights."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if done.returncode:
        pytest.skip("this copy of the book is no Git repository")
    files = [Path(name.decode()) for name in done.stdout.split(b"\0") if name]
    found = {file.as_posix() for file in files if file.suffix.lower() in AUDIO
             and file.parent.as_posix() != "data/units/best"}
    listed = {f"data/{entry['file']}" for entry in ENTRIES}
    assert found <= listed | {f"data/{name}.ogg" for name in clip_names()}
    assert {file.name for file in (DATA / "recordings").glob("*.ogg")} == {
        Path(entry["file"]).name for entry in ENTRIES}


def test_the_readme_has_the_same_table():
    assert listing.table(ENTRIES) in listing.README.read_text(encoding="utf-8")


def test_licence_texts_are_at_hand():
    text = (DATA / "recordings" / "LICENSE").read_text(encoding="utf-8")
    assert all(name in text for name in ALLOWED)
    assert "Permission is hereby granted, free of charge" in text
    assert "EFF Open Audio License" in text and "Original Author Attribution Requirement" in text


@each_entry
def test_making_it_again_gives_equal_samples(entry, tmp_path):
    needs_packages()
    excerpts.make_again(entry, tmp_path / "again.ogg")
    assert excerpts.decoded_checksum(tmp_path / "again.ogg") == entry["samples_sha256"]


def test_the_packages_are_what_they_were_and_say_what_they_said():
    needs_packages()
    for package in packages.packages().values():
        packages.check_papers(package)
    catalogue.check_works([work for work in catalogue.read_works() if work.ship][::10])


def test_the_manifest_is_what_the_packages_give():
    needs_packages()
    found = catalogue.choose_corpus(catalogue.find_works())
    assert tuple(found) == catalogue.read_works()


# The corpus of numbers.

@pytest.mark.parametrize("model", MODELS)
def test_the_corpus_is_as_large_as_promised(model):
    corpus = stored_corpus(model)
    assert corpus.basis.recordings >= 150 and corpus.basis.sources >= 50
    counts = corpus.patches.groupby("id").size()
    assert counts.max() == numbers.MOST_PATCHES and counts.min() >= 10
    assert corpus.scores.shape == (len(corpus.patches), 50) and corpus.dense.shape[1] == 200
    assert corpus.maximum.shape == corpus.mean.shape == (len(corpus.patches), len(corpus.series))
    for values in (corpus.scores, corpus.dense, corpus.maximum, corpus.mean):
        assert np.isfinite(values).all() and values.dtype == np.float32
    assert (corpus.maximum >= corpus.mean - 0.02 * np.abs(corpus.mean) - 1e-3).all()
    assert (0 < corpus.scores).all() and (corpus.scores < 1).all()


def test_the_corpus_is_small():
    files = [*FOLDER.glob("*/part-*.parquet")]
    assert len(files) >= 2 and sum(file.stat().st_size for file in files) <= 20e6


def test_every_recording_of_the_corpus_has_licence_and_checksums():
    table = read_recordings()
    assert set(table["licence"]) <= set(packages.licences())
    assert table["id"].is_unique and (table["seconds"] >= 40).all()
    assert all(len(files) == len(sums) and all(len(each) == 64 for each in sums)
               for files, sums in zip(table["files"], table["sha256"], strict=True))
    assert set(table["licence"][table["ship"]]) <= ALLOWED
    for model in MODELS:
        assert list(stored_corpus(model).recordings["id"]) == list(table["id"])


def test_both_networks_were_asked_about_the_same_patches():
    first, second = (stored_corpus(model).patches for model in MODELS)
    assert first.equals(second)
    for name, rows in first.groupby("id"):
        assert rows["patch"].is_monotonic_increasing and rows["patch"].is_unique, name


HALF = 2.0**-11  # a rounding to float16 as a part of the number


def truth_of_patch(model, samples, number):
    """One patch in float64, without what the compact network leaves out."""
    found, frames = spectrogram(samples), slice(number * FRAMES, (number + 1) * FRAMES)
    return Truth(pruned(model, THRESHOLD), found.decibels[None, frames],
                 found.uncertain[None, frames])


@pytest.mark.parametrize("model", MODELS)
def test_stored_numbers_equal_fresh_ones(model):
    """One patch of some excerpts within the bounds of its truth, stored and fresh; all patches of
    all excerpts within the widest of these bounds of each other.
    """
    corpus = stored_corpus(model, EXCERPT)
    net, names = MusiCNN(model, compact=True), clip_names("recording")
    layers = {"tags/sigmoid": (corpus.scores, slice(None), 0.0),
              "dense/bias": (corpus.dense, slice(None), HALF),
              "pool/max": (corpus.maximum, corpus.series, HALF),
              "pool/mean": (corpus.mean, corpus.series, HALF)}
    assert set(corpus.ids) == set(names)
    bounds, fresh = dict.fromkeys(layers, 0.0), {}
    for number, name in enumerate(names):
        clip, rows = load_clip(name), np.flatnonzero(corpus.ids == name)
        fresh[name] = net.activations(clip, [*layers, "dense/norm"])
        assert len(rows) == len(fresh[name]["tags/sigmoid"]) == 10
        if number % 6:
            continue
        one = number % 10
        truth = truth_of_patch(model, clip.samples, one)
        for layer, (values, series, stored) in layers.items():
            true, bound = (each[0, series] for each in (truth[layer].value, truth[layer].bound))
            assert (np.abs(fresh[name][layer][one, series] - true) <= bound).all(), (name, layer)
            rounded = stored * np.abs(true) + bound
            assert (np.abs(values[rows[one]] - true) <= rounded).all(), (name, layer)
            bounds[layer] = np.maximum(bounds[layer], bound)
    gain = np.abs(weights_of(model)["dense"]["gain"])
    for name, found in fresh.items():
        rows = np.flatnonzero(corpus.ids == name)
        for layer, (values, series, stored) in layers.items():
            expected = found[layer][:, series]
            allowed = stored * np.abs(expected) + 2 * bounds[layer]
            assert (np.abs(values[rows] - expected) <= allowed).all(), (name, layer)
        # The embedding follows from the rounded values, so their error grows by its gain.
        dense = HALF * np.abs(found["dense/bias"]) + 2 * bounds["dense/bias"]
        error = np.abs(corpus.embedding[rows] - found["dense/norm"])
        assert (error <= gain * dense + 8 * U * np.abs(found["dense/norm"])).all(), name


@pytest.mark.parametrize("model", MODELS)
def test_samples_of_whole_recordings_equal_fresh_ones(model):
    needs_packages()
    corpus, net = stored_corpus(model), MusiCNN(model, compact=True)
    for work in catalogue.read_works()[::80]:
        from making.recordings.sound import listen_file

        patches = load_clip(listen_file(work)).patches()
        kept = numbers.sample(work.id, len(patches))
        rows = np.flatnonzero(corpus.ids == work.id)
        assert np.array_equal(corpus.patches["patch"].to_numpy()[rows], kept)
        truth = Truth(pruned(model, THRESHOLD), patches[kept[:1]])["tags/sigmoid"].bound
        assert (np.abs(net.tags(patches[kept]) - corpus.scores[rows]) <= 2 * truth.max()).all()


@pytest.mark.parametrize("model", MODELS)
@each_entry
def test_the_packages_own_tags_for_each_recording(entry, model):
    """The unchanged package under NumPy 1, made apart: see data/reference/. The last patch."""
    stored = reference(entry["name"], model)["taggram"]
    ours = MusiCNN(model, compact=True).tags(load_clip(entry["name"]))
    truth = truth_of_clip(model, entry["name"], last=True)
    assert ours.shape == stored.shape and truth.ratio("tags/sigmoid", stored[-1:]) <= 1
    allowed = PROMISED + truth["tags/sigmoid"].bound  # what is left out, and rounding
    assert (np.abs(ours[-1:] - truth["tags/sigmoid"].value) <= allowed).all()


def test_a_corpus_can_be_cut_and_asked(tmp_path):
    corpus = stored_corpus("MTT_musicnn")
    piano = corpus.where(corpus.scores[:, corpus.column("piano")] > 0.3)
    assert 0 < piano.basis.patches < corpus.basis.patches
    assert set(piano.recordings["id"]) == set(piano.ids)
    table, rows = corpus.by_recording(corpus.scores)
    assert len(table) == len(rows) == corpus.basis.recordings
    mine = corpus.ids == table["id"][3]
    mean = corpus.scores[mine].mean(axis=0, dtype=np.float64)
    assert (np.abs(rows[3] - mean) <= mine.sum() * U).all()
    assert len(corpus.sources) == len(corpus.patches)
    again, scores = 1 / (1 + np.exp(-corpus.logits.astype(np.float64))), corpus.scores
    # Logits of scores in float32: a rounding of 1 - score is one of the odds.
    assert (np.abs(again - scores) <= 8 * U * np.maximum(1, np.abs(corpus.logits))).all()
    assert corpus.series[corpus.place(int(corpus.series[7]))] == corpus.series[7]
    for ask, message in ((lambda: corpus.column("hip hop"), "no tag 'hip hop'"),
                         (lambda: corpus.place(752 - 1000), "constant"),
                         (lambda: stored_corpus(group="other"), "no group 'other'"),
                         (lambda: stored_corpus(folder=tmp_path), "no stored numbers")):
        with pytest.raises(InputError, match=message):
            ask()


# The scripts.

def work(**fields):
    some = dict(id="a", title="A", author="Somebody", album="", source="Somebody", package="p",
                version="1", files=("a.ogg",), sha256=("0" * 64,), licence="MIT", ship=True,
                why="", people="", voice=False, style="", seconds=100.0, rate=16000, channels=2)
    return catalogue.Work(**(some | fields))


def test_names_are_short_plain_and_their_own():
    assert catalogue.slug("Megtört Álom") == "megtort_alom"
    assert catalogue.slug("R'Lyeh, Pt. 2") == "rlyeh_pt_2"
    named = catalogue._named([work(id="", title="Hell", author="X (Y)"),
                              work(id="", title="Hell", author="Z"),
                              work(id="", title="Piano", author="Z"),
                              work(id="given", title="Other")])
    assert [each.id for each in named] == ["hell_x", "hell_z", "piano_z", "given"]


def test_nobody_fills_the_corpus():
    works = [work(id=f"a{number}", source="A") for number in range(30)]
    works += [work(id=f"b{number}", source="B", people="a band") for number in range(30)]
    kept = catalogue.choose_corpus(works)
    sources = [each.source for each in kept]
    assert sources.count("A") == catalogue.MOST_OF_A_SOURCE
    assert sources.count("B") == catalogue.MOST_OF_PLAYERS
    assert catalogue.choose_corpus(works) == kept


def test_silence_and_fades_are_no_excerpt():
    steady = np.full(30, -20.0)
    assert choosing._is_even(steady)
    assert not choosing._is_even(np.r_[steady[:29], -50.0])
    assert not choosing._is_even(np.full(30, -55.0))
    assert not choosing._is_even(np.linspace(-10, -20, 30))


def test_the_start_avoids_silence_and_finds_the_voice():
    rate, values = 8000, np.full((33, 2), 0.5)
    sound = np.random.default_rng(0).normal(0, 0.1, (100 * rate, 2)).astype(np.float32)
    values[16:26, 1] = 0.9  # from 47.9 s to 77.8 s
    scores = choosing.Scores(values, ("drums", "female vocal"))
    assert scores.best_voice == pytest.approx(0.9) and scores.voice[3] == 0.5
    sung = choosing.choose_start(work(rate=rate, voice=True), scores, sound)
    assert 45 <= sung <= 48
    scores = choosing.Scores(np.full((33, 2), 0.5), ("drums", "female vocal"))
    sound[50 * rate : 51 * rate] = 0
    start = choosing.choose_start(work(rate=rate), scores, sound)
    assert start > 50 or start + 30 <= 50
    with pytest.raises(InputError, match="without silence and fades"):
        choosing.choose_start(work(rate=rate), scores, np.zeros_like(sound))


def test_the_excerpt_is_like_the_whole():
    values = np.zeros((40, 2))
    values[:20, 0], values[20:, 1] = 1, 1  # one half is all of one tag, the other of another
    sound = np.random.default_rng(1).normal(0, 0.1, (119 * 8000, 1)).astype(np.float32)
    start = choosing.choose_start(work(rate=8000), choosing.Scores(values, ("a", "b")), sound)
    assert 40 < start < 50, "the excerpt should lie across the middle"


def test_works_are_chosen_far_from_one_another(monkeypatch):
    monkeypatch.setattr(choosing, "PLACES", {"rock": 2})
    monkeypatch.setattr(choosing, "WORDS", ("techno",))
    monkeypatch.setattr(choosing, "FURTHER", 1)
    points = {"r1": (0.5, 0.0), "r2": (0.45, 0.0), "r3": (0.1, 0.0), "t": (0.2, 0.9),
              "u": (0.9, 0.1), "no": (0.9, 0.95), "brief": (1.0, 0.0)}
    scores = {name: choosing.Scores(np.array([point]), ("rock", "techno"))
              for name, point in points.items()}
    works = [work(id=name, source=name, style="rock" if name[0] == "r" else "",
                  ship=name != "no", seconds=30.0 if name == "brief" else 100.0)
             for name in points]
    chosen = choosing.choose_works(works, scores)
    assert list(chosen) == ["r2", "r3", "t", "u"]
    assert chosen["t"] == "highest mean score of techno"
    monkeypatch.setattr(choosing, "PLACES", {"rock": 4})
    with pytest.raises(InputError, match="not 4 recordings of the style 'rock'"):
        choosing.choose_works(works, scores)


def test_packages_that_are_not_what_they_were_are_refused(tmp_path, monkeypatch):
    package = packages.packages()["zaz-data"]
    monkeypatch.setattr(packages, "packages", lambda: {"zaz-data": package})
    archives = tmp_path / "debs"
    archives.mkdir()
    (archives / package.file_name).write_bytes(b"something else")
    with pytest.raises(InputError, match="checksum differs"):
        packages.fetch(tmp_path, say=lambda text: None)
    papers = packages.folder_of(package, tmp_path) / package.papers
    papers.parent.mkdir(parents=True)
    papers.write_text("All rights reserved.")
    with pytest.raises(InputError, match="do not say 'Files: data/mus"):
        packages.fetch(tmp_path, say=lambda text: None)


def test_where_there_is_no_apt_one_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(InputError, match="fetch them where apt-get and dpkg-deb are installed"):
        packages.fetch(tmp_path, say=lambda text: None)


def test_a_file_that_changed_is_noticed(tmp_path):
    changed = dataclasses.replace(catalogue.read_works()[0], sha256=("0" * 64,))
    with pytest.raises(InputError, match="fetch the packages again"):
        catalogue.check_works([changed], tmp_path)
