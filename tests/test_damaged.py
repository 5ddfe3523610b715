"""Damaged, cut, chained, unfinished and doubtful audio: what is read, what is said of it."""

import csv
import io
import json
import re
import subprocess
import sys
import warnings

import awkward_audio as awkward
import numpy as np
import pandas as pd
import pytest
from arithmetic.network import PROMISED, SILENT, truth_of
from arithmetic.sound import RESAMPLED
from awkward_audio import (
    RATE,
    by_pyav,
    encoded,
    joined,
    marked,
    music,
    overwritten,
    pages,
    with_sizes,
    without,
    without_table,
)
from bs4 import BeautifulSoup
from conftest import ROOT

from inside_musicnn import InputError, load_clip
from inside_musicnn.commands.corpus import _told
from inside_musicnn.commands.main import main
from inside_musicnn.corpus import read_corpus
from inside_musicnn.drop_in import extractor
from inside_musicnn.sound.condition import Damage, judge
from inside_musicnn.sound.containers.layout import Layout, Link, Run
from inside_musicnn.sound.recordings import open_recording

MARGIN = 0.02  # seconds around a place of damage: resampling rings


@pytest.fixture
def kept(tmp_path):
    """Writes bytes to a file."""
    def keep(name, data):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name
    return keep


WHOLE = {
    "mp3": lambda: encoded("MP3"), "flac": lambda: encoded("FLAC"), "ogg": lambda: encoded("OGG"),
    "opus": lambda: encoded("OGG", music(rate=48000), 48000, subtype="OPUS"),
}
BREAKS = {"overwritten": overwritten, "bytes missing": without,
          "zeros": lambda data: data[:40000] + bytes(2000) + data[42000:],
          "two places": lambda data: overwritten(overwritten(data, 0.7, 500), 0.3, 500)}


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("kind", WHOLE)
def test_damage_is_refused_or_read_around(kept, kind, how):
    whole = load_clip(kept(f"whole.{kind}", WHOLE[kind]()))
    path = kept(f"damaged.{kind}", BREAKS[how](WHOLE[kind]()))
    with pytest.raises(InputError, match=r"is damaged: \d\.\d\d s from \d\.\d\d s on") as caught:
        load_clip(path)
    assert "--damaged" in str(caught.value) and "\n" not in str(caught.value)
    clip = load_clip(path, damaged=True)
    assert clip.samples.shape == whole.samples.shape  # so everything is in its time
    assert len(clip.damages) == (2 if how == "two places" else 1)
    good = np.ones(len(clip.samples), bool)
    for damage in clip.damages:
        assert 0.01 < damage.seconds < 4 and not damage.at_end
        inside = slice(int((damage.start + MARGIN) * 16000), int((damage.end - MARGIN) * 16000))
        assert not clip.samples[inside].any()
        good[int((damage.start - MARGIN) * 16000) : int((damage.end + MARGIN) * 16000)] = False
    # Opus takes a while until it has forgotten what came before.
    limit = 0.05 if kind == "opus" else RESAMPLED
    assert np.abs(clip.samples - whole.samples)[good].max() < limit and good.mean() > 0.6
    first, last = clip.damages[0], clip.damages[-1]
    marks = clip.damaged_patches()
    assert marks[int(first.start / 2.992)] and marks[int(last.start / 2.992)]
    assert not marks.all() or (kind, how) == ("opus", "two places")
    (note,) = clip.notes
    assert "read as silence" in note and f"from {first.start:.2f} s on" in note


