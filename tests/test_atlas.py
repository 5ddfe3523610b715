"""The atlas of the units: what is told of each holds, and its pages and JSON are one."""

import base64
import json
import os
import re
from functools import cache

import fastjsonschema
import numpy as np
import pytest
from bs4 import BeautifulSoup
from chapter_source import from_chapter
from conftest import ROOT

from helpers.evidence.corpus import stored_corpus
from helpers.evidence.nothing import Nothing
from inside_musicnn import load_clip
from inside_musicnn.atlas import FILE, units
from inside_musicnn.cores import one_thread
from inside_musicnn.errors import InputError
from inside_musicnn.network.above_u import Patch
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.unit_facts import SIZES
from inside_musicnn.network.weights import MODELS, Weights
from inside_musicnn.sound.spectrogram import FRAME_SECONDS
from making.atlas import pages, tuning
from making.atlas.activity import likest_by_chance
from making.atlas.table import DESCRIPTIONS
from making.atlas.tag_nulls import beside_nothing, by_lot
from making.running.finish_site import KEPT, _made_once, finish_site
from making.studies import units as study

LIVE = {"MSD_musicnn": (62, 20, 61, 63, 64, 64, 200, 50),
        "MTT_musicnn": (204, 21, 63, 64, 63, 64, 200, 50)}
NUMBERS = {"type": "array", "items": {"type": "number"}}
FIFTY = NUMBERS | {"minItems": 50, "maxItems": 50}
ENDS = {"type": "object", "required": ["mean", "low", "high"],
        "properties": dict.fromkeys(("mean", "low", "high"), FIFTY)}
MOMENTS = {"type": "array", "items": {
    "type": "object", "required": ["recording", "seconds", "value"], "properties": {
        "recording": {"type": "string"}, "seconds": {"type": "number", "minimum": 0, "maximum": 31},
        "value": {"type": "number"}, "band": {"type": "integer", "minimum": 0, "maximum": 95}}}}
SCHEMA = {
    "type": "object", "additionalProperties": False,
    "required": ["model", "layer", "number", "name", "alive", "norm"],
    "properties": {name: {} for name in DESCRIPTIONS} | {
        "model": {"enum": list(MODELS)}, "layer": {"enum": list(SIZES)},
        "number": {"type": "integer", "minimum": 0}, "alive": {"type": "boolean"},
        "norm": {"type": "number", "minimum": 0}, "counts": NUMBERS, "contribution": ENDS,
        "held": ENDS, "highest": MOMENTS, "lowest": MOMENTS, "random": MOMENTS,
        "best_input": {"type": "object", "required": ["aim", "value", "real", "random", "sound"]},
        "sense": {"enum": ["correlation", "anti-correlation"]}}}


@cache
def opened(model):
    return study._tools(model)


@cache
def patches(name="lucky_13"):
    return load_clip(name).patches()


@pytest.mark.parametrize("model", MODELS)
def test_live_and_dead_are_counted(model):
    atlas = units(model)
    assert len(atlas) == sum(SIZES.values())
    assert tuple(len(atlas.live(layer)) for layer in SIZES) == LIVE[model]
    series = sum(len(atlas.live(layer)) for layer in (
        "cnn_1/out", "cnn_2/norm", "cnn_3/sum", "cnn_4/sum"))
    assert series == {"MSD_musicnn": 210, "MTT_musicnn": 352}[model]


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_described_and_of_its_kind(model):
    validate = fastjsonschema.compile(SCHEMA)
    for record in units(model).values():
        validate(record)
        if record["alive"] and record["layer"] != "tags/logits":
            assert 0 < record["correlation_by_chance"] < 1
            assert {"counts", "contribution", "held", "tuning", "highest", "random"} <= set(record)
            assert sum(record["counts"]) == sum(record["counts_dealt"]) > 1000
            ends = record["contribution"]
            assert all(low <= mean <= high for low, mean, high in zip(
                ends["low"], ends["mean"], ends["high"], strict=True))


