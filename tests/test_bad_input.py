"""Bad input through the real commands: one sentence, exit code 2, nothing half-written.

And input that only looks bad: odd rates, channels, sample formats and names, and silence.
"""

import json
import os
import re
import resource

import librosa
import nbformat
import numpy as np
import papermill
import pytest
import soundfile
from arithmetic.sound import truth_of_samples
from bs4 import BeautifulSoup
from conftest import ROOT, write_chapter

from inside_musicnn import load_clip
from inside_musicnn.commands.main import main
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.sound.clips import SHORTEST
from inside_musicnn.sound.spectrogram import cut_patches, db_mel

RATE = 44100
LIVE = "<script>alert(1)<img src=x onerror=alert(1)>{{7*7}}$x$ $\\foo$ `b` *c* [d](e) \"'&lt;.wav"


@pytest.fixture(scope="module")
def music():
    """Seven seconds of the default clip, stereo, 44.1 kHz."""
    return soundfile.read(ROOT / "data" / "disco.ogg", frames=7 * RATE, dtype="float32")[0]


def cut(file, share):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])


@pytest.fixture(scope="module")
def bad(tmp_path_factory, music):
    """A folder of files that no command may take, and the words that each sentence must hold."""
    folder = tmp_path_factory.mktemp("bad")

    def write(name, samples, rate=RATE, **options):
        soundfile.write(folder / name, samples, rate, **options)

    (folder / "folder.wav").mkdir()
    (folder / "text.wav").write_text("not a sound")
    (folder / "page.mp3").write_text("<html>" + 5000 * "not found ")
    (folder / "zero.mp3").write_bytes(b"")
    write("none.wav", music[:0])
    write("short.wav", np.zeros(SHORTEST - 1), 16000)
    write("nan.wav", np.where(np.arange(len(music))[:, None] == RATE, np.nan, music),
          subtype="FLOAT")
    write("infinite.wav", np.where(np.arange(len(music))[:, None] == RATE, np.inf, music),
          subtype="FLOAT")
    for name in ("cut.mp3", "cut.flac", "cut.wav", "cut.ogg"):
        write(name, music)
        cut(folder / name, 0.6)
    write("\x1b[2Jred\n.wav", music[:100])
    return folder


BAD = {
    "no.wav": "no audio file", "folder.wav": "is a folder", "text.wav": "cannot be read as audio",
    "page.mp3": "cannot be read as audio", "zero.mp3": "empty file of 0 bytes",
    "none.wav": "no samples", "short.wav": "too short: 2.9. s", "nan.wav": "not a number",
    "infinite.wav": "not a number or infinite", "cut.mp3": "truncated", "cut.wav": "truncated",
    "cut.flac": "truncated|cannot be read", "cut.ogg": "truncated",
    "\x1b[2Jred\n.wav": r"'.*/\\x1b\[2Jred\\n.wav' is too short",
}


def arguments(command, folder, tiny):
    """The command, so that only the audio is missing, writing to `folder`."""
    return {
        "tags": ["tags", "--output", str(folder / "tags.json"), "--json"],
        "tensors": ["tensors", "--layers", "cnn_4/norm", "--output", str(folder / "out.npz")],
        "build": ["build", "--root", str(tiny), "--output", str(folder / "run")],
    }[command]


def audio(command, file):
    return [f"--audio={file}"] if command == "build" else ["--", str(file)]


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture(params=["tags", "tensors", "build"])
def command(request, out, tiny_book):
    """Runs a command on a file and returns its exit code; anything may be added."""
    def run(file, *more):
        name = request.param
        return main([*arguments(name, out, tiny_book), *more, *audio(name, file)])

    run.name = request.param
    return run


def one_sentence(capsys, words):
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1, said
    assert re.search(words, said.err), said.err
    assert said.err.endswith(".\n") and "Error" not in said.err and "\x1b" not in said.err


@pytest.mark.parametrize("name, words", BAD.items(), ids=[ascii(name) for name in BAD])
def test_bad_audio(command, bad, out, capsys, name, words):
    assert command(bad / name) == 2
    one_sentence(capsys, words)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("more, words", [
    (["--model=vgg"], "no model 'vgg'; choose one of MSD_musicnn, MTT_musicnn"),
    (["--start=99"], "99 s is beyond the end of 'disco', which lasts 30.00 s"),
    (["--start=28"], "too short: 2.00 s from the offset on"),
    (["--start=-1"], "0 or more"), (["--start=nan"], "0 or more"), (["--start=inf"], "0 or more"),
])
def test_bad_options(command, out, capsys, more, words):
    assert command("disco", *more) == 2
    one_sentence(capsys, words)
    assert list(out.iterdir()) == []


