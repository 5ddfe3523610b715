"""Check the clips in data/: files, sound, MIDI and descriptions agree with each other."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

DATA = Path(__file__).resolve().parent.parent / "data"
CLIPS = json.loads((DATA / "clips.json").read_text(encoding="utf-8"))
KEYS = ["name", "title", "style", "tempo", "key", "instruments", "licence", "file", "midi"]
FIRST = ["disco", "piano", "string_quartet", "rock", "techno", "acoustic_guitar", "choir",
         "jazz_trio"]

each_clip = pytest.mark.parametrize("clip", CLIPS, ids=[clip["name"] for clip in CLIPS])


@pytest.fixture(scope="module")
def compose():
    """The script data/compose.py as a module."""
    spec = importlib.util.spec_from_file_location("compose", DATA / "compose.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made_again(compose, tmp_path_factory):
    """A folder into which the script has just written all MIDI files."""
    folder = tmp_path_factory.mktemp("clips")
    assert compose.main(["--midi-only", "--output", str(folder)]) == 0
    return folder


def test_the_promised_clips_are_listed_in_order():
    assert [clip["name"] for clip in CLIPS][: len(FIRST)] == FIRST
    assert len({clip["title"] for clip in CLIPS}) == len(CLIPS)


@each_clip
def test_descriptions_are_complete(clip):
    assert list(clip) == KEYS
    assert clip["licence"] == "CC0-1.0"
    assert clip["instruments"] and all(clip["instruments"])
    assert clip["file"] == f"{clip['name']}.ogg"
    assert clip["midi"] == f"midi/{clip['name']}.mid"


@each_clip
def test_sound_has_the_right_form(clip):
    path = DATA / clip["file"]
    info = soundfile.info(path)
    assert (info.format, info.subtype) == ("OGG", "VORBIS")
    assert (info.samplerate, info.channels, info.frames) == (44100, 2, 30 * 44100)
    assert path.stat().st_size < 600_000


@each_clip
def test_sound_is_neither_clipped_nor_silent(clip):
    sound, rate = soundfile.read(DATA / clip["file"])
    assert 0.7 < np.abs(sound).max() < 0.99
    seconds = sound.reshape(30, rate, 2)
    loudness = 20 * np.log10(np.sqrt((seconds**2).mean(axis=(1, 2))))
    assert loudness.min() > -50
    assert np.abs(sound[-100:]).max() < 0.01, "the end should be faded out"


@each_clip
def test_midi_is_made_again_byte_for_byte(clip, made_again):
    assert (made_again / clip["midi"]).read_bytes() == (DATA / clip["midi"]).read_bytes()


@each_clip
def test_midi_agrees_with_the_description(clip):
    midi = pretty_midi.PrettyMIDI(str(DATA / clip["midi"]))
    assert midi.get_tempo_changes()[1][0] == pytest.approx(clip["tempo"], rel=1e-4)
    assert midi.get_end_time() == pytest.approx(30, abs=0.01)
    assert all(part.notes for part in midi.instruments)


@each_clip
def test_no_note_hangs_or_overlaps_itself(clip):
    midi = pretty_midi.PrettyMIDI(str(DATA / clip["midi"]))
    for part in midi.instruments:
        last = {}
        for note in sorted(part.notes, key=lambda note: note.start):
            assert 0 < note.end - note.start < 8
            assert last.get(note.pitch, 0) <= note.start + 1e-6
            last[note.pitch] = note.end


def test_clips_json_is_what_the_script_writes(made_again):
    assert (made_again / "clips.json").read_text(encoding="utf-8") == (
        DATA / "clips.json").read_text(encoding="utf-8")


def test_readme_table_agrees_with_clips_json():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    rows = [re.split(r"\s*\|\s*", line.strip("| \n")) for line in text.splitlines()
            if re.match(r"\| `\w+\.ogg`", line)]
    assert rows == [
        [f"`{clip['file']}`", clip["title"], clip["style"], f"{clip['tempo']:g} BPM",
         clip["key"], ", ".join(clip["instruments"]), clip["licence"]]
        for clip in CLIPS
    ]


def test_every_midi_and_sound_file_is_listed():
    assert {path.name for path in DATA.glob("*.ogg")} == {clip["file"] for clip in CLIPS}
    assert {f"midi/{path.name}" for path in DATA.glob("midi/*.mid")} == {
        clip["midi"] for clip in CLIPS}


def test_unknown_names_are_refused(compose, capsys):
    with pytest.raises(SystemExit):
        compose.main(["polka", "--midi-only"])
    assert "no clip is called polka" in capsys.readouterr().err


def test_a_missing_sound_font_is_one_clear_sentence(compose, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    font = tmp_path / "none.sf2"
    assert compose.main(["--soundfont", str(font), "--output", str(tmp_path)]) == 1
    assert f"There is no sound font at {font}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_missing_fluidsynth_is_one_clear_sentence(compose, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert compose.main(["--output", str(tmp_path)]) == 1
    assert "fluidsynth is needed" in capsys.readouterr().err
