"""What README and the page *Use it* say: their code runs, their numbers are those of the code."""

import re
import warnings

import pytest
import soundfile
from conftest import ROOT

from inside_musicnn import Tagger, load_clip
from inside_musicnn.drop_in import AGREEMENT, FEATURES
from inside_musicnn.network.layers import LAYERS
from making.benchmarks.told import written

PAGE, README = ROOT / "book" / "use_it.md", ROOT / "README.md"


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the recordings that the examples name."""
    clip = load_clip("lucky_13", duration=12)
    soundfile.write(tmp_path / "song.mp3", clip.samples, 16000)
    soundfile.write(tmp_path / "other.wav", clip.samples, 16000)
    monkeypatch.chdir(tmp_path)


def test_the_page_runs_from_top_to_bottom(here, capsys):
    known = {}
    for code in blocks(PAGE.read_text(), "python"):
        exec(compile(code, PAGE.name, "exec"), known)
    assert "rock" in capsys.readouterr().out
    assert known["scores"].shape == (7, 50) and known["numbers"].shape == (7, 200)


def test_the_first_screen_of_the_readme_runs(here, capsys):
    code = blocks(README.read_text(), "python")[0]
    assert len(code.splitlines()) <= 7
    exec(compile(code, README.name, "exec"), {})
    assert "rock" in capsys.readouterr().out


def test_the_page_names_every_method():
    methods = {name for name in vars(Tagger) if not name.startswith("_")} - {"patch_seconds"}
    assert methods == {"tags", "taggram", "embedding", "pooled", "layers", "contributions",
                       "stream", "each"}
    text = PAGE.read_text()
    assert all(f"| `{name}(" in text for name in methods)


def test_agreement_is_told_by_key():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (frame|patch) \| ([\d.]+) \|$", PAGE.read_text(),
                      re.M)
    assert {key: float(most) for key, _, _, most in rows} == AGREEMENT
    for key, columns, kind, _ in rows:
        layer, some = FEATURES.get(key, ("tags/sigmoid", slice(None)))
        assert len(range(LAYERS[layer].shape[-1])[some]) == int(columns), key
        assert (kind == "frame") == ("frame" in LAYERS[layer].axes), key


def test_the_table_of_costs_is_that_of_the_results():
    """`python -m making.benchmarks.install --table` writes it from the newest."""
    told, expected = written()
    assert told == expected


def test_version_and_changes_are_the_same():
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)[1]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1] == version


def test_no_example_warns(here):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Tagger().tags("song.mp3")