def test_unknown_chapter_and_layer(out, tiny_book, capsys):
    assert main([*arguments("build", out, tiny_book), "--chapters=9"]) == 2
    one_sentence(capsys, "no chapter '9'; choose from 01_one, 02_two")
    assert main([*arguments("tensors", out, tiny_book), "disco", "--layers=cnn_5"]) == 2
    one_sentence(capsys, "no layer 'cnn_5'; choose one of input/db_mel, .*tags/sigmoid")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("place", ["file/out.npz", "/proc/out.npz"])
def test_an_output_that_cannot_be_written(command, out, capsys, place):
    if not os.path.exists(place) and not os.path.exists("/proc/self"):
        pytest.skip("this system has no /proc")
    (out / "file").write_text("a letter")
    # The file stands before the folder, so that no permission of root's helps.
    assert command("disco", "--output", str(out / place)) == 2
    one_sentence(capsys, "output|is a file")
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("file", "a letter")]


@pytest.mark.parametrize("name", ["tags", "tensors"])
def test_an_output_that_is_a_pipe_stays_one(out, tiny_book, capsys, name):
    """Nor is a device replaced; a pipe stands for it, as no test may touch a real one."""
    os.mkfifo(out / "pipe.npz")
    asked = arguments(name, out, tiny_book)
    assert main([*asked, "--output", str(out / "pipe.npz"), "disco"]) == 2
    one_sentence(capsys, "pipe.npz is not a file")
    assert (out / "pipe.npz").is_fifo() and len(list(out.iterdir())) == 1


