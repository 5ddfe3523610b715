"""The playable view: what its HTML holds, what it refuses, and how it plays in a browser."""

import base64
import io
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from helpers.page.plots import SIGNED
from helpers.page.timeline import INKS, Strip, timeline, timeline_html
from inside_musicnn import InputError, load_clip

FRAMES = 374  # two patches
SECONDS = FRAMES * 0.016


@pytest.fixture(scope="module")
def sound():
    return load_clip("disco").samples[: FRAMES * 256]


@pytest.fixture(scope="module")
def strips():
    clip, noise = load_clip("disco"), np.random.default_rng(0).normal(size=(FRAMES, 64))
    return [Strip("dB mel", clip.patches()[:2]),
            Strip("rows", noise[:, :8], kind="series", rows=[f"r{n}" for n in range(8)]),
            Strip("signed", noise, kind="signed", limit=2),
            Strip("lines", noise[:, :2], kind="line", rows=["a", "b"])]


@pytest.fixture(scope="module")
def block(sound, strips):
    return timeline_html("two patches", sound, strips)


def picture(block, number=0):
    """A picture of the block as an array of colours, the highest row first."""
    source = BeautifulSoup(block, "html.parser").find_all("img")[number]["src"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("RGB"))


def test_no_ids_no_scripts_one_sound(block):
    page = BeautifulSoup(block, "html.parser")
    assert page.find_all(id=True) == [] and page.find_all("script") == []
    assert "currentScript" not in block
    assert len(page.find_all("audio")) == 1
    assert len(page.find_all(class_="timeline")) == 1


def test_all_is_told_in_words(block):
    page = BeautifulSoup(block, "html.parser")
    images = page.find_all("img") + page.find_all("svg")
    told = [image.get("alt") or image["aria-label"] for image in images]
    assert [words.split(",")[0] for words in told] == ["dB mel", "rows", "signed", "lines"]
    scales = [scale.text for scale in page.find_all(class_="tl-scale")]
    assert re.fullmatch(r"magma, 0 to [\d.]+", scales[0])
    assert re.match(r"viridis, −[\d.]+ to [\d.]+", scales[1])
    assert re.match(r"blue below zero, red above, −2 to 2 \(values −[\d.]+ to ", scales[2])
    slider = page.find(role="slider")
    assert slider["tabindex"] == "0" and slider["aria-valuetext"] == "0.00 s"
    assert float(slider["aria-valuemax"]) == pytest.approx(SECONDS)


def test_text_is_shown_as_it_is(sound):
    bad = "<b onclick='x'>\"&"
    values = np.zeros((FRAMES, 2))
    block = timeline_html(bad, sound, [Strip(bad, values, kind="series", rows=[bad, bad]),
                                       Strip(bad, values, kind="line", rows=[bad, bad])])
    page = BeautifulSoup(block, "html.parser")
    assert page.find("div")["aria-label"] == bad
    assert page.find(class_="tl-name").text == bad
    assert [row.text for row in page.find_all(class_="tl-row")][:2] == [bad, bad]
    assert bad in page.find("img")["alt"] and bad in page.find("svg")["aria-label"]
    assert page.find_all(onclick="x") == [] and bad not in block


def test_four_patches_weigh_little():
    clip = load_clip("disco")
    block = timeline_html("four", clip.samples[: 748 * 256], [Strip("dB mel", clip.patches()[:4])])
    image = BeautifulSoup(block, "html.parser").find("img")["src"]
    assert len(image) < 25_000 * 4 / 3 + 100
    sound = BeautifulSoup(block, "html.parser").find("audio")["src"]
    assert len(block) - len(sound) - len(image) < 9_000


def test_one_pixel_per_frame_low_rows_at_the_bottom(sound):
    values = np.zeros((FRAMES, 3))
    values[100, 0] = 1
    shown = picture(timeline_html("x", sound, [Strip("s", values, kind="series")]))
    assert shown.shape == (90, FRAMES, 3)
    bright = np.argwhere(shown[..., 0] > 200)
    assert set(bright[:, 1]) == {100} and set(bright[:, 0]) == set(range(60, 90))