def test_an_insertion_loses_what_it_tears(kept):
    """Between frames it loses nothing; what is there is all read."""
    flac = encoded("FLAC")
    whole = load_clip(kept("whole.flac", flac))
    place = flac.index(b"\xff\xf8", len(flac) // 2)
    clip = load_clip(kept("x.flac", flac[:place] + bytes(500) + flac[place:]), damaged=True)
    assert np.abs(clip.samples - whole.samples).max() < RESAMPLED
    ogg = pages(encoded("OGG"))
    whole = load_clip(kept("whole.ogg", joined(ogg)))
    clip = load_clip(kept("x.ogg", joined(ogg[:9]) + b"junk" * 99 + joined(ogg[9:])))
    assert np.array_equal(clip.samples, whole.samples) and clip.notes == ()


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "ogg", "opus", "aiff", "au"])
def test_what_was_cut_is_refused_or_read_as_far_as_it_goes(kept, kind):
    data = WHOLE[kind]() if kind in WHOLE else encoded(kind.upper())
    whole = load_clip(kept(f"whole.{kind}", data)).samples
    path = kept(f"cut.{kind}", data[: len(data) * 6 // 10])
    with pytest.raises(InputError, match=r"is truncated: it ends after \d\.\d\d s, ") as caught:
        load_clip(path)
    said = float(re.search(r"after (\d\.\d\d) s", str(caught.value))[1])
    clip = load_clip(path, damaged=True)
    assert clip.duration == pytest.approx(said, abs=0.01) and 5 < said < 9
    count = len(clip.samples) - 400  # the end rings
    assert np.abs(clip.samples - whole[: len(clip.samples)])[:count].max() < RESAMPLED
    assert "is truncated" in clip.notes[0] and clip.damages[0].at_end
    if kind in ("wav", "mp3", "flac", "aiff", "au"):  # Ogg tells no length
        missing = float(re.search(r"(\d\.\d\d) s before its header says", str(caught.value))[1])
        assert said + missing == pytest.approx(awkward.SECONDS, abs=0.1)


def test_damage_after_what_is_asked_for_is_none_of_our_business(kept):
    path = kept("x.mp3", overwritten(encoded("MP3"), 0.7))
    assert load_clip(path, segments=1).notes == () and load_clip(path, duration=5).notes == ()
    assert load_clip(path, offset=9).notes == ()
    for part in ({"offset": 6}, {"segments": 4}, {"offset": 6, "duration": 4}):
        with pytest.raises(InputError, match="is damaged"):
            load_clip(path, **part)
    whole = load_clip(kept("whole.mp3", encoded("MP3")), offset=9)
    assert np.abs(load_clip(path, offset=9).samples - whole.samples)[400:].max() < RESAMPLED


def test_a_length_that_nothing_tells_is_doubtful(kept):
    """An MP3 file without a table, an Ogg file that lacks its last pages."""
    mp3, ogg = without_table(encoded("MP3")), pages(encoded("OGG"))
    opus = pages(encoded("OGG", music(rate=48000), 48000, subtype="OPUS"))
    for name, data, seconds in (
            ("whole.mp3", mp3, 12), ("cut.mp3", mp3[: len(mp3) // 2], 6),
            ("cut.ogg", joined(ogg[:15]), 6), ("cut.opus", joined(opus[:8]), 6),
            ("unmarked.ogg", joined([*ogg[:-1], marked(ogg[-1], False)]), 12),
            ("unmarked.opus", joined([*opus[:-1], marked(opus[-1], False)]), 12)):
        path = kept(name, data)
        clip = load_clip(path)
        assert clip.duration == pytest.approx(seconds, abs=1), name
        assert clip.notes == (f"Whether '{path}' is whole cannot be told: it states no length and "
                              "has no mark at its end; all that is there was read.",), name
        assert load_clip(path, duration=4).notes == (), "the end is not asked for"


def test_several_marks_of_the_end_are_no_end(kept):
    for kind in ("ogg", "opus"):
        data = WHOLE[kind]()
        whole = load_clip(kept("whole.ogg", data))
        changed = [marked(page, last=number in (5, 8) or number + 1 == len(pages(data)))
                   for number, page in enumerate(pages(data))]
        clip = load_clip(kept("x.ogg", joined(changed)))
        assert np.array_equal(clip.samples, whole.samples) and clip.notes == ()


@pytest.mark.parametrize("rates, subtype", [((44100, 44100), "VORBIS"), ((44100, 22050), "VORBIS"),
                                            ((48000, 16000, 48000), "OPUS")])
def test_all_links_of_a_chain_are_read_in_order(kept, rates, subtype):
    parts = [encoded("OGG", np.roll(music(4, rate), 99 * place), rate, subtype=subtype)
             for place, rate in enumerate(rates)]
    each = [load_clip(kept(f"{place}.ogg", part)).samples for place, part in enumerate(parts)]
    path = kept("chained.ogg", joined(parts))
    clip, recording = load_clip(path), open_recording(path)
    assert clip.notes == () and recording.length == pytest.approx(4 * len(rates), abs=0.01)
    expected = np.concatenate(each)
    assert clip.samples.shape == expected.shape
    difference = np.abs(clip.samples - expected)
    for seam in np.cumsum([len(part) for part in each])[:-1]:
        difference[seam - 400 : seam + 400] = 0  # one stream rings into the next
    assert difference.max() < RESAMPLED
    begin = len(each[0]) + 8000
    late = load_clip(path, offset=begin / 16000).samples
    assert np.abs(late - expected[begin:])[400 : 400 + 16000].max() < RESAMPLED


def test_joined_mp3_files_are_read_in_order(kept):
    one = encoded("MP3", music(4))
    each = load_clip(kept("one.mp3", one)).samples
    for name, data in (("joined.mp3", one + one), ("tagged.mp3", one + b"TAG" + bytes(125) + one)):
        clip = load_clip(kept(name, data))
        assert clip.notes == () and len(clip.samples) == 2 * len(each)
        assert np.abs(clip.samples - np.concatenate([each, each]))[400:63600].max() < RESAMPLED


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_wav_file_whose_size_was_never_written_is_read_to_its_end(kept, size):
    data = encoded("WAV")
    whole = load_clip(kept("whole.wav", data))
    for whole_size in (size, 0, len(data) - 8 if size else 36):
        clip = load_clip(kept("x.wav", with_sizes(data, size, whole_size)))
        assert np.array_equal(clip.samples, whole.samples) and clip.notes == ()


@pytest.mark.parametrize("size", [b"\0" * 4, b"\xff" * 4])
def test_other_files_that_were_written_to_a_pipe_are_read_to_their_end(kept, size):
    au, aiff = bytearray(encoded("AU")), bytearray(encoded("AIFF"))
    au[8:12] = size
    for place in (4, aiff.index(b"COMM") + 10, aiff.index(b"SSND") + 4):
        aiff[place : place + 4] = size
    for kind, data in (("au", au), ("aiff", aiff)):
        whole = load_clip(kept(f"whole.{kind}", encoded(kind.upper())))
        clip = load_clip(kept(f"x.{kind}", bytes(data)))
        assert np.array_equal(clip.samples, whole.samples) and clip.notes == ()
    with pytest.raises(InputError, match="holds no samples"):
        load_clip(kept("x.au", encoded("AU", np.zeros(0))))


def test_an_empty_wav_file_is_empty(kept):
    with pytest.raises(InputError, match="holds no samples"):
        load_clip(kept("x.wav", encoded("WAV", np.zeros(0))))


def test_a_large_unfinished_wav_file_has_a_header_for_its_size(kept, monkeypatch):
    """Beyond 4 GB a header has other fields; a smaller limit stands for it here."""
    monkeypatch.setattr("inside_musicnn.sound.containers.riff._LARGEST_PLAIN", 10**5)
    whole = load_clip(kept("whole.wav", encoded("WAV")))
    clip = load_clip(kept("x.wav", with_sizes(encoded("WAV"), 0)))
    assert np.array_equal(clip.samples, whole.samples)


LEVELS = {
    "sides cancel": (np.stack([music(), -music()], 1), "cancel .* dB below|cancel .*nothing"),
    "one bit": (np.where(np.arange(6 * RATE) % 2, 1 / 32768, 0), "as good as silent, .* -9. dBFS"),
    "silent": (np.zeros(6 * RATE), "is silent, so its tags"),
    "mostly silent": (music() * (np.arange(len(music())) < 4 * RATE), "-70 dBFS, for 6.% of"),
    "far too large": (music() * 10, r"reach \d+\.\d, .* adds up to [12]\.\d to every value"),
}


@pytest.mark.parametrize("what", LEVELS)
def test_sound_that_is_not_as_it_is_meant_to_be(kept, what):
    samples, words = LEVELS[what]
    path = kept("x.wav", encoded("WAV", samples, subtype="FLOAT"))
    (note,) = load_clip(path).notes
    assert re.search(words, note) and note.endswith(".") and str(path) in note


@pytest.mark.parametrize("factor", [0.1, 1.0])
def test_of_ordinary_sound_nothing_is_said(kept, factor):
    wide = np.stack([music(), np.roll(music(), 5000)], 1) * factor
    for samples in (music() * factor, wide, np.stack([music(), 0 * music()], 1)):
        assert load_clip(kept("x.wav", encoded("WAV", samples, subtype="FLOAT"))).notes == ()


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_samples_that_are_no_numbers_get_one_sentence(kept, capsys, channels):
    samples = np.repeat(music(4)[:, None], channels, 1)
    samples[5000, 0], samples[6000, -1], samples[5000, -1] = np.nan, np.inf, -np.inf
    path = kept("x.wav", encoded("WAV", samples, subtype="FLOAT"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["tags", str(path)]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "not a number or infinite" in said


def test_one_rule_for_all_containers():
    def layout(frames, stated=None, ending="marked", gaps=()):
        return Layout((Link(10, frames, (Run(0),), gaps),), stated, ending)

    assert judge(layout(100, 10.0)) == judge(layout(100)) and not judge(layout(100)).damages
    assert judge(layout(100, 10.05)).damages == ()
    assert judge(layout(100, 12.0)).damages == (Damage(10.0, 2.0, True),)
    assert judge(layout(100, None, "torn")).damages == (Damage(10.0, None, True),)
    assert judge(layout(100, None, "open")).doubtful
    assert not judge(layout(100, 10.0, "open")).doubtful
    assert judge(layout(100, 10.0, gaps=((20, 30),))).damages == (Damage(2.0, 1.0),)
    two = Layout((Link(10, 100, (Run(0),)), Link(20, 100, (Run(0),), ((20, 40),))), None, "marked")
    assert judge(two).damages == (Damage(11.0, 1.0),) and two.seconds == 15.0


OTHERS = {
    "aac.m4a": ("aac", "mp4"), "alac.m4a": ("alac", "mp4"), "aac.mp4": ("aac", "mp4"),
    "wma.wma": ("wmav2", "asf"), "opus.webm": ("libopus", "webm"), "flac.mka": ("flac", "matroska"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_formats_that_libsndfile_does_not_know(kept, tmp_path, name):
    codec, container = OTHERS[name]
    rate = 48000 if codec == "libopus" else RATE
    path = tmp_path / name
    by_pyav(path, codec, container, rate=rate)
    clip = load_clip(path)
    expected = load_clip(kept("plain.wav", encoded("WAV"))).samples
    assert clip.duration == pytest.approx(awkward.SECONDS, abs=0.1) and clip.notes == ()
    inside = expected[20000:160000]
    likeness = np.correlate(clip.samples[19000:161000], inside)  # a file may not tell its delay
    alike = clip.samples[19000 + likeness.argmax() :][: len(inside)]
    assert np.corrcoef(alike, inside)[0, 1] > 0.99
    if codec in ("alac", "flac"):
        assert np.abs(clip.samples - expected).max() < 2 * 2.0**-15  # steps of 16 bits, of each
    part = load_clip(path, offset=3.25, duration=4)
    assert np.abs(part.samples - clip.samples[52000:116000])[400:-400].max() < RESAMPLED
    broken = kept(f"broken.{name}", overwritten(path.read_bytes(), 0.5, 1500))
    with pytest.raises(InputError, match=r"is damaged: \d\.\d\d s from \d\.\d\d s on"):
        load_clip(broken)
    mended = load_clip(broken, damaged=True)
    assert mended.duration == pytest.approx(clip.duration, abs=0.05)
    assert mended.damaged_patches().any() and not mended.damaged_patches().all()


def test_sound_without_a_container_keeps_its_time(kept, tmp_path):
    """What cannot be decoded is as long as its bytes: a frame of AAC more or less."""
    data = by_pyav(tmp_path / "x.aac", "aac", "adts")
    whole = load_clip(tmp_path / "x.aac")
    assert "cannot be told" in whole.notes[0]
    path = kept("broken.aac", overwritten(data, 0.5, 5000))
    with pytest.raises(InputError, match="is damaged: 0.[3-6]. s from"):
        load_clip(path)
    clip = load_clip(path, damaged=True)
    frame = 1024 * 16000 / RATE
    assert abs(len(clip.samples) - len(whole.samples)) < 3 * frame
    assert clip.damaged_patches().tolist() == [False, False, True, False]


CUT = {"m4a": ("aac", "mp4", {"movflags": "faststart"}), "wma": ("wmav2", "asf", {}),
       "webm": ("libopus", "webm", {}), "mka": ("flac", "matroska", {})}


@pytest.mark.parametrize("kind", CUT)
def test_a_file_that_was_cut_by_its_other_decoder(kept, tmp_path, kind):
    codec, container, options = CUT[kind]
    rate = 48000 if codec == "libopus" else RATE
    data = by_pyav(tmp_path / f"x.{kind}", codec, container, rate=rate, **options)
    path = kept(f"cut.{kind}", data[: len(data) * 6 // 10])
    with pytest.raises(InputError, match="is truncated: it ends after|is damaged"):
        load_clip(path)
    clip = load_clip(path, damaged=True)
    assert 5 < clip.duration < 9
    found = re.search(r"is truncated: it ends after (\S+) s, (\S+) s before", clip.notes[-1])
    assert sum(map(float, found.groups())) == pytest.approx(awkward.SECONDS, abs=0.1)


def test_what_nothing_tells_by_its_other_decoder(kept, tmp_path):
    """A film that says how large it is, and a stream that says nothing."""
    caf, avi = encoded("CAF"), by_pyav(tmp_path / "x.avi", "mp2", "avi")
    for name, data in (("cut.caf", caf), ("cut.avi", avi)):
        path = kept(name, data[: len(data) // 2])
        with pytest.raises(InputError, match=r"truncated: it ends after [5-7]\.\d+ s, in the mid"):
            load_clip(path)
        assert 5 < load_clip(path, damaged=True).duration < 7
    live = by_pyav(tmp_path / "x.mka", "flac", "matroska", live="1")
    oga = by_pyav(tmp_path / "x.oga", "flac", "ogg")
    for name, data in (("live.mka", live), ("cut.mka", live[:-90000]), ("cut.oga", oga[:-90000])):
        (note,) = load_clip(kept(name, data)).notes
        assert "whole cannot be told" in note, name


def test_other_decoders_are_loaded_only_when_needed(kept, tmp_path):
    code = ("import sys; from inside_musicnn import load_clip; load_clip(sys.argv[1]); "
            "print('av' in sys.modules)")
    for name, data in (("x.mp3", encoded("MP3", music(4))),
                       ("x.m4a", by_pyav(tmp_path / "x.m4a", "aac", "mp4", music(4)))):
        done = subprocess.run([sys.executable, "-c", code, str(kept(name, data))], cwd=ROOT,
                              capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(name.endswith("m4a"))


def test_without_the_other_decoders_it_is_said(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match="or install the package `av`"):
        load_clip(kept("x.m4a", b"\0\0\0\x20ftypM4A " + bytes(500)))


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:9,\n{}\n", "ffconcat version 1.0\nfile '{}'\n"])
def test_a_playlist_opens_nothing(kept, tmp_path, text):
    other = tmp_path / "secret.m4a"
    by_pyav(other, "aac", "mp4", music(4))
    with pytest.raises(InputError, match="cannot be read as audio"):
        load_clip(kept("list.m4a", text.format(other).encode()))


@pytest.fixture
def damaged(kept):
    return kept("damaged.mp3", overwritten(encoded("MP3")))


def test_tags_say_and_mark_it(damaged, capsys):
    assert main(["tags", str(damaged)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and "is damaged" in said.err
    assert main(["tags", str(damaged), "--damaged", "--json"]) == 0
    said = capsys.readouterr()
    (found,) = json.loads(said.out)["recordings"]
    marks = [patch["damaged"] for patch in found["patches"]]
    assert marks == [False, True, False, False]
    assert said.err == "".join(f"{note}\n" for note in found["notes"]) and len(found["notes"]) == 1
    assert main(["tags", str(damaged), "--damaged", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["damaged"] for row in rows] == ["false", "true", "false", "false"]
    assert [float(row["rock"]) for row in rows] == [
        patch["scores"][0] for patch in found["patches"]]


def test_tensors_say_and_mark_it(damaged, tmp_path, capsys):
    command = ["tensors", str(damaged), "--layers=tags/logits", f"--output={tmp_path / 'x.npz'}"]
    assert main(command) == 2 and "is damaged" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()
    assert main([*command, "--damaged"]) == 0
    assert "is damaged" in capsys.readouterr().err
    metadata = json.loads(str(np.load(tmp_path / "x.npz")["metadata"]))
    assert metadata["damaged_patches"] == [1] and "is damaged" in metadata["notes"][0]


def test_a_corpus_says_and_marks_it(damaged, kept, tmp_path, capsys):
    folder = tmp_path / "music"
    folder.mkdir()
    damaged.rename(folder / "damaged.mp3")
    kept("music/loud.wav", encoded("WAV", music() * 10, subtype="FLOAT"))
    kept("music/plain.wav", encoded("WAV"))
    command = ["corpus", str(folder), "--output", str(tmp_path / "out"), "--jobs=0"]
    assert main(command) == 0
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and "'loud.wav' reach" in said.err
    data = read_corpus(tmp_path / "out")
    assert list(data.failed["file"]) == ["damaged.mp3"] and "is damaged" in data.failed["reason"][0]
    assert main([*command, "--damaged"]) == 0
    assert "'damaged.mp3' is damaged" in capsys.readouterr().err
    data = read_corpus(tmp_path / "out")
    files = data.files.set_index("file")
    assert data.failed.empty and dict(files["damaged_patches"]) == {
        "damaged.mp3": 1, "loud.wav": 0, "plain.wav": 0}
    assert "is damaged" in files["notes"]["damaged.mp3"] and files["notes"]["plain.wav"] == ""
    index, _ = data.patches()
    assert list(index["damaged"][index["file"] == "damaged.mp3"]) == [False, True, False, False]
    stored = pd.read_parquet(tmp_path / "out" / "patches")
    assert stored["damaged"].sum() == 1


@pytest.mark.parametrize("count, last", [(5, "note 4"), (6, "in 1 more file;"),
                                         (9, "in 4 more files;")])
def test_of_many_files_the_first_notes_are_told(tmp_path, count, last):
    told = list(_told({f"{n}.mp3": f"note {n}" for n in range(count)}, tmp_path))
    assert told[:5] == [f"note {n}" for n in range(5)] and last in told[-1]
    assert len(told) == min(count, 6)


def test_the_drop_in_says_it(damaged):
    with pytest.raises(InputError, match="is damaged"):
        extractor(str(damaged))
    with pytest.warns(UserWarning, match="is damaged"):
        taggram, _ = extractor(str(damaged), extract_features=False, damaged=True)
    assert taggram.shape == (4, 50)


def test_a_book_says_it(damaged, tiny_book, tmp_path, capsys):
    command = ["build", "--root", str(tiny_book), "--chapters=1", f"--audio={damaged}",
               "--output", str(tmp_path / "run")]
    assert main(command) == 2 and "is damaged" in capsys.readouterr().err
    (tiny_book / "book" / "index.md").write_text(
        "# A tiny book\n\n```{include} _generated/recording.md\n```\n")
    assert main([*command, "--damaged"]) == 0
    assert "is damaged" in capsys.readouterr().err
    page = BeautifulSoup((tmp_path / "run" / "site" / "book" / "index.html").read_text(
        encoding="utf-8"), "html.parser")
    words = page.find("article").get_text()
    assert "'damaged.mp3' is damaged" in words.translate(str.maketrans("‘’", "''"))
    assert str(tmp_path) not in words


def test_the_standard_input(kept, tmp_path, capsys):
    path = kept("x.ogg", encoded("OGG", music(7)))
    expected = load_clip(path)
    for command in (["tags", "--json", "-"],
                    ["tensors", "--layers=tags/sigmoid", f"--output={tmp_path / 'x.npz'}", "-"]):
        done = subprocess.run([sys.executable, "-m", "inside_musicnn", *command], cwd=ROOT,
                              stdin=path.open("rb"), capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        if command[0] == "tags":
            (found,) = json.loads(done.stdout)["recordings"]
            assert found["file"] == "standard input"
            scores = [patch["scores"] for patch in found["patches"]]
    truth = truth_of("MSD_musicnn", expected.patches(), SILENT)
    assert truth.ratio("tags/sigmoid", np.load(tmp_path / "x.npz")["tags/sigmoid"]) <= 1
    away = np.abs(truth["tags/sigmoid"].value - scores)  # the compact network leaves some out
    assert (away <= PROMISED + truth["tags/sigmoid"].bound).all()
    assert len(scores) == len(expected.patches()) == 2


@pytest.mark.parametrize("sent, words", [(b"", "is empty"), (b"no sound", "cannot be read")])
def test_the_standard_input_holds_no_audio(sent, words):
    done = subprocess.run([sys.executable, "-m", "inside_musicnn", "tags", "-"], cwd=ROOT,
                          input=sent, capture_output=True)
    said = done.stderr.decode()
    assert done.returncode == 2 and words in said and len(said.splitlines()) == 1
