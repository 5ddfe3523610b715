"""What chapters put on a page: the map, players, sentences, figures."""

import io
import re
import xml.etree.ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile

from helpers.evidence.reference import reference
from helpers.page import plots
from helpers.page.chapters import pages
from helpers.page.network_map import network_map
from helpers.page.players import LONGEST, encode, player
from helpers.page.values import listing, plain
from inside_musicnn import LAYERS, InputError, load_clip
from inside_musicnn.network.units import live_rows, live_units, row_unit
from inside_musicnn.sound import probes


def drawings(html):
    return [ET.fromstring(text) for text in re.findall(r"<svg.*?</svg>", html, re.S)]


def test_the_map_draws_every_layer_once_in_both_drawings():
    for drawing in drawings(network_map().data):
        titles = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}title")]
        assert sorted(title.split(" ")[0] for title in titles) == sorted(LAYERS)


def test_the_map_highlights_what_it_is_told():
    plainly, here = network_map().data, network_map("cnn_3", "pool/max").data
    assert plainly.count('fill="#c8443c"') == 0
    assert here.count('fill="#c8443c"') == 2 * 6  # CNN_3 has five layers; two drawings
    with pytest.raises(InputError, match="no layer 'cnn_9'"):
        network_map("cnn_9")


def test_the_map_leads_to_chapters_and_units():
    html = network_map("cnn_3").data
    for drawing in drawings(html):
        boxes = list(drawing.iter("{http://www.w3.org/2000/svg}a"))
        assert len(boxes) == len(LAYERS)
        for box in boxes:
            layer = LAYERS[box.get("aria-label").split(" ")[0]]
            assert box.get("href") == f"{pages()[layer.chapter]}.html"
            assert (box.get("aria-current") == "true") == layer.name.startswith("cnn_3/")
    assert "We are here: cnn_3." in html and "units/MTT_musicnn/cnn_3-norm/index.html" in html
    assert "We are here" not in network_map().data


def test_the_map_has_no_twin_ids():
    ids = re.findall(r'\bid="([^"]+)"', network_map("cnn_2").data)
    assert len(ids) == len(set(ids)) == 2


def test_a_player_is_compressed_and_shows_its_label_as_text():
    samples = load_clip("disco").excerpt(0, 10)
    html = player('<script>alert("x")</script> & more', samples)
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert len(html) < 110_000
    decoded, rate = soundfile.read(io.BytesIO(encode(samples)))
    assert rate == 16000
    assert abs(len(decoded) - len(samples)) < 3000
    assert np.corrcoef(decoded[: len(samples) - 3000], samples[: len(samples) - 3000])[0, 1] > 0.95


def test_a_player_refuses_what_would_make_the_page_heavy():
    with pytest.raises(InputError, match=f"players take up to {LONGEST} s"):
        player("long", probes.noise(seconds=20).samples)


@pytest.mark.parametrize("name", ["<script>x</script>", "a*b_c`d`", "[x](y)", "$x$", "{cite}`a`",
                                  "a|b", "&amp;", "two\nlines"])
def test_plain_names_stay_names_in_markdown(name):
    from bs4 import BeautifulSoup
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    html = parser.render(f"see {plain(name)} here")
    soup = BeautifulSoup(html, "html.parser")
    assert [tag.name for tag in soup.find_all()] == ["p"]
    assert soup.text.strip() == f"see {' '.join(name.split())} here"


def test_lists_in_words():
    assert listing([]) == "none" and listing(["a"]) == "a"
    assert listing(["a", "b", 3]) == "a, b and 3"


def test_figures_carry_units():
    clip = load_clip("disco", duration=6.5)
    _, ax, image = plots.plot_db_mel(clip.patches(), start=2)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (Hz)")
    assert image.get_extent()[:2] == pytest.approx((2, 2 + 2 * 2.992))
    assert image.get_array().shape == (96, 2 * 187)
    _, ax, image = plots.plot_signed(np.array([[1.0, -3.0], [0.0, 2.0]]))
    assert image.get_clim() == (-3, 3)
    _, ax, _ = plots.plot_taggram(np.random.default_rng(0).random((4, 50)), list("abcde") * 10,
                                  top=5)
    assert len(ax.get_yticks()) == 5
    kernels = np.random.default_rng(0).standard_normal((7, 38, 5))
    _, axes, image = plots.plot_kernels(kernels, columns=3, names="abcde")
    shown = image.get_array()  # the second line: two kernels and an empty place
    assert axes.shape == (2, 1) and image.get_clim() == pytest.approx(
        (-np.abs(kernels).max(), np.abs(kernels).max()))
    np.testing.assert_array_equal(shown[:, 9:16], kernels[..., 4].T)
    assert shown.mask[:, 7:9].all() and shown.mask[:, 16:].all()
    assert [text.get_text() for text in axes[1, 0].texts] == ["d", "e"]
    plt.close("all")


def test_mel_axis_is_where_the_bands_are():
    _, ax, _ = plots.plot_db_mel(probes.sine(1000.0).db_mel)
    band = probes.sine(1000.0).db_mel[90].argmax()
    label = dict(zip([text.get_text() for text in ax.get_yticklabels()], ax.get_yticks(),
                     strict=True))
    assert abs(label["1000"] - band) < 1
    plt.close("all")


def test_live_units_by_threshold(net):
    rows = live_rows(net)
    assert len(live_rows(net, threshold=1e9)) == 0 and len(live_rows(net, threshold=-1)) == 561
    family, unit = row_unit(rows[-1])
    assert unit in live_units(net, f"cnn_1/{family}")
    with pytest.raises(InputError, match="rows are 0 to 560"):
        row_unit(561)


def test_no_reference_for_other_clips():
    assert reference("unknown", "MSD_musicnn") == {}