def test_zero_is_neutral_and_the_scale_holds_at_its_ends(sound):
    import matplotlib

    values = np.zeros((FRAMES, 2))
    values[0], values[1] = 50, -50
    shown = picture(timeline_html("x", sound, [Strip("s", values, kind="signed", limit=10)]))
    expected = matplotlib.colormaps[SIGNED]([1.0, 0.0, 0.5], bytes=True)[:, :3]
    assert np.abs(shown[0, :3].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("kind", ["series", "signed", "line"])
@pytest.mark.parametrize("value", [0, -3])
def test_constant_values_are_drawn(sound, kind, value):
    block = timeline_html("x", sound, [Strip("s", np.full((FRAMES, 2), value), kind=kind)])
    assert "nan" not in re.sub(r'src="[^"]*"', "", block)


def test_ticks_and_borders_count_from_the_start(sound, strips):
    page = BeautifulSoup(timeline_html("x", sound, strips, start=2.992), "html.parser")
    ticks = [tick.text for tick in page.select(".tl-seconds span")]
    assert ticks == [f"{second} s" for second in range(3, 9)]
    borders = [border["style"] for border in page.select(".tl-ear > i")]
    assert borders == ["left:50.000%"]
    assert page.find(role="slider")["aria-valuemin"] == "2.992"
    assert page.find(class_="tl-now").text == "2.99 s"


def test_two_frames_more_are_forgiven(sound):
    clip = load_clip("disco")
    values = [clip.db_mel[: FRAMES + 2], clip.db_mel[: FRAMES + 1]]
    block = timeline_html("x", sound, [Strip("a", values[0]), Strip("b", values[1])])
    assert picture(block, 0).shape == picture(block, 1).shape == (96, FRAMES + 1, 3)


def test_it_is_displayed(sound, strips, monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.page.timeline.display", shown.append)
    assert timeline("x", sound, strips) is None
    assert [part.data for part in shown] == [timeline_html("x", sound, strips)]


SERIES = np.zeros((FRAMES, 3))
BROKEN = np.where(np.arange(FRAMES) == 7, np.nan, 0)
BAD = {
    "no strips": ([], "at least one Strip"),
    "not a strip": ([SERIES], "at least one Strip"),
    "kind": ([Strip("s", SERIES, kind="jet")], "choose one of db_mel, series"),
    "bands": ([Strip("s", SERIES)], "has 3 rows"),
    "nan": ([Strip("s", BROKEN, kind="line")], "not a number"),
    "shape": ([Strip("s", np.zeros(FRAMES), kind="series")], r"shape \(374,\)"),
    "no rows": ([Strip("s", np.zeros((FRAMES, 0)), kind="series")], "shape"),
    "names": ([Strip("s", SERIES, kind="series", rows=["1"])], "one name for each"),
    "many lines": ([Strip("s", np.zeros((FRAMES, len(INKS) + 1)), kind="line")], "show fewer"),
    "limit": ([Strip("s", SERIES, kind="signed", limit=-1)], "above 0"),
    "scale": ([Strip("s", SERIES, kind="series", low=2, high=1)], "low end"),
    "sound": ([Strip("s", SERIES[:-3], kind="series")], "give the sound of just these frames"),
    "others": ([Strip("s", SERIES[2:], kind="series"), Strip("t", np.zeros((FRAMES + 1, 3)),
                                                             kind="series")], "same number"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_strips_are_refused(sound, case):
    strips, words = BAD[case]
    with pytest.raises(InputError, match=words):
        timeline_html("x", sound, strips)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros((2, 256)), np.full(256, np.nan),
                                     np.zeros(13 * 16000)])
def test_bad_sound_is_refused(samples):
    with pytest.raises(InputError, match="The sound of 'x'"):
        timeline_html("x", samples, [Strip("s", SERIES, kind="series")])


@pytest.mark.parametrize("start", [np.nan, np.inf])
def test_bad_start_is_refused(sound, start):
    with pytest.raises(InputError, match="number of seconds"):
        timeline_html("x", sound, [Strip("s", SERIES, kind="series")], start=start)


@pytest.fixture
def page(browser, block, sound, strips):
    """A page with two blocks, put there as notebooks do it, and nothing said on the console."""
    trouble = []
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.on("console", lambda said: trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.set_content("<!doctype html><html lang='en'><body><main></main></body></html>")
    # Set as innerHTML: scripts would not run there, so nothing may depend on one.
    page.evaluate("html => document.querySelector('main').innerHTML = html",
                  block + timeline_html("later", sound, strips[:1], start=10))
    for number in (0, 1):
        page.wait_for_function(
            "number => document.querySelectorAll('audio')[number].readyState >= 2", arg=number)
    yield page
    page.close()
    assert trouble == []


def at(page, number=0):
    """What block `number` says: time of the sound, share of the cursor, words, playing."""
    return page.evaluate("""number => {
      const block = document.querySelectorAll('.timeline')[number];
      const ear = block.querySelector('[role=slider]'), audio = block.querySelector('audio');
      const box = ear.getBoundingClientRect();
      const cursor = ear.querySelector('b').getBoundingClientRect();
      return {time: audio.currentTime, playing: !audio.paused,
        cursor: (cursor.left + cursor.width / 2 - box.left) / box.width,
        now: block.querySelector('.tl-now').textContent, text: ear.getAttribute('aria-valuetext'),
        value: +ear.getAttribute('aria-valuenow')};
    }""", number)


def settled(page, number=0):
    page.wait_for_function(
        "number => !document.querySelectorAll('audio')[number].seeking", arg=number)
    page.wait_for_timeout(60)
    return at(page, number)


def click(page, share, number=0, strip=0):
    shown = page.locator(".timeline").nth(number).locator(".tl-picture").nth(strip)
    box = shown.bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


@pytest.mark.parametrize("strip", range(4))
def test_a_click_seeks(page, strip):
    click(page, 0.5, strip=strip)
    seen = settled(page)
    assert seen["time"] == pytest.approx(SECONDS / 2, abs=0.05)
    assert seen["cursor"] == pytest.approx(0.5, abs=0.003)
    assert seen["now"] == seen["text"] == f"{seen['time']:.2f} s"
    assert not seen["playing"]


def test_dragging_seeks(page):
    box = page.locator(".tl-picture").first.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 20, steps=4)
    page.mouse.up()
    assert settled(page)["time"] == pytest.approx(0.75 * SECONDS, abs=0.05)


def test_the_start_counts_in_words_only(page):
    click(page, 0.25, number=1)
    seen = settled(page, 1)
    assert seen["time"] == pytest.approx(SECONDS / 4, abs=0.05)
    assert seen["value"] == pytest.approx(10 + SECONDS / 4, abs=0.05)
    assert seen["now"] == f"{seen['value']:.2f} s"
    assert at(page, 0)["time"] == 0


def test_keys_move(page):
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('.tl-ear')"):
        page.keyboard.press("Tab")
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    steps = [("ArrowRight", 1), ("ArrowRight", 2), ("Shift+ArrowRight", 2.016),
             ("ArrowLeft", 1.016), ("Shift+ArrowLeft", 1), ("End", SECONDS),
             ("ArrowRight", SECONDS), ("Home", 0), ("ArrowLeft", 0)]
    for key, time in steps:
        page.keyboard.press(key)
        seen = settled(page)
        assert seen["time"] == pytest.approx(time, abs=0.002), key
        assert seen["cursor"] == pytest.approx(time / SECONDS, abs=0.003)
        assert seen["text"] == f"{time:.2f} s"
    page.keyboard.press("Control+ArrowRight")
    assert settled(page)["time"] == 0, "keys of the browser are left alone"


def test_it_plays_and_the_cursor_follows(page):
    page.locator(".tl-ear").first.focus()
    scrolled = page.evaluate("scrollY")
    page.keyboard.press("Space")
    page.wait_for_timeout(500)
    first = at(page)
    page.wait_for_timeout(400)
    second = at(page)
    assert first["playing"] and second["playing"]
    assert second["time"] > first["time"] > 0
    assert second["cursor"] > first["cursor"] > 0
    assert second["cursor"] == pytest.approx(second["time"] / SECONDS, abs=0.02)
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    third = at(page)
    page.wait_for_timeout(200)
    assert not third["playing"] and at(page)["cursor"] == third["cursor"]
    assert third["text"] == third["now"]
    assert page.evaluate("scrollY") == scrolled


def test_playing_one_pauses_the_other(page):
    for number in (0, 1):
        page.locator("audio").nth(number).evaluate("audio => audio.scrollIntoView()")
        page.locator(".tl-ear").nth(number).focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
    assert at(page, 1)["playing"] and not at(page, 0)["playing"]
    assert at(page, 0)["time"] > 0


def test_played_to_the_end(page):
    page.locator(".tl-ear").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowLeft")
    settled(page)
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('audio').ended")
    page.wait_for_timeout(100)
    assert at(page)["cursor"] == pytest.approx(1, abs=0.003)
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert at(page)["playing"] and at(page)["time"] < SECONDS / 2


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_all(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = """() => [...document.querySelectorAll('.timeline *')].filter(element => {
      const box = element.getBoundingClientRect();
      const whole = element.closest('.timeline').getBoundingClientRect();
      return box.width && (box.left < whole.left || box.right > whole.right);
    }).map(element => element.outerHTML.slice(0, 100))"""
    assert page.evaluate(inside) == []
    cut = """() => [...document.querySelectorAll('.tl-row')].filter(
      row => row.scrollWidth > row.clientWidth).map(row => row.textContent)"""
    assert page.evaluate(cut) == []


def test_no_theme_moves_pictures_off_the_axis(page):
    # As the theme does in the dark, and the book's own style to all pictures.
    page.add_style_tag(content="html body main div div div img, html body main div div div svg "
                               "{padding: 8px; margin: 9px; border: 2px solid; height: auto}")
    assert page.evaluate("""() => [...document.querySelectorAll('.timeline')].every(block => {
      const ear = block.querySelector('.tl-ear').getBoundingClientRect();
      return [...block.querySelectorAll('img, svg')].every(picture => {
        const box = picture.getBoundingClientRect(), style = getComputedStyle(picture);
        return Math.abs(box.left - ear.left) < 0.5 && Math.abs(box.right - ear.right) < 0.5
          && style.padding === '0px' && style.borderLeftWidth === '0px';
      });
    })""")


def test_a_tap_seeks(browser, block):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.set_content(block)
    box = page.locator(".tl-picture").first.bounding_box()
    page.touchscreen.tap(box["x"] + 0.5 * box["width"], box["y"] + 30)
    assert settled(page)["time"] == pytest.approx(SECONDS / 2, abs=0.05)
    context.close()
