"""The wheel: built, installed where nothing else is, and held to the package's own answers."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile

import numpy as np
import pytest
import soundfile
from arithmetic.sound import truth_of_clip
from conftest import ROOT

from helpers.evidence.reference import reference
from inside_musicnn import MusiCNN, load_clip
from inside_musicnn.drop_in import AGREEMENT, FEATURES
from inside_musicnn.network.weights import MODELS
from inside_musicnn.sound.shipped import clip_file

LARGEST = 2_500_000  # bytes of the wheel
PROMISED = 1e-4
MEMORY = 120e6  # bytes
SLOW = {"asyncio", "http", "multiprocessing", "ssl", "unittest", "xml"}  # of the standard library
CLIPS = ("disco", "lucky_13")  # synthesised, and a recording
OLDEST = ("numpy==1.26.0", "soundfile==0.12.1", "soxr==0.4.0")
NEWEST = ("numpy", "soundfile", "soxr")
# Most memory in kB; not ru_maxrss, in which the process that started it counts, too.
PEAK = """
from pathlib import Path
status = Path("/proc/self/status")
print(status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else 0)
"""
SOURCES = ("inside_musicnn", "pyproject.toml", "README.md", "LICENSE")


def run(*command, **options):
    """A command as in a shell that knows nothing of this checkout."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          env=options.pop("env", env), **options)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that nothing is left in the sources."""
    place = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name,
                            ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copyfile(ROOT / name, place / name)
    done = run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
               "--no-build-isolation", "--wheel-dir", place / "dist", place)
    assert done.returncode == 0, done.stderr
    return next((place / "dist").glob("*.whl"))


