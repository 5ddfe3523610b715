"""The command `tags`: the network's own scores, in each form, for any recording."""

import csv
import io
import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from arithmetic.rounding import U
from arithmetic.sound import RESAMPLED, one_step_apart, truth_of_clip, truth_of_samples
from conftest import ROOT

from helpers.evidence.reference import reference
from inside_musicnn import MusiCNN, load_clip
from inside_musicnn.commands.main import main
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.sound.recordings import open_recording

HOSTILE = ["a b.wav", "it's \"5\", x.wav", "🦆.wav", "<script>alert(1).wav", "-dash.wav",
           "=cmd|' x'!A1.wav", "new\nline\r.wav", "\x1b[31mred\x07.wav", "\u202eexe.wav"]


def said(capsys, *arguments, code=0):
    """What the command prints."""
    assert main(["tags", *map(str, arguments)]) == code
    return capsys.readouterr()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder of playable files with odd names, and one whose name is not text."""
    folder = tmp_path_factory.mktemp("hostile")
    noise = np.random.default_rng(2).normal(0, 0.1, 4 * 16000)
    for name in HOSTILE:
        soundfile.write(folder / name, noise, 16000)
    os.rename(folder / HOSTILE[0], os.fsencode(folder) + b"/by\xfete.wav")
    soundfile.write(folder / HOSTILE[0], noise, 16000)
    return folder


@pytest.mark.parametrize("model", ["MSD_musicnn", "MTT_musicnn"])
@pytest.mark.parametrize("switch", [[], ["--original"]])
def test_json_is_what_the_package_answered(capsys, model, switch):
    answer = json.loads(said(capsys, "disco", "piano", "--json", "--model", model, *switch).out)
    assert answer["model"] == model
    assert [recording["file"] for recording in answer["recordings"]] == ["disco", "piano"]
    for recording in answer["recordings"]:
        known = reference(recording["file"], model)
        assert answer["labels"] == list(known["labels"])
        scores = np.array([patch["scores"] for patch in recording["patches"]])
        truth = truth_of_clip(model, recording["file"], 0.0 if switch else THRESHOLD)
        assert truth.ratio("tags/sigmoid", scores) <= 1
        top = [answer["labels"].index(entry["tag"]) for entry in recording["top"]]
        mean = scores.mean(axis=0)
        found = [entry["score"] for entry in recording["top"]]
        assert found == pytest.approx(mean[top], rel=len(scores) * U)
        assert found == sorted(found, reverse=True) and len(top) == 10
        # The package's own order, but for tags that rounding or what is left out may exchange.
        theirs = known["taggram"].mean(axis=0)
        apart = np.abs(scores - known["taggram"]).max()
        assert (np.diff(theirs[top]) <= 2 * apart).all()
        assert np.sort(theirs)[-10] - theirs[top].min() <= 2 * apart


def test_original_and_compact_are_different_networks(capsys, monkeypatch):
    opened = []
    real = MusiCNN.__init__
    monkeypatch.setattr(MusiCNN, "__init__", lambda self, *args, **kwargs: (
        opened.append(kwargs.get("compact", False)), real(self, *args, **kwargs))[1])
    from inside_musicnn.commands.tags import _opened

    _opened.cache_clear()
    said(capsys, "disco", "--duration", 4)
    said(capsys, "disco", "--duration", 4, "--original")
    assert opened == [True, False]


def test_csv_has_one_header_and_the_same_numbers(capsys):
    rows = list(csv.reader(io.StringIO(said(capsys, "disco", "rock", "--csv").out)))
    answer = json.loads(said(capsys, "disco", "rock", "--json").out)
    assert rows[0] == ["file", "start", "end", *answer["labels"]]
    flat = [[recording["file"], patch["start"], patch["end"], *patch["scores"]]
            for recording in answer["recordings"] for patch in recording["patches"]]
    assert [[row[0], *map(float, row[1:])] for row in rows[1:]] == flat


def test_times_are_seconds_of_the_file(capsys):
    answer = json.loads(said(capsys, "rock", "--json", "--start", 6, "--duration", 10).out)
    patches = answer["recordings"][0]["patches"]
    assert [patch["start"] for patch in patches] == [6.0, 8.992, 11.984]
    assert patches[0]["end"] == 8.992
    truth = truth_of_samples("MSD_musicnn", load_clip("rock", 6, 10).samples, THRESHOLD)
    assert truth.ratio("tags/sigmoid", [patch["scores"] for patch in patches]) <= 1


def test_table_is_for_readers(capsys):
    lines = said(capsys, "disco", "--top", 3).out.splitlines()
    assert lines[0] == "disco: 10 patches, 0.0 to 29.9 s, MSD_musicnn"
    scores = [float(line.split()[0]) for line in lines[1:]]
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)


def test_one_bad_file_among_others(capsys, tmp_path):
    (tmp_path / "text.wav").write_text("not a sound")
    done = said(capsys, "disco", tmp_path / "text.wav", "/no.wav", "rock", "--json", code=2)
    assert [found["file"] for found in json.loads(done.out)["recordings"]] == ["disco", "rock"]
    first, second = done.err.splitlines()
    assert "text.wav" in first and "cannot be read" in first and "no audio file '/no.wav'" in second


@pytest.mark.parametrize("kind", ["--json", "--csv"])
def test_odd_names_make_valid_answers(capsys, hostile, monkeypatch, kind):
    monkeypatch.chdir(hostile)
    names = sorted(os.listdir(hostile))
    text = said(capsys, kind, "--", *names).out
    if kind == "--json":
        found = [recording["file"] for recording in json.loads(text)["recordings"]]
    else:
        found = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]
        assert not any(name.startswith(("=", "-", "+", "@")) for name in found)
    shown = [os.fsencode(name).decode("utf-8", "backslashreplace") for name in names]
    assert [os.path.normpath(name) for name in found] == shown


def test_a_terminal_gets_no_control_characters(capsys, hostile, monkeypatch):
    monkeypatch.chdir(hostile)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for kind in ([], ["--csv"], ["--json"]):
        done = said(capsys, *kind, "--", *sorted(os.listdir(hostile)), "no\x1b[2J\nfile", code=2)
        for text in (done.out, done.err):
            assert not any(ord(letter) < 32 and letter != "\n" or letter == "\u202e"
                           for letter in text)
        assert "no\\x1b[2J\\nfile" in done.err and len(done.err.splitlines()) == 1


def test_a_dash_goes_through_the_real_command(hostile):
    done = subprocess.run(
        [sys.executable, "-m", "inside_musicnn", "tags", "--top", "1", "--", "-dash.wav"],
        cwd=hostile, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0 and done.stdout.startswith("-dash.wav: 1 patch, 0.0 to 3.0 s")


def test_output_replaces_a_file_only_when_complete(capsys, tmp_path):
    file = tmp_path / "tags.json"
    file.write_text("old")
    assert said(capsys, "/no.wav", "--json", "--output", file, code=2).out == ""
    assert file.read_text() == "old"
    assert said(capsys, "disco", "--json", "--output", file).out == ""
    assert len(json.loads(file.read_text())["recordings"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tags.json"]


def test_a_reader_that_leaves_early_is_no_error():
    done = subprocess.run(
        f"'{sys.executable}' -m inside_musicnn tags disco rock piano --csv | head -c 10; "
        "echo ${PIPESTATUS[0]}", shell=True, executable="/bin/bash", cwd=ROOT,
        capture_output=True, text=True)
    assert done.stdout == "file,start0\n" and done.stderr == ""


def test_blocks_join_to_what_load_clip_loads(tmp_path, monkeypatch):
    samples, rate = soundfile.read(ROOT / "data" / "disco.ogg")
    monkeypatch.setattr("inside_musicnn.sound.decoding.BLOCK", 100_003)
    for kind, part in [("mp3", (0, None)), ("flac", (1.3, 9.7)), ("wav", (2, 7))]:
        file = tmp_path / f"x.{kind}"
        soundfile.write(file, samples, rate)
        clip, recording = load_clip(file, *part), open_recording(file, *part)
        joined = np.concatenate(list(recording.sample_blocks()))
        assert joined.dtype == np.float32 and joined.shape == clip.samples.shape
        assert np.abs(joined - clip.samples).max() < RESAMPLED
        patches = list(recording.patch_batches(2))
        assert [len(batch) for batch in patches[:-1]] == [2] * (len(patches) - 1)
        assert one_step_apart(np.concatenate(patches), clip.patches())
        assert recording.patch_count() == len(clip.patches())


@pytest.mark.parametrize("frames, hop", [(187, 50), (61, 187), (20, 7), (1, 1)])
def test_patches_of_other_lengths(frames, hop):
    clip = load_clip("jazz_trio", duration=5)
    batches = open_recording("jazz_trio", duration=5).patch_batches(3, frames, hop)
    found, spectrogram = np.concatenate(list(batches)), clip.db_mel
    expected = [spectrogram[first : first + frames]
                for first in range(0, len(spectrogram) - frames + 1, hop)]
    assert found.shape == np.shape(expected) and one_step_apart(found, expected)


def peak(*arguments):
    """Largest memory of the command, in megabytes."""
    code = ("import resource, sys\nfrom inside_musicnn.commands.main import main\n"
            "main(sys.argv[1:])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) / (2**20 if sys.platform == "darwin" else 1024)


def test_memory_does_not_grow_with_the_length(tmp_path):
    noise = np.random.default_rng(3).normal(0, 0.1, 8000 * 60 * 20).astype(np.float32)
    for minutes in (3, 20):
        soundfile.write(tmp_path / f"{minutes}.wav", noise[: 8000 * 60 * minutes], 8000)
    short, long = (peak("tags", tmp_path / f"{minutes}.wav") for minutes in (3, 20))
    # The samples of 17 minutes more are 65 MB, their spectrum is 130 MB.
    assert long - short < 40


@pytest.mark.parametrize("top", ["0", "51", "-1"])
def test_number_of_tags(capsys, top):
    assert "must be 1 to 50" in said(capsys, "disco", "--top", top, code=2).err


def test_a_full_disk_leaves_nothing(tmp_path):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    (tmp_path / "tags.csv").write_text("old")
    done = subprocess.run(
        [sys.executable, "-m", "inside_musicnn", "tags", "disco", "--csv", "--output",
         str(tmp_path / "tags.csv")], cwd=ROOT, capture_output=True, text=True,
        preexec_fn=small_files)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "tags.csv cannot be written: File too large." in done.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "inside_musicnn", "tags", "disco"], cwd=ROOT,
                              stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "The tags cannot be printed: No space left on device.\n"
