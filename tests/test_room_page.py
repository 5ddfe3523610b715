"""The listening room as a reader has it: sounds in, tags, reasons and changes out."""

import base64
import functools
import http.server
import json
import re
import threading

import numpy as np
import pytest
import soundfile
from conftest import ROOT, room_in

from inside_musicnn import MusiCNN, Tagger, load_clip
from inside_musicnn.commands.tags import write_tags
from inside_musicnn.sound.shipped import clip_file
from inside_musicnn.sound.spectrogram import band_edges

FROM_FILES = 5e-3  # what the page promises of scores from the browser's decoder
DONE = re.compile(r"[\d.]+ s, \d+ patch(es)?\.$")
SONG = "lucky_13"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return room_in(tmp_path_factory.mktemp("site"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def served(site):
    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(site, browser):
    """Opens the room; at the end nothing may have gone wrong in it."""
    contexts, trouble = [], []

    def opened(address="", at=None, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: said.type == "error" and trouble.append(said.text))
        page.goto(f"{at or f'file://{site}'}/room/index.html{address}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []


def finished(page, name=""):
    from playwright.sync_api import expect

    expect(page.locator("#said")).to_have_text(re.compile(re.escape(name) + ".*" + DONE.pattern),
                                               timeout=60_000)


def means(page, model="MSD_musicnn"):
    """The table of tags."""
    rows = page.locator(f"section[aria-label={model}] tbody tr")
    return {row.locator("button").inner_text(): float(row.locator("td").nth(1).inner_text())
            for row in rows.all()}


@pytest.mark.numeric
@pytest.mark.parametrize("from_server", [False, True])
def test_a_recording_has_the_commands_tags_and_nothing_is_asked_elsewhere(
        visit, served, from_server):
    """The same from a folder and from a server; scripts of the page itself are all it reads."""
    page = visit(at=served if from_server else None)
    page.select_option("#network", "both")
    page.select_option("#recording", SONG)
    finished(page, "Lucky 13")
    for model in ("MSD_musicnn", "MTT_musicnn"):
        expected = Tagger(model).tags(clip_file(SONG))
        found = means(page, model)
        assert len(found) == 12
        assert all(abs(found[tag] - expected[tag]) < FROM_FILES for tag in found), model
        assert set(list(expected)[:8]) <= set(found)
    own = f"{served}/" if from_server else "file://"
    assert all(url.startswith((own, "blob:")) for url in page.asked), page.asked


def test_the_policy_forbids_requests_for_data(served, browser):
    """Even to the server that the page came from."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served}/room/index.html")
    assert page.evaluate("""() => new Promise((told) => {
        addEventListener("securitypolicyviolation", (event) => told(event.violatedDirective));
        fetch("index.html").then(() => told("sent"), () => {});
    })""") == "connect-src"
    context.close()


DROPPED = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
}"""


def test_a_file_is_dropped_or_chosen(visit, tmp_path):
    file = tmp_path / "Güira & <b>strings.wav"
    noise = np.random.default_rng(0).normal(0, 0.1, (7 * 22050, 2)).astype(np.float32)
    soundfile.write(file, noise, 22050, subtype="FLOAT")
    expected = Tagger("MSD_musicnn").tags(file)
    page = visit()
    page.set_input_files("#file", file)
    finished(page, file.name)
    chosen = means(page)
    assert all(abs(chosen[tag] - expected[tag]) < FROM_FILES for tag in chosen)
    page = visit()
    page.evaluate(DROPPED, [file.name, base64.b64encode(file.read_bytes()).decode()])
    finished(page, file.name)
    assert means(page) == chosen
    assert "#" not in page.url  # a reader's own file has no address


def test_what_cannot_be_read_leaves_the_room_usable(visit, tmp_path):
    page = visit()
    bad = tmp_path / "letter.mp3"
    bad.write_bytes(b"Dear reader, " * 500)
    page.set_input_files("#file", bad)
    said = page.locator("#said.wrong")
    said.wait_for()
    assert re.fullmatch(r"The file letter\.mp3 cannot be read as audio by this browser; .*\.",
                        said.inner_text())
    page.select_option("#probe", "clicks")
    finished(page, "clicks")
    page.goto(page.url + "#sound=nothing")
    page.reload()
    said.wait_for()
    assert "no recording 'nothing'" in said.inner_text()


def test_sliders_answer_to_keys(visit):
    page = visit()
    page.select_option("#probe", "sine")
    finished(page, "sine")
    before = means(page)
    slider = page.get_by_role("slider", name="Pitch")
    slider.focus()
    assert slider.get_attribute("aria-valuetext") == "440 Hz"
    for _ in range(3):
        page.keyboard.press("PageUp")
    assert int(slider.get_attribute("aria-valuetext").split()[0]) > 600
    finished(page, "sine")
    assert means(page) != before
    moment = page.get_by_role("slider", name="Moment")
    moment.focus()
    page.keyboard.press("End")
    assert page.locator("#patch").inner_text() == "3.0 to 6.0 s"


@pytest.mark.numeric
def test_why_is_the_exact_sum_and_what_if_its_answer(visit):
    page = visit(f"#sound={SONG}&tag=rock&at=4&network=MTT_musicnn")
    finished(page, "Lucky 13")
    page.locator("#why-rows tr").nth(11).wait_for()

    def number(text):
        return float(text.replace("−", "-"))

    rows = page.locator("#why-rows tr")
    adds = [number(row.locator("td").first.inner_text()) for row in rows.all()]
    net, patch = MusiCNN("MTT_musicnn", compact=True), load_clip(SONG).patches()[1:2]
    acts = net.activations(patch, ["tags/logits", "cnn_1/out"])
    tag = net.labels.index("rock")
    assert len(adds) == 12 and abs(sum(adds) - acts["tags/logits"][0, tag]) < 0.05  # three digits
    link = rows.nth(1).locator("a").get_attribute("href")
    row = int(re.fullmatch(r"\.\./units/MTT_musicnn/cnn_1-out/(\d+)\.html", link)[1])
    rows.nth(1).locator("select").select_option("muted")
    page.locator("#outcome-sum").wait_for()
    forecast, real = re.search(r"forecasts a logit of (\S+),.* answers (\S+),",
                               page.locator("#outcome-sum").inner_text()).groups()
    held = acts["cnn_1/out"].copy()
    held[..., row] = net.engine.kept.block("pool")["mean"][1::2][row]
    expected = net.activations(patch, ["tags/logits"], replace={"cnn_1/out": held})
    assert abs(number(real) - expected["tags/logits"][0, tag]) < 0.05
    assert abs(number(forecast) - (sum(adds) - adds[1])) < 0.01
    page.locator("#undo").click()
    assert page.locator("#outcome").is_hidden()
    rows.nth(1).locator("button").click()
    assert "was found from mel band" in page.locator("#won").inner_text()
    page.locator("#lay").check()
    assert page.locator("#laid").is_visible()


@pytest.mark.numeric
def test_what_is_erased_is_silent(visit):
    page = visit(f"#sound={SONG}&tag=rock&at=4")
    finished(page, "Lucky 13")
    page.locator("#why-rows tr").nth(11).wait_for()
    for name, value in (("from", "0.5"), ("to", "1.5"), ("low", "0"), ("high", "1000")):
        page.locator(f"#erase input[name={name}]").fill(value)
    before = means(page)
    page.locator("#erase button").first.click()
    said = page.locator("#erased")
    page.locator("#unerase").wait_for()
    number = float(re.search(r"answers (\S+),", said.inner_text())[1].replace("−", "-"))
    net, patch = MusiCNN("MSD_musicnn", compact=True), load_clip(SONG).patches()[1:2].copy()
    high = np.abs(band_edges()[:, 1] - 1000).argmin()
    patch[:, 31:94, : high + 1] = 0  # frames of 16 ms
    expected = net.activations(patch, ["tags/logits"])["tags/logits"][0, net.labels.index("rock")]
    assert abs(number - expected) < 0.05  # the browser's decoder, and three digits
    page.locator("#unerase").click()
    page.locator("#unerase").wait_for(state="hidden")
    page.locator("#draw").check()
    assert means(page) == before
    page.locator("#part").scroll_into_view_if_needed()
    field = page.locator("#part").bounding_box()
    page.mouse.move(field["x"] + 20, field["y"] + 20)
    page.mouse.down()
    page.mouse.move(field["x"] + 90, field["y"] + 120, steps=3)
    page.mouse.up()
    page.locator("#unerase").wait_for()
    assert said.inner_text().startswith("Erased: ")


def test_the_address_brings_back_what_was_seen(visit):
    page = visit()
    page.select_option("#recording", SONG)
    finished(page, "Lucky 13")
    page.get_by_role("slider", name="Moment").fill("7")
    page.locator("section[aria-label=MSD_musicnn] tbody button").nth(2).click()
    page.locator("#why-rows tr").first.wait_for()
    again = visit("#" + page.url.split("#")[1])
    finished(again, "Lucky 13")
    again.locator("#why-rows tr").first.wait_for()
    assert again.locator("#why-sum").inner_text() == page.locator("#why-sum").inner_text()


@pytest.mark.numeric
def test_the_tags_are_written_as_the_command_writes_them(visit, tmp_path):
    page = visit(f"#sound={SONG}")
    finished(page, "Lucky 13")
    with page.expect_download() as got:
        page.locator("#as-json").click()
    mine = json.loads(open(got.value.path(), encoding="utf-8").read())
    write_tags([SONG], form="json", output=str(tmp_path / "tags.json"))
    theirs = json.loads((tmp_path / "tags.json").read_text(encoding="utf-8"))
    assert mine["labels"] == theirs["labels"] and mine.keys() == theirs.keys()
    (one,), (other,) = mine["recordings"], theirs["recordings"]
    assert one.keys() == other.keys() and len(one["top"]) == len(other["top"])
    assert len(one["patches"]) == len(other["patches"])
    for here, there in zip(one["patches"], other["patches"], strict=True):
        assert (here["start"], here["end"], here["damaged"]) == (
            there["start"], there["end"], there["damaged"])
        assert np.abs(np.subtract(here["scores"], there["scores"])).max() < FROM_FILES
    with page.expect_download() as got:
        page.locator("#as-sound").click()
    heard, rate = soundfile.read(got.value.path())
    assert rate == 16000 and np.abs(heard - load_clip(SONG).samples).max() < 0.02


@pytest.mark.numeric
def test_a_louder_sound_is_what_its_samples_give(visit):
    page = visit(f"#sound={SONG}")
    finished(page, "Lucky 13")
    before = means(page)
    page.locator("#gain").fill("-20")
    page.locator("#gain").dispatch_event("change")
    page.wait_for_timeout(100)
    finished(page, "Lucky 13")
    page.locator("#moved-rows tr").nth(4).wait_for()
    found = means(page)
    expected = Tagger("MSD_musicnn").tags(load_clip(SONG).samples / 10, 16000)
    assert found != before
    assert all(abs(found[tag] - expected[tag]) < FROM_FILES for tag in found)
    page.select_option("#recording", "ave_maria")
    finished(page, "Ave Maria")
    assert page.locator("#gain").input_value() == "0" and page.locator("#moved").is_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone_and_a_screen_reader(visit, served, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(f"#sound={SONG}&tag=rock", served, viewport={"width": 375, "height": 800},
                 color_scheme=theme, bypass_csp=True)  # axe asks for the style sheets
    finished(page, "Lucky 13")
    page.locator("#why-rows tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    found = Axe().run(page).response["violations"]
    assert not [(each["id"], each["nodes"][0]["html"][:200]) for each in found
                if each["impact"] in ("serious", "critical")]


def test_links_of_the_room_lead_to_pages(site):
    """Of the book; those of the units are made in the page, and held in another test."""
    text = (site / "room" / "index.html").read_text(encoding="utf-8")
    for address in re.findall(r'(?:href|src)="([^"#]+)"', text):
        if not address.startswith(("https://", "data:")):
            inside = (site / "room" / address).resolve()
            in_book = inside.parent == site / "book" and (
                ROOT / "book" / inside.with_suffix(".ipynb").name).is_file()
            assert inside.is_file() or in_book or inside in (
                site / "index.html", site / "units" / "index.html"), address