def test_unknown_units_are_refused():
    with pytest.raises(InputError, match="no units of a layer 'cnn_9'; choose one of cnn_1/out"):
        units("MSD_musicnn")["cnn_9", 3]
    with pytest.raises(InputError, match="'cnn_1/out' has no unit 561; its units are 0 to 560"):
        units("MSD_musicnn")["cnn_1/out", 561]
    with pytest.raises(InputError, match="no table of units at"):
        units("MSD_musicnn", ROOT / "nothing.parquet")


@pytest.mark.numeric
@pytest.mark.parametrize("model", MODELS)
def test_contributions_are_the_slope_of_the_logits(model):
    """Exact inside a linear region: a small part of the way to the remembered means changes the
    logits by that part of the contributions' sum. Steps so small that hardly a choice changes,
    so large that rounding of logits (1e-6 of their terms) is below the tolerance."""
    tools = opened(model)
    with one_thread():
        patch = Patch(tools.above, tools.above.first_stage(patches()[:1])[:, 0])
        for name, layer, mine in _contributed(tools, patch):
            assert np.abs(_slope(tools, patch, name, layer) - mine.sum(axis=0)).max() < (
                0.02 * np.abs(mine).sum(axis=0).max() + 1e-3), name


def _contributed(tools, patch):
    """Layers above the first stage (test_above_u holds that to the decomposition), each with what
    its units contribute."""
    given, first = study.contributions(tools, patch), 0
    for name, layer in tools.layers.items():
        mine = given[first : first + len(layer.live)]
        first += len(layer.live)
        if name != "cnn_1/out":
            yield name, layer, mine


def _slope(tools, patch, name, layer, units=slice(None), step=2e-3):
    """By how much the logits fall, per part of the way, if some units go a part of it."""
    def moved(here, values):
        if here == name:
            usual = layer.usual_varying[:, None, None].astype(np.float32)
            values = values.copy()
            values[units] += np.float32(step) * (usual[units] - values[units])
        return values

    engine, ends = tools.engine, []
    for change in (lambda _, values: values, moved):
        series = engine.second_stage(patch.varying[:, None], change)
        ends.append(engine.final(*engine.pooled(series), ["tags/logits"])["tags/logits"][0])
    return (ends[0].astype(np.float64) - ends[1]) / step


@pytest.mark.numeric
@pytest.mark.parametrize("model", MODELS)
def test_each_unit_has_its_own_contribution(model):
    """The same for single units, the three strongest of each layer: two that are exchanged, or one
    with its sign turned, would not pass."""
    tools = opened(model)
    with one_thread():
        patch = Patch(tools.above, tools.above.first_stage(patches()[:1])[:, 0])
        for name, layer, mine in _contributed(tools, patch):
            for unit in np.abs(mine).max(axis=1).argsort()[-3:]:
                found = _slope(tools, patch, name, layer, [unit])
                assert np.abs(found - mine[unit]).max() < (
                    0.05 * np.abs(mine[unit]).max() + 1e-3), (name, unit)
                others = np.delete(mine, unit, axis=0)
                assert np.abs(found - others).max(axis=1).min() > 0.1 * np.abs(found).max()


@pytest.mark.numeric
@pytest.mark.parametrize("model", MODELS)
def test_dense_contributions_and_a_constant_are_the_logits(model):
    tools = opened(model)
    with one_thread():
        found = [Patch(tools.above, tools.above.first_stage(patches()[at : at + 1])[:, 0])
                 for at in range(3)]
        constants = [patch.logits - study.of_dense_units(tools, patch).sum(axis=0)
                     for patch in found]
    # the constant is one of the weights, whatever the patch: float32 sums of 200 terms
    assert np.ptp(constants, axis=0).max() < 1e-4