def test_a_full_disk(command, out, capsys):
    """A limit on the size of files stands for the disk: writing fails in the same way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
    try:
        code = command("disco", "--start=20")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = capsys.readouterr()
    assert code == 2
    assert "written" in said.err and "Traceback" not in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("rate, channels, subtype, close", [
    (96000, 2, "PCM_16", 0.02), (44100, 6, "PCM_16", 0.02), (44100, 2, "PCM_24", 1e-3),
    (44100, 2, "FLOAT", 0), (44100, 1, "PCM_U8", 0.1)])
def test_odd_formats_have_the_tags_of_the_music(tmp_path, music, capsys, rate, channels, subtype,
                                                close):
    samples = librosa.resample(music.T, orig_sr=RATE, target_sr=rate).T
    samples = samples.mean(axis=1, keepdims=True).repeat(channels, axis=1)
    soundfile.write(tmp_path / "x.wav", samples, rate, subtype=subtype)
    soundfile.write(tmp_path / "plain.wav", music, RATE, subtype="FLOAT")
    assert main(["tags", "--json", str(tmp_path / "x.wav"), str(tmp_path / "plain.wav")]) == 0
    said = capsys.readouterr()
    odd, plain = json.loads(said.out)["recordings"]
    scores, expected = ([patch["scores"] for patch in found["patches"]] for found in (odd, plain))
    truth = truth_of_samples("MSD_musicnn", load_clip(tmp_path / "plain.wav").samples, THRESHOLD)
    allowed = close + 2 * truth["tags/sigmoid"].bound  # what the format loses, and rounding
    assert np.shape(scores) == (2, 50) and (np.abs(np.subtract(scores, expected)) <= allowed).all()
    assert np.ptp(expected) > 0.05 and said.err == ""


def test_8_khz_has_the_tags_of_its_lower_half(tmp_path, music, capsys):
    low = librosa.resample(music.mean(axis=1), orig_sr=RATE, target_sr=8000)
    soundfile.write(tmp_path / "low.wav", low, 8000, subtype="FLOAT")
    assert main(["tags", "--json", str(tmp_path / "low.wav")]) == 0
    (found,) = json.loads(capsys.readouterr().out)["recordings"]
    samples = librosa.resample(low, orig_sr=8000, target_sr=16000)
    patches = cut_patches(db_mel(samples))
    assert patches[:, :, :60].any() and patches[:, :, 90:].max() < 0.1 * patches.max()
    scores = [patch["scores"] for patch in found["patches"]]
    assert truth_of_samples("MSD_musicnn", samples, THRESHOLD).ratio("tags/sigmoid", scores) <= 1


@pytest.fixture
def silent(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(4 * 16000), 16000)
    return tmp_path / "silent.wav"


def test_silence_is_said_and_goes_on(silent, out, capsys):
    assert main(["tags", "--json", str(silent), "disco", "--duration=4"]) == 0
    said = capsys.readouterr()
    assert said.err == f"The audio in '{silent}' is silent, so its tags tell of no music.\n"
    assert "NaN" not in said.out and '"disco"' in said.out
    assert main(["tensors", str(silent), "--layers=pool/mean", "--output", str(out / "x.npz")]) == 0
    assert "is silent" in capsys.readouterr().err
    assert np.isfinite(np.load(out / "x.npz")["pool/mean"]).all()


def test_silence_is_said_by_a_build_that_goes_on(silent, tiny_book, out, capsys):
    assert main(["build", "--root", str(tiny_book), "--audio", str(silent), "--chapters=1",
                 "--segments=1", "--output", str(out / "run")]) == 0
    said = capsys.readouterr().out
    assert "silent is silent where the chapters look at it; they go on" in said
    assert (out / "run" / "site" / "index.html").exists()


@pytest.mark.parametrize("name", ["a b's \"c\".wav", "🦆.wav", "-song.wav", "<b>.wav", "--csv"])
def test_odd_names_for_tensors(tmp_path, monkeypatch, music, name):
    soundfile.write(tmp_path / name, music[: 4 * RATE], RATE, format="WAV")
    monkeypatch.chdir(tmp_path)
    assert main(["tensors", "--layers=tags/sigmoid", "--output=x.npz", "--", name]) == 0
    truth = truth_of_samples("MSD_musicnn", load_clip(tmp_path / name).samples)
    assert truth.ratio("tags/sigmoid", np.load("x.npz")["tags/sigmoid"]) <= 1


@pytest.fixture(scope="module")
def live(tmp_path_factory, music):
    """Playable music whose name is HTML, a template, a formula and Markdown."""
    file = tmp_path_factory.mktemp("live") / LIVE
    soundfile.write(file, music, RATE)
    return file


def no_live_name(markup):
    """That no element of a page comes from the name, and no template was filled in."""
    # To a browser a title is text up to its end, whatever stands in it; Python's parser of 3.11
    # takes tags in it for tags. No file's name can end it, as none holds a slash.
    markup = re.sub(r"<title>.*?</title>", "", markup, flags=re.DOTALL)
    page = BeautifulSoup(markup, "html.parser")
    assert not any("alert(1)" in script.get_text() for script in page.find_all("script"))
    assert not page.find("img", src="x") and not page.find(attrs={"onerror": True})
    assert not page.find("a", href="e") and "49$x$" not in page.get_text()
    return page


def test_a_name_on_a_page_is_only_a_name(tiny_book, live, out, capsys):
    code = ("from helpers import load_clip\nfrom helpers.page.players import players\n"
            "from helpers.page.values import table\nclip = load_clip(audio, duration=6)\n"
            "table({'name': [clip.title]})\nplayers({clip.title: clip.samples})")
    write_chapter(tiny_book / "book" / "01_one.ipynb", "One", code,
                  "%%say\nHeard << clip.title >>.")
    done = main([*arguments("build", out, tiny_book), "--chapters=1", f"--audio={live}"])
    assert done == 0, capsys.readouterr().err
    for page in (out / "run" / "site").rglob("*.html"):
        text = no_live_name(page.read_text(encoding="utf-8")).get_text()
        if page.stem == "01_one":
            # Only quotation marks look different: Sphinx curls them in running text.
            straight = text.translate(str.maketrans("“”‘’", "\"\"''"))
            assert f"Heard {live.stem}." in straight


def test_the_first_chapter_runs_on_such_a_name(live, tmp_path):
    done = papermill.execute_notebook(
        ROOT / "book" / "01_system.ipynb", tmp_path / "done.ipynb", cwd=ROOT / "book",
        parameters={"audio": str(live), "segments": 2}, progress_bar=False, log_output=False)
    shown = 0
    for cell in nbformat.from_dict(done).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert output.output_type != "error" and output.get("name") != "stderr"
            no_live_name(data.get("text/html", ""))
            # Markdown is turned into HTML later: there the name must be escaped altogether.
            assert "alert(1)" not in data.get("text/markdown", "")
            shown += "alert" in str(data)
    assert shown