@pytest.fixture(scope="session", params=[OLDEST, NEWEST], ids=["oldest", "newest"])
def environment(request, wheel, tmp_path_factory):
    """A Python with the wheel and the three packages that it needs; the folder of its programs."""
    folder = tmp_path_factory.mktemp("environment")
    python = newest_python() if request.param is NEWEST else sys.executable
    if python == sys.executable:
        venv.create(folder, with_pip=False)
    else:
        run(python, "-m", "venv", "--without-pip", folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet",
           "--only-binary", ":all:")
    done = run(*pip, *request.param)
    if done.returncode:
        pytest.skip(f"no package index can be reached for {', '.join(request.param)}: "
                    f"{(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    done = run(*pip, "--no-index", wheel)  # its own requirements are satisfied
    assert done.returncode == 0, done.stderr
    return programs


def newest_python():
    """The newest Python of those that the book allows."""
    for name in ("python3.13", "python3.12"):
        found = shutil.which(name)
        if found and run(found, "-c", "").returncode == 0:
            return found
    return sys.executable


@pytest.fixture(scope="session")
def audio(tmp_path_factory):
    """Shipped clips, and one of them as MP3."""
    folder = tmp_path_factory.mktemp("audio")
    for name in CLIPS:
        shutil.copyfile(clip_file(name), folder / f"{name}.ogg")
    samples, rate = soundfile.read(folder / "lucky_13.ogg")
    soundfile.write(folder / "lucky_13.mp3", samples, rate)
    return folder


@pytest.fixture(scope="session")
def answers(environment, audio, tmp_path_factory):
    """What the library answers there."""
    place = tmp_path_factory.mktemp("answers")
    script = shutil.copyfile(ROOT / "tests" / "asked_of_wheel.py", place / "asked.py")
    done = run(environment / "python", "-I", script, audio, place / "found.npz", cwd=place)
    assert done.returncode == 0, done.stderr
    with np.load(place / "found.npz", allow_pickle=False) as found:
        return dict(found)


def test_it_is_small_and_holds_the_library_alone(wheel):
    assert wheel.stat().st_size <= LARGEST and wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert {name.split("/")[0].split("-")[0] for name in names} == {"inside_musicnn"}
        licence = archive.read("inside_musicnn/weights/LICENSE").decode()
        told = archive.read("inside_musicnn/weights/README.md").decode()
        metadata = archive.read(next(n for n in names if n.endswith("METADATA"))).decode()
    assert "Jordi Pons" in licence and "ISC licence" in told and "Xavier Serra" in told
    assert "inside_musicnn/py.typed" in names and "License-Expression: MIT AND ISC" in metadata
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    plain = {line.split()[1].split(">")[0] for line in needed if "extra ==" not in line}
    assert plain == {"numpy", "soundfile", "soxr"}
    extras = {line.split()[1] for line in metadata.splitlines()
              if line.startswith("Provides-Extra")}
    assert extras == {"corpus", "deformations", "formats", "original", "book"}


@pytest.mark.parametrize("model", MODELS)
def test_taggrams_are_those_of_the_package_and_of_the_original_graph(answers, model):
    original = MusiCNN(model)
    for name in CLIPS:
        found = answers[f"{model}/{name}.ogg/taggram"]
        truth = truth_of_clip(model, name)["tags/sigmoid"]
        for known in (reference(name, model)["taggram"], original.tags(load_clip(name))):
            assert found.shape == known.shape and found.dtype == np.float32
            assert (np.abs(found - known) <= PROMISED + 2 * truth.bound).all(), name
    mp3, ogg = (answers[f"{model}/lucky_13.{kind}/taggram"] for kind in ("mp3", "ogg"))
    assert np.abs(mp3 - ogg).max() < 0.1  # the same music


@pytest.mark.parametrize("model", MODELS)
def test_the_drop_in_agrees_key_by_key(answers, model):
    layers = [layer for layer, _ in FEATURES.values()]
    known = MusiCNN(model).activations(load_clip("disco"), ["tags/sigmoid", *layers])
    assert {name.rsplit("/", 1)[1] for name in answers if "/extractor/" in name} == set(AGREEMENT)
    for key, most in AGREEMENT.items():
        layer, columns = FEATURES.get(key, ("tags/sigmoid", slice(None)))
        expected = known[layer][..., columns]
        found = answers[f"{model}/extractor/{key}"].reshape(expected.shape)
        assert np.abs(found - expected).max() <= most, key


@pytest.mark.parametrize("model", MODELS)
def test_every_way_gives_the_same(answers, model):
    known = answers[f"{model}/disco.ogg/taggram"]
    for way in ("samples", "pickled", "forked", "thread 0", "thread 1", "thread 2"):
        assert np.allclose(answers[f"{model}/{way}"], known, rtol=0, atol=1e-5), way
    assert np.abs(answers[f"{model}/sum"]).max() < 1e-4


def test_what_is_missing_is_one_sentence(answers):
    said = json.loads(str(answers["sentences"]))
    assert said["corpus"] == ("A data set of a collection needs the extra 'corpus'; install it "
                              "with: pip install 'inside-musicnn[corpus]'.")
    assert "needs the extra 'original'" in said["original"]
    assert said["clip"] == "There is no audio file 'disco'; give the path of one."


def test_the_commands(environment, audio, tmp_path):
    def ask(*arguments):
        return run(environment / "musicnn-book", *arguments, cwd=tmp_path)

    file = audio / "disco.ogg"
    assert ask("tags", file, "--json", "--output", "tags.json").returncode == 0
    (found,) = json.loads((tmp_path / "tags.json").read_text())["recordings"]
    scores = np.array([patch["scores"] for patch in found["patches"]])
    assert np.abs(scores - reference("disco", "MSD_musicnn")["taggram"]).max() <= 2 * PROMISED
    done = ask("tensors", file, "--layers", "cnn_1/out,dense/norm", "--output", "layers.npz")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "layers.npz", allow_pickle=False) as tensors:
        assert tensors["cnn_1/out"].shape[1:] == (187, 561)
        assert json.loads(str(tensors["metadata"]))["network"] == "compact"
    told = ask("unit", "MSD_musicnn", "cnn_1/out", "12")
    assert told.stdout.startswith("MSD_musicnn cnn_1/out 12 (timbral_38 unit 12): live\n")
    assert "in data/units of the book's repository" in told.stdout.splitlines()[-1]
    refusals = {
        ("tensors", file, "--layers", "cnn_1/timbral_38/conv", "--output", "x.npz"): "'original'",
        ("tensors", file, "--layers", "cnn_1/out", "--output", "x.zarr"): "'corpus'",
        ("corpus", audio, "--output", "data"): "'corpus'",
        ("tags", file, "--original"): "'original'",
        ("build", "--audio", file): "needs the book",
    }
    for arguments, words in refusals.items():
        done = ask(*arguments)
        assert done.returncode == 2 and words in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert sorted(each.name for each in tmp_path.iterdir()) == ["layers.npz", "tags.json"]


def test_it_is_light_to_meet(environment, tmp_path):
    """How long this takes, `make bench` tells; here is what it hangs on."""
    noise = np.random.default_rng(0).normal(0, 0.1, (180 * 44100, 2))
    soundfile.write(tmp_path / "three minutes.mp3", noise, 44100)

    def said(code):
        done = run(environment / "python", "-I", "-c", code, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    brought = set(said("import sys, numpy\nbefore = set(sys.modules)\n"
                       "from inside_musicnn import Tagger\n"
                       "print(*{name.split('.')[0] for name in set(sys.modules) - before})"))
    foreign = {name for name in brought - set(sys.stdlib_module_names)
               if not name.startswith("_cython")}  # Cython's own, in soxr
    assert foreign <= {"inside_musicnn", "numpy", "soxr", "soundfile", "_soundfile",
                       "_soundfile_data", "_cffi_backend", "typing_extensions"}
    assert not brought & SLOW
    peak = said("from inside_musicnn import Tagger\n"
                "Tagger().tags('three minutes.mp3')" + PEAK)[-1]
    assert int(peak) * 1024 <= MEMORY


def test_the_original_is_not_needed_for_the_extras_that_are_there():
    """The book's own environment has them all: nothing is refused there."""
    assert all(map(importlib.util.find_spec, ("tensorflow", "musicnn", "pyarrow", "zarr", "av")))
    assert MusiCNN("MSD_musicnn").labels
