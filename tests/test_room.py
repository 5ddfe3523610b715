"""The listening room's engine: what is kept compiled is what its sources give, and the page's
numbers are the library's."""

import base64
import gzip
import io
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile
import soxr
from conftest import ROOT, room_in

from inside_musicnn import MusiCNN, Tagger, load_clip
from inside_musicnn.atlas import units
from inside_musicnn.checksums import of_bytes
from inside_musicnn.network.decomposition import decompose
from inside_musicnn.network.layers import ROWS
from inside_musicnn.network.weights import MODELS
from inside_musicnn.sound import probes
from inside_musicnn.sound.shipped import RECORDING, clip_file, clip_names
from making.room import compiler, weights

SCORES, CONTRIBUTIONS, FROM_FILES = 1e-4, 1e-3, 5e-3  # what the page promises
MOST = 900_000  # bytes, as a server sends them: the first network with all else, and the second
SOME = (0, 5)  # patches of each recording that are compared
PROBES = {"sine": probes.sine, "clicks": probes.click_train, "noise": probes.noise,
          "silence": probes.silence}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return room_in(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def engine(room, browser):
    """A page, opened from its folder, with both networks ready."""
    context = browser.new_context()
    page, trouble = context.new_page(), []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(f"file://{room}/room/index.html")
    page.evaluate(ASKING)
    page.evaluate("async () => { for (const name of ['MSD_musicnn', 'MTT_musicnn'])"
                  " await asked.load(name); }")
    yield page
    assert trouble == []
    context.close()


ASKING = """() => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const text = (array) => new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(',')[1]);
    reader.readAsDataURL(new Blob([array]));
  });
  window.asked = new Engine();
  window.tried = {
    async samples(given) {
      const channels = [new Float32Array(bytes(given).buffer)];
      const { map } = await asked.ask('hear', { channels, rate: 16000, shown: 'x' });
      return text(map);
    },
    async file(given) {
      const sound = await decoded(bytes(given).buffer, 'x');
      const heard = await asked.ask('hear', { ...sound, shown: 'x' });
      return { rate: sound.rate, patches: heard.patches, samples: await text(heard.samples),
               notes: heard.notes };
    },
    async patch(given) {
      const found = await asked.ask('patch', given);
      return { scores: await text(found.scores), places: await text(found.places),
               series: await text(found.series) };
    },
    async why(given) {
      const found = await asked.ask('why', given);
      return { ...found, structures: await text(found.structures),
               bins: found.bins && await text(found.bins) };
    },
  };
}"""


def sent(values):
    return base64.b64encode(values if isinstance(values, bytes) else np.ascontiguousarray(
        values, np.float32).tobytes()).decode()


def got(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(*shape, -1)


@cache
def compact(model):
    return MusiCNN(model, compact=True)


def live_rows(model):
    rows = compact(model).engine.folded.dense.rows
    return rows[rows < ROWS]


def patch_of(page, model, number, **more):
    return page.evaluate("tried.patch", {"model": model, "number": number, **more})


# What is kept

def test_the_module_is_of_these_sources():
    """By checksums: who changes the engine compiles it, `python -m making.room`."""
    about = compiler.stored()
    assert about.pop("module") == of_bytes(compiler.MODULE.read_bytes())
    assert about == compiler.made_from()


def test_the_module_is_what_the_compiler_makes():
    if find_spec("ziglang") is None:
        pytest.skip("the compiler is not installed: making/room/requirements-room.txt")
    assert compiler.compiled() == compiler.MODULE.read_bytes()


@pytest.mark.parametrize("kept", [3, 4])
def test_numbers_sorted_by_place_are_the_same_numbers(kept):
    numbers = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    planes = np.frombuffer(weights.by_place(numbers, kept), np.uint8).reshape(kept, -1)
    whole = np.zeros((1000, 4), np.uint8)
    whole[:, 4 - kept :] = planes[::-1].T
    again = whole.view("<f4")[:, 0]
    assert np.array_equal(again, numbers) if kept == 4 else (
        np.abs(again / numbers - 1).max() <= 2**-16)


def test_it_is_small(room):
    """As a server sends it: the page with the first network, and the second on demand."""
    files = {file: len(gzip.compress(file.read_bytes(), 9))
             for file in (room / "room").rglob("*.*") if file.parent.name != "sounds"}
    second = files.pop(room / "room" / "weights" / "MTT_musicnn.js")
    look = [len(gzip.compress(file.read_bytes(), 9))
            for file in (room / "units" / "atlas").glob("*.*")]
    assert sum(files.values()) + sum(look) < MOST and second < MOST


@pytest.mark.parametrize("model", MODELS)
def test_structures_of_the_page_have_pages_of_their_own(model):
    about = weights.packed(model).about
    rows = [family["first"] + unit for family in about["families"] for unit in family["units"]]
    assert rows == [row for row in about["rows"] if row < ROWS]
    assert rows == [record["number"] for record in units(model).live("cnn_1/out")]


# Numbers from samples

@pytest.mark.numeric
def test_the_spectrogram_is_the_networks(engine):
    """Equal but for powers that rounding puts on the other side between two numbers of half
    precision: these are apart by 2**-10 of their size at most."""
    clip = load_clip("lucky_13")
    found = got(engine.evaluate("tried.samples", sent(clip.samples)), len(clip.db_mel))
    assert np.abs(found - clip.db_mel).max() < np.log10(1 + 2**-10) + 1e-6
    assert (np.abs(found - clip.db_mel) > 1e-6).mean() < 0.01


@pytest.mark.numeric
@pytest.mark.parametrize("name", [*clip_names(RECORDING), *PROBES])
def test_scores_are_the_librarys(engine, name):
    clip = PROBES[name]() if name in PROBES else load_clip(name)
    engine.evaluate("tried.samples", sent(clip.samples))
    patches = clip.patches()
    for model in MODELS:
        for number in (number for number in SOME if number < len(patches)):
            found = got(patch_of(engine, model, number)["scores"]).ravel()
            expected = compact(model).tags(patches[number : number + 1])[0]
            assert np.abs(found - expected).max() < SCORES, (model, number)


@pytest.mark.numeric
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["lucky_13", "ave_maria", "clicks"])
def test_contributions_are_those_of_the_library(engine, name, model):
    clip = PROBES[name]() if name in PROBES else load_clip(name)
    engine.evaluate("tried.samples", sent(clip.samples))
    patch, rows = clip.patches()[0], live_rows(model)
    order = compact(model).tags(patch[None])[0].argsort()
    for tag, deep in ((int(order[0]), False), (int(order[-1]), True)):
        parts = decompose(compact(model), patch, compact(model).labels[tag],
                          down_to="bins" if deep else "structures")
        found = engine.evaluate("tried.why", {"model": model, "number": 0, "tag": tag,
                                              "withBins": deep})
        structures = got(found["structures"], len(rows)).T
        summed = structures.sum(axis=0), parts.structures[0][:, rows].sum(axis=0)
        assert np.abs(summed[0] - summed[1]).max() < CONTRIBUTIONS
        assert abs(found["constant"] - parts.constants["structures"][0]) < CONTRIBUTIONS
        assert abs(structures.sum() + found["constant"] - parts.logit[0]) < CONTRIBUTIONS
        if name != "clicks":  # of which several moments are equal, so that maxima tie
            assert np.abs(structures - parts.structures[0][:, rows]).max() < CONTRIBUTIONS
            if deep:
                assert np.abs(got(found["bins"], 187) - parts.bins[0]).max() < CONTRIBUTIONS


@pytest.mark.numeric
@pytest.mark.parametrize("model", MODELS)
def test_places_are_where_kernels_win(engine, model):
    clip = load_clip("lucky_13")
    engine.evaluate("tried.samples", sent(clip.samples))
    found = patch_of(engine, model, 1)["places"]
    found = np.frombuffer(base64.b64decode(found), np.uint8).reshape(-1, 187)
    row = 0
    for name in compact(model).engine.folded.families:
        _, places = compact(model).engine.winners(name, clip.patches()[1:2])
        mine = found[row : row + len(places)]
        assert (mine == places[:, 0]).mean() > 0.99  # two equal to the last digits may change
        row += len(places)
    assert row == len(found)


@pytest.mark.numeric
@pytest.mark.parametrize("model", MODELS)
def test_a_held_structure_is_held(engine, model):
    """Its row at what the network remembers as usual, and the network goes on."""
    clip = load_clip("lucky_13")
    engine.evaluate("tried.samples", sent(clip.samples))
    net, rows = compact(model), live_rows(model)
    u = net.activations(clip.patches()[:1], ["cnn_1/out"])["cnn_1/out"]
    factors = np.ones(len(rows))
    factors[:3] = 0, 0.5, 2
    usual = net.engine.kept.block("pool")["mean"][1::2][rows[:3]]
    u[..., rows[:3]] = usual + factors[:3] * (u[..., rows[:3]] - usual)
    expected = net.activations(clip.patches()[:1], ["tags/sigmoid"], replace={"cnn_1/out": u})
    found = got(patch_of(engine, model, 0, factors=factors.tolist())["scores"]).ravel()
    assert np.abs(found - expected["tags/sigmoid"][0]).max() < SCORES


# From files

@cache
def ten_seconds():
    samples, rate = soundfile.read(clip_file("metal_madness"), dtype="float32", always_2d=True)
    return samples[: 10 * rate], rate


def file_of(folder, rate, form, subtype):
    samples, own = ten_seconds()
    if rate != own:
        samples = soxr.resample(samples, own, rate, "VHQ")
    file = folder / f"sound.{form.lower()}"
    soundfile.write(file, np.clip(samples, -1, 1), rate, format=form, subtype=subtype)
    return file


FILES = [*(("WAV", "PCM_16", rate) for rate in (8000, 11025, 16000, 22050, 32000, 44100, 48000,
                                                96000)),
         ("WAV", "FLOAT", 44100), ("FLAC", "PCM_24", 44100), ("FLAC", "PCM_16", 48000),
         ("OGG", "VORBIS", 44100), ("OGG", "VORBIS", 48000), ("MP3", "MPEG_LAYER_III", 44100)]


@pytest.mark.numeric
@pytest.mark.parametrize("form, subtype, rate", FILES)
def test_files_give_the_commands_scores(engine, tmp_path, form, subtype, rate):
    file = file_of(tmp_path, rate, form, subtype)
    heard = engine.evaluate("tried.file", sent(file.read_bytes()))
    expected = Tagger("MSD_musicnn").taggram(file)
    assert heard["rate"] == rate and heard["patches"] == len(expected)
    found = np.array([got(patch_of(engine, "MSD_musicnn", number)["scores"]).ravel()
                      for number in range(len(expected))])
    assert np.abs(found - expected).max() < FROM_FILES


def test_what_cannot_be_read_is_told_in_one_sentence(engine, tmp_path):
    quiet, short = np.zeros(5 * 16000, np.float32), np.zeros(16000, np.float32)
    broken = np.full(5 * 16000, np.nan, np.float32)
    for content, words in (
            (b"", "holds no samples"), (b"no sound at all" * 100, "cannot be read"),
            (wav(short), "too short: 0.99 s, and one patch of 187 frames needs 2.98 s"),
            (wav(broken), "not a number or infinite")):
        told = engine.evaluate("given => tried.file(given).then(() => '', error => error.message)",
                               sent(content))
        assert words in told and told.endswith("."), told
    assert engine.evaluate("tried.file", sent(wav(quiet)))["notes"] == [
        "The audio in x is silent, so its tags tell of no music."]


def wav(samples):
    place = io.BytesIO()
    soundfile.write(place, samples, 16000, format="WAV", subtype="FLOAT")
    return place.getvalue()


def test_sources_are_named_once():
    """Every script of the folder is read by the page, or by its worker."""
    from making.room import page

    for folder, names in (("page", page.PAGE), ("worker", page.WORKER)):
        files = {file.stem for file in (ROOT / "book" / "room" / folder).glob("*.js")}
        assert files == set(names)