@pytest.mark.parametrize("model", MODELS)
def test_moments_are_in_the_recordings(model):
    """The value that a page tells is what the sound gives, for some units of each layer."""
    atlas, tools = units(model), opened(model)
    for layer, live in tools.layers.items():
        for record in atlas.live(layer)[5 :: max(len(live.live) // 2, 1)]:
            for kind in ("highest", "lowest", "random"):
                moment = record[kind][0]
                at = round(moment["seconds"] / FRAME_SECONDS)
                row = _rows(tools, moment["recording"], at // FRAMES)[layer]
                value = row[list(live.live).index(record["number"]), at % FRAMES]
                # told with three digits, kept in float16 before
                assert abs(value - moment["value"]) < 0.01 * abs(value) + 2e-3, (layer, record)


@cache
def _rows(tools, name, patch):
    varying = {}

    def seen(layer, values):
        varying[layer] = values[:, 0]
        return values

    u = tools.engine.first_stage(patches(name)[patch : patch + 1])
    tools.engine.second_stage(u, seen)
    varying["cnn_1/out"] = u[:, 0]
    return {layer: live.values(varying[layer]) for layer, live in tools.layers.items()}


def test_probes_differ_in_what_is_told():
    random = np.random.default_rng(0)
    sines = [tuning.patch_of(tuning.tone(each, random, 0)) for each in (110, 440, 1760)]
    bands = [patch.mean(axis=0).argmax() for patch in sines]
    assert bands == sorted(set(bands)) and bands[-1] > bands[0] + 40
    levels = [tuning.patch_of(tuning.loud(each, random, 0)).mean() for each in (-60, -30, 0)]
    assert levels == sorted(set(levels))
    rises = [tuning.patch_of(tuning.burst(each, random, 1)) for each in (0, 320)]
    steepest = [np.diff(patch.mean(axis=1)).max() for patch in rises]
    assert steepest[0] > 2 * steepest[1]
    for name, curve in tuning.CURVES.items():
        sound = curve.sound(curve.values[-1], random, curve.variants - 1)
        assert np.isfinite(sound).all() and 0.05 < np.abs(sound).max() <= 1, name


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site that has nothing but the atlas and what it links to."""
    folder = tmp_path_factory.mktemp("atlas")
    (folder / "_sources").mkdir()
    finish_site(ROOT, folder)
    return folder


def test_what_all_sites_share_is_made_once_and_forgotten_after_a_day(tmp_path):
    made = []

    def write(folder):
        (folder / "pages").mkdir()
        (folder / "pages" / "one").write_text("text")
        made.append(folder)

    def site_of(name, key):
        (tmp_path / name).mkdir()
        _made_once(tmp_path, tmp_path / name, "pages", key, write)
        return (tmp_path / name / "pages" / "one").read_text()

    assert [site_of("a", 1), site_of("b", 1), len(made)] == ["text", "text", 1]
    old = next((tmp_path / KEPT).iterdir())
    assert site_of("c", 2) == "text" and old.exists() and len(made) == 2
    os.utime(old, (0, 0))
    assert site_of("d", 3) == "text" and not old.exists() and len(made) == 3
    assert (tmp_path / "b" / "pages" / "one").read_text() == "text"


def test_page_and_json_are_the_record(site):
    atlas = units("MTT_musicnn")
    for key in (("cnn_1/out", 1), ("cnn_3/sum", 12), ("dense/norm", 7), ("tags/logits", 3)):
        record = next(each for each in atlas.live(key[0]) if each["number"] >= key[1])
        place = site / "units" / "MTT_musicnn" / key[0].replace("/", "-") / str(record["number"])
        if "best_input" in record:
            picture = dict(record["best_input"]["picture"])
            assert place.with_suffix(".png").read_bytes() == base64.b64decode(picture["png"])
            picture["png"] = f"{record['number']}.png"
            record = record | {"best_input": record["best_input"] | {"picture": picture}}
        assert json.loads(place.with_suffix(".json").read_text()) == record
        page = BeautifulSoup(place.with_suffix(".html").read_text(), "html.parser")
        drawn = whole(json.loads(page.find(id="record").string), site / "units", "MTT_musicnn")
        assert len(drawn.pop("tag_names")) == 50
        edges = drawn["edges"] if "edges" in record else drawn.pop("edges")
        assert edges == atlas.live("cnn_1/out")[0]["edges"]
        assert drawn == {name: record[name] for name in pages.DRAWN if name in record}


def whole(drawn, folder, model):
    """What a page draws, put together as its script does."""
    text = (folder / "atlas" / f"{model}.js").read_text(encoding="utf-8")
    same = json.loads(text.removeprefix("globalThis.same = ").removesuffix(";\n"))
    curves = same.pop("curves")
    drawn["tuning"] = {name: curves[name] | curve for name, curve in drawn["tuning"].items()}
    return same | drawn


def test_opposites_stand_beside_the_chance_of_chapter_14():
    """What the chapter computes in its own cells, and the pages of the tags."""
    kernel = Weights("MSD_musicnn").block("tags")["kernel"].astype(np.float64)
    found = pages.Directions("MSD_musicnn", [str(tag) for tag in range(50)])
    rest, *_ = from_chapter("14_dense_tags", "taken_out")(kernel)
    assert np.abs(found.cosines - pages.cosines(rest)).max() < 1e-9  # float64, the same steps
    apart = np.triu_indices(50, 1)
    turned = from_chapter("14_dense_tags", "turned", TAGS=50, upper=apart, cosines=pages.cosines)
    by_lot = turned(rest, np.random.default_rng(1))
    (low, high), (least, most) = found.by_chance
    assert low < np.median(by_lot.min(axis=1)) < high < 0 < least
    assert least < np.median(by_lot.max(axis=1)) < most


def test_answers_to_nothing_stand_beside_the_corpus():
    """Share of patches that score lower, with an interval by source, of made-up scores."""
    random = np.random.default_rng(0)
    scores, ids = random.uniform(size=(200, 50)), np.repeat([f"r{each}" for each in range(20)], 10)
    source = {name: name for name in ids}
    nothing = Nothing({"silence": np.full(50, 0.25), "loud noise": np.full(50, 0.9)})
    told = beside_nothing(scores, ids, source, nothing)
    assert len(told) == 50 and [each["sound"] for each in told[0]["nothing"]] == [
        "silence", "loud noise"]
    for tag in (0, 31):
        for each in told[tag]["nothing"]:
            assert each["share_below"] == pytest.approx(np.mean(scores[:, tag] < each["score"]))
            assert each["low"] < each["share_below"] < each["high"]
        ends = told[tag]["mean_interval"]
        assert ends["low"] < scores[:, tag].mean() < ends["high"]
    few = beside_nothing(scores[:40], ids[:40], source, nothing)
    assert "mean_interval" not in few[0] and "low" not in few[0]["nothing"][0]


@pytest.mark.parametrize("model", MODELS)
def test_tags_are_beside_the_stored_corpus(model):
    """The table has what the stored scores say now, and a book's tag has its interval."""
    corpus = stored_corpus(model)
    for record in units(model).live("tags/logits")[::9]:
        column = corpus.scores[:, record["number"]]
        assert record["mean"] == pytest.approx(column.mean(), rel=6e-3)
        assert record["mean_interval"]["low"] < record["mean"] < record["mean_interval"]["high"]
        assert [each["sound"] for each in record["nothing"]] == [
            "silence", "soft noise", "loud noise"]
        for each in record["nothing"]:
            near = [np.mean(column < each["score"] * part) for part in (0.994, 1.006)]
            assert near[0] - 1e-3 <= each["share_below"] <= near[1] + 1e-3  # three digits
            assert each["low"] <= each["share_below"] <= each["high"]


def test_the_strongest_by_lot_are_weaker_than_those_that_are_meant():
    """Of units that move one tag each, dealing hides nothing; of units that move all alike, the
    strongest are within what chance gives."""
    alike = np.outer(np.linspace(-1, 1, 30), np.ones(50))
    low, high = by_lot(alike)
    assert low == -1 and high == 1
    meant = np.zeros((30, 50))
    meant[0, 7], meant[1, 7] = 5, -5
    low, high = by_lot(meant)
    assert high < meant[:, 7].max() and low > meant[:, 7].min()


def test_chance_is_far_below_units_that_go_together():
    random = np.random.default_rng(0)
    ids = np.repeat(np.arange(60), 10)
    common = random.standard_normal(600) + 2 * random.standard_normal(60)[ids]
    rows = np.array([common + 0.1 * random.standard_normal(600) for _ in range(3)])
    chance = likest_by_chance(rows, ids)
    assert 0.1 < chance < 0.6 < 0.9 < np.corrcoef(rows)[0, 1]  # 60 recordings, not 600 patches
    assert chance > 1.5 * likest_by_chance(rows, np.arange(600))


def test_no_link_leads_nowhere(site):
    book = {page.name for page in (ROOT / "book").glob("*.*")}
    for file in (site / "units").rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for address in re.findall(r'(?:href|src)="([^"#]+)', text):
            if address.startswith(("https://creativecommons.org", "https://")):
                continue
            target = (file.parent / address).resolve()
            known = target.is_file() or target.name == "index.html" and target.parent == site
            in_book = target.parent.name == "book" and (
                f"{target.stem}.ipynb" in book or f"{target.stem}.md" in book)
            assert known or in_book, (file, address)
        for name in re.findall(r'data-recording="([^"]+)"', text):
            for ending in ("mp3", "webp"):
                assert (site / "units" / "atlas" / "sound" / f"{name}.{ending}").is_file()
        for name in re.findall(r'data-made="([^"]+)"', text):
            assert (site / "units" / "atlas" / "best" / f"{name}.mp3").is_file()


def test_it_is_not_heavy(site):
    files = [file for file in (site / "units").rglob("*") if file.is_file()]
    assert max(file.stat().st_size for file in files if file.suffix == ".html") < 400_000
    assert sum(file.stat().st_size for file in files) < 72e6


SHOWN = ("MSD_musicnn/cnn_1-out/12", "MSD_musicnn/cnn_3-sum/12", "MTT_musicnn/dense-norm/20",
         "MTT_musicnn/tags-logits/7", "MSD_musicnn/cnn_1-out/index", "index")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", SHOWN)
def test_pages_open_from_a_folder(site, browser, page, theme):
    """At phone width: everything drawn, no error, nothing wider than the page, nothing serious
    for those who use a screen reader."""
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": 375, "height": 800}, color_scheme=theme)
    opened, trouble = context.new_page(), []
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", lambda said: said.type == "error" and trouble.append(said.text))
    opened.goto(f"file://{site}/units/{page}.html")
    charts = opened.eval_on_selector_all("[data-chart]", "all => all.map(a => a.children.length)")
    assert all(charts) and (charts or page == "index")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 375
    assert trouble == []
    found = Axe().run(opened).response["violations"]
    assert not [(each["id"], each["nodes"][0]["html"][:200]) for each in found
                if each["impact"] in ("serious", "critical")]
    context.close()


def test_a_moment_is_heard_and_tables_answer(site, browser):
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    page.goto(f"file://{site}/units/MSD_musicnn/cnn_1-out/12.html")
    button = page.locator("button.play").first
    button.click()
    page.wait_for_function("document.querySelector('.play').ariaPressed === 'true'")
    button.click()
    page.wait_for_function("document.querySelector('.play').ariaPressed === 'false'")
    page.locator("#all-tags summary").click()
    assert page.locator("#all-tags tbody tr").count() == 50
    page.goto(f"file://{site}/units/MSD_musicnn/cnn_1-out/index.html")
    shown = page.locator("#units tbody tr:visible")
    assert shown.count() == 62
    page.locator("#alive").uncheck()
    assert shown.count() == 561
    page.locator("#find").fill("timbral_67 unit 50")
    assert any("timbral_67 unit 50" in text for text in shown.all_inner_texts())
    page.locator("#find").fill("")
    page.locator("thead button", has_text="norm").click()
    page.locator("thead button", has_text="norm").click()
    norms = [float(each) for each in page.eval_on_selector_all(
        "#units tbody tr", "all => all.slice(0, 20).map(row => row.cells[4].dataset.sort)")]
    assert norms == sorted(norms, reverse=True)
    context.close()


def test_the_table_is_small():
    assert FILE.stat().st_size < 5e6
