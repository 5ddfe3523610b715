"""The cards of the live units: as many as live, found by hand, light, and safe to show."""

import re

import numpy as np
import pytest
from arithmetic.network import SILENT, alone, truth_of, weights_of
from bs4 import BeautifulSoup

from helpers.page.cards import MOST, gallery, make_cards, matches
from inside_musicnn import InputError, MusiCNN, load_clip
from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.network.units import live_rows, row_unit
from inside_musicnn.sound.spectrogram import PATCH_SECONDS

HOSTILE = '<script>alert("1")</script>" onclick="alert(2) <b>&'
MODELS = ("MSD_musicnn", "MTT_musicnn")


@pytest.fixture(scope="module", params=MODELS)
def net(request):
    return MusiCNN(request.param)


@pytest.fixture(scope="module")
def clip():
    return load_clip("disco")


@pytest.fixture(scope="module")
def patches(clip):
    return clip.patches()[:MOST]


@pytest.fixture(scope="module")
def cards(net, patches):
    return make_cards(net, patches, {row: (0.1, HOSTILE) for row in range(561)})


@pytest.fixture(scope="module")
def page(cards, patches, clip):
    return gallery(cards, patches, clip.excerpt(0, len(patches) * PATCH_SECONDS), HOSTILE)


def test_one_card_for_each_live_unit(net, cards, page):
    live = live_rows(net).tolist()
    assert sorted(card.row for card in cards) == live
    shown = BeautifulSoup(page, "html.parser").select(".card-unit")
    assert sorted(int(card["id"].removeprefix("row-")) for card in shown) == live


def test_no_id_twice(page):
    ids = [tag["id"] for tag in BeautifulSoup(page, "html.parser").find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_light(page):
    assert len(page.encode()) < 1_000_000, "the page as a whole may have 3 MB"


def test_names_are_text_and_never_markup(page):
    soup = BeautifulSoup(page, "html.parser")
    assert [script.text for script in soup.find_all("script") if "alert" in script.text] == []
    assert soup.find_all(onclick=True) == [] and soup.find_all("b") == []
    assert HOSTILE in soup.figcaption.text
    assert HOSTILE in soup.audio["aria-label"]
    assert HOSTILE in soup.select_one(".card-unit em").text


def test_each_card_can_be_used_by_keyboard_and_read_aloud(page):
    soup = BeautifulSoup(page, "html.parser")
    for card in soup.select(".card-unit"):
        (button,) = card.find_all("button")
        assert button["type"] == "button" and card["id"].split("-")[1] in button["aria-label"]
        begin, length = float(button["data-from"]), float(button["data-for"])
        assert begin >= 0 and begin + length <= MOST * PATCH_SECONDS + 1e-9
        assert all(image["alt"] for image in card.find_all("img"))
        assert all(drawing["aria-label"] for drawing in card.find_all("svg"))
    assert "focus-visible" in page


def test_nothing_is_loaded_from_elsewhere(page):
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_the_moment_is_the_rows_extreme(net, cards, patches):
    u = net.activations(patches, "cnn_1/out")["cnn_1/out"]
    for card in cards:
        length = len(card.kernel)
        before = (length - 1) // 2
        inside = u[:, before : FRAMES - (length - 1 - before), card.row]
        extreme = inside.max() if card.gain > 0 else inside.min()
        assert u[card.patch, card.frame, card.row] == extreme
        assert card.first >= 0 and card.first + length <= FRAMES


def test_the_place_gives_the_row_its_value(net, cards, patches):
    """The number under the outlined box, by plain loops, is the number in U."""
    acts = net.activations(patches, ["input/normalized", "cnn_1/out"])
    bound = truth_of(net.name, patches, SILENT)["cnn_1/out"].bound
    for card in cards[::5]:
        family, unit = row_unit(card.row)
        weights = net.weights(f"cnn_1/{family}")
        length, bands = card.kernel.shape
        under = acts["input/normalized"][card.patch][card.first : card.first + length,
                                                     card.position : card.position + bands]
        match = sum(float(a) * float(b)
                    for a, b in zip(under.flat, card.kernel.flat, strict=True))
        value = card.gain * max(0.0, match + float(weights["bias"][unit])) + card.offset
        place = card.patch, card.frame, card.row
        assert abs(value - acts["cnn_1/out"][place]) <= 2 * bound[place]


def test_matches_equals_the_convolution_at_borders_too(net, patches):
    names = ["input/normalized", "cnn_1/temporal_64/conv", "cnn_1/timbral_67/conv"]
    acts = net.activations(patches[:1], names)
    for family in ("temporal_64", "timbral_67"):
        kernel = net.weights(f"cnn_1/{family}")["kernel"][..., 7]
        block = alone(weights_of(net.name), f"cnn_1/{family}", acts["input/normalized"][0])
        bound = block[f"cnn_1/{family}/conv"].bound[..., 7]
        for frame in (0, 2, 100, FRAMES - 1):
            ours = matches(kernel, acts["input/normalized"][0], frame)
            theirs = acts[f"cnn_1/{family}/conv"][0, frame, :, 7]
            assert (np.abs(ours - theirs) <= 2 * bound[frame]).all()


def test_silence_has_cards_too(net):
    silence = np.zeros((1, FRAMES, BANDS), np.float32)
    cards = make_cards(net, silence)
    page = gallery(cards, silence, np.zeros(48000, np.float32), "silence")
    text = BeautifulSoup(page, "html.parser").get_text(" ").lower().split()
    assert len(cards) == len(live_rows(net)) and "nan" not in text


def test_too_much_sound_is_refused(patches):
    with pytest.raises(InputError, match="up to 4 patches"):
        gallery([], np.concatenate([patches, patches]), np.zeros(10), "long")
    with pytest.raises(InputError, match="12.5 s"):
        gallery([], patches, np.zeros(16000 * 13), "long")


def test_a_press_plays_the_moment_and_stops(browser, page, tmp_path):
    """In a browser: seek, play, stop, by keyboard; no sideways scrolling on a phone."""
    file = tmp_path / "cards.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><body>{page}', encoding="utf-8")
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    trouble = []
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.goto(file.as_uri())
    button = tab.locator(".card-unit button").nth(3)
    button.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function("document.querySelector('audio').currentTime > 0", timeout=10_000)
    assert not tab.evaluate("document.querySelector('audio').paused")
    tab.wait_for_function("document.querySelector('audio').paused", timeout=10_000)
    heard = tab.evaluate("document.querySelector('audio').currentTime")
    begin, length = (float(button.get_attribute(name)) for name in ("data-from", "data-for"))
    assert begin < heard < begin + length + 1
    columns = tab.evaluate("getComputedStyle(document.querySelector('.grid'))"
                           ".gridTemplateColumns.split(' ').length")
    overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    tab.close()
    assert (columns, overflow, trouble) == (2, 0, [])
