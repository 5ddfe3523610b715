"""Several recordings: a site each, and a switch that leads to the same place of the other one."""

import io
import json
import re

import nbformat
import numpy as np
import pytest
import soundfile
import yaml
from bs4 import BeautifulSoup
from conftest import make_tiny_book

from inside_musicnn.commands.main import main
from inside_musicnn.errors import InputError
from making.running.fingerprint import Fingerprints
from making.running.plan import make_plan, run_name
from making.running.run import build
from making.running.title_page import card, name_recording, short
from making.running.work import list_work

HOSTILE = "<script>alert(1)<∕script>`{{ 7919*7907 }}` \"it's\" 🎺 ${x}\n*b* [a](b) \u202eevil.wav"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


def add_sections(root):
    """Make the second chapter long, with a heading now and then."""
    file = root / "book" / "02_two.ipynb"
    book = nbformat.read(file, as_version=4)
    for number in range(12):
        text = f"## Section {number}\n\n" + "\n\n".join(["words " * 60] * 4)
        book.cells.append(nbformat.v4.new_markdown_cell(text))
    nbformat.write(book, file)
    index = root / "book" / "index.md"
    index.write_text(index.read_text() + "\n```{include} _generated/recording.md\n```\n")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two recordings: one with a name that would like to be code."""
    folder = tmp_path_factory.mktemp("music")
    files = [folder / HOSTILE, folder / "a plain song.wav"]
    for number, file in enumerate(files):
        noise = np.random.default_rng(number).normal(0, 0.1, 80000)
        soundfile.write(folder / "x.wav", noise, 16000)
        (folder / "x.wav").rename(file)
    return files


@pytest.fixture(scope="module")
def compared(tmp_path_factory, files):
    """A run about both: its folder, and what it said."""
    root = make_tiny_book(tmp_path_factory.mktemp("several") / "book")
    add_sections(root)
    log = io.StringIO()
    return build(root, audio=[str(file) for file in files], segments=1, stream=log), log.getvalue()


@pytest.fixture(scope="module")
def names(compared):
    """Folder names of the two sites."""
    return list(json.loads((compared[0] / "manifest.json").read_text())["recordings"])


def test_one_manifest_and_one_progress_for_all(compared, names, files):
    output, said = compared
    manifest = json.loads((output / "manifest.json").read_text())
    for name, file in zip(names, files, strict=True):
        record = manifest["recordings"][name]
        assert record["parameters"]["audio"] == str(file)
        assert record["chapters"] == ["01_one", "02_two"] and file.name in record["sha256"]
        assert (output / "site" / name / "book" / "02_two.html").is_file()
        about = (output / "site" / name / "book" / "about.html").read_text()
        assert "SHA-256" in about and "slowest" in about
    assert re.search(r"\[4/4\] .*done in", said) and len(re.findall("left", said)) >= 3
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,80}", name) for name in names)


def test_the_first_page_lists_the_recordings(compared, names, files):
    page = BeautifulSoup((compared[0] / "site" / "index.html").read_text(), "html.parser")
    links = page.select("li a")
    assert [link["href"] for link in links] == [f"{name}/index.html" for name in names]
    assert page.find("script") is None
    assert "a plain song" in links[1].text and "MSD_musicnn" in links[1].text
    assert "<script>alert(1)" in links[0].text and "0.0 s to 3.0 s" in links[0].text


def test_every_page_leads_to_the_same_page_of_the_other(compared, names):
    site = compared[0] / "site"
    pages = [page for page in (site / names[0]).rglob("*.html")
             if "_static" not in page.parts and page != site / names[0] / "index.html"]
    assert len(pages) >= 5  # with search and index
    for page in pages:
        switch = BeautifulSoup(page.read_text(), "html.parser").select_one("nav.recordings")
        assert switch["aria-label"] == "Recording"
        targets = [(page.parent / link["href"]).resolve() for link in switch.select("a")]
        inside = page.relative_to(site / names[0])
        assert targets == [site / names[0] / inside, site / names[1] / inside, site / "index.html"]
        assert all(target.is_file() for target in targets)
        (current,) = switch.select("[aria-current]")
        assert current.text.startswith("<script>alert(1)")


@pytest.mark.parametrize("size", SIZES)
def test_the_switch_keeps_the_place(browser, compared, names, size):
    trouble = []
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.on("console", lambda said: said.type == "error" and trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.goto((compared[0] / "site" / names[0] / "book" / "02_two.html").as_uri())
    page.wait_for_load_state("load")
    place = "document.getElementById('section-6').getBoundingClientRect().top"
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto';"
                  f"window.scrollBy(0, {place} + 250)")
    before = page.evaluate(place)
    assert before == pytest.approx(-250, abs=2)
    # Where a hand would tap: a locator's click scrolls first.
    box = page.get_by_role("link", name="a plain song").bounding_box()
    assert 0 <= box["x"] and box["x"] + box["width"] <= width and 0 <= box["y"] < 120
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(f"**/{names[1]}/**")
    page.wait_for_function(f"Math.abs({place} - ({before})) < 3", timeout=10_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "a plain song" in page.title()
    assert trouble == []
    page.close()


def test_a_hostile_name_is_text_everywhere(browser, compared, names):
    trouble, site = [], compared[0] / "site"
    page = browser.new_page()
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    # Sphinx's search fetches excerpts, which a browser refuses for files.
    page.on("pageerror", lambda error: "fetch" in str(error) or trouble.append(str(error)))
    for name in ("index.html", f"{names[0]}/book/index.html", f"{names[0]}/book/about.html",
                 f"{names[1]}/book/02_two.html", f"{names[0]}/search.html?q=evil"):
        page.goto(site.as_uri() + "/" + name)
        page.wait_for_load_state("load")
        shown = page.evaluate("document.body.innerText")
        assert "<script>alert(1)" in shown and "7919*7907" in shown, name
        assert "62615533" not in shown, name
        assert page.evaluate("[...document.querySelectorAll('script')]"
                             ".every(script => !script.text.includes('alert'))")
        assert "\u202e" not in page.title() and "\n" not in page.title().strip()
    assert trouble == []
    page.close()


@pytest.mark.parametrize("title", [HOSTILE, "x" * 300, "a\tb\r\nc", "\udcff", "'", "---\nb: 1"])
def test_titles_survive_the_configuration(title):
    config = {"title": "Book", "sphinx": {"config": {}}}
    name_recording(config, title)
    again = yaml.safe_load(yaml.safe_dump(config, allow_unicode=True))
    assert again == config and again["title"] == f"Book: {short(title)}"
    assert len(again["title"]) <= 100 and "\n" not in again["title"]
    assert "<" not in again["sphinx"]["config"]["html_theme_options"]["logo"]["text"]


def test_one_recording_is_named_in_title_and_first_page(tiny_book):
    add_sections(tiny_book)
    output = build(tiny_book, chapters="1", model="MTT_musicnn", start=2.0, segments=2,
                   stream=io.StringIO())
    page = BeautifulSoup((output / "site" / "book" / "index.html").read_text(), "html.parser")
    assert page.title.text.endswith("Inside MusiCNN: Ducks Under the Mirror Ball")
    assert page.select_one(".logo__title").text == "Inside MusiCNN: Ducks Under the Mirror Ball"
    shown = page.select_one("article .sd-card").text
    for words in ("Ducks Under the Mirror Ball", "disco.ogg", "MTT_musicnn", "2.0 to 8.0"):
        assert words in shown
    assert page.select_one("nav.recordings") is None  # one recording needs no switch


def test_the_seconds_shown_end_with_the_recording(tiny_book, noise_file):
    plan = make_plan(tiny_book, {"audio": str(noise_file), "segments": 9})
    assert plan.recordings[0].seconds == pytest.approx(2.992)  # of 5 s, one whole patch
    assert "0.0 to 3.0" in card(plan.recordings[0])


def test_the_same_recording_twice_is_an_error(tiny_book, noise_file, monkeypatch, capsys):
    monkeypatch.chdir(noise_file.parent)
    given = [f"--audio={name}" for name in (noise_file, noise_file.name)]
    assert main(["build", "--root", str(tiny_book), *given]) == 2
    said = capsys.readouterr().err
    assert "given twice" in said and len(said.splitlines()) == 1
    assert not (tiny_book / "_runs").exists()
    with pytest.raises(InputError, match="at least one"):
        build(tiny_book, audio=[])


def test_recordings_of_one_name_are_told_apart(tiny_book, tmp_path):
    files = [tmp_path / folder / "song.wav" for folder in "abc"]
    for number, file in enumerate(files):
        file.parent.mkdir()
        soundfile.write(file, np.random.default_rng(number).normal(0, 0.1, 80000), 16000)
    plan = make_plan(tiny_book, {"audio": [str(file) for file in files]})
    assert [each.name for each in plan.recordings] == ["song", "song-2", "song-3"]
    assert [each.title for each in plan.recordings] == ["song", "song (2)", "song (3)"]
    work = list_work(plan, Fingerprints(tiny_book))
    assert len({each.label for each in work}) == len({each.key for each in work}) == 6


def test_the_name_of_a_run_about_several_is_plain_and_bounded():
    long = [f"/music/{'ü' * 200}{number}.mp3" for number in range(50)]
    made = [run_name(long, "MSD_musicnn"), run_name(long[1:], "MSD_musicnn"),
            run_name(["disco", "piano"], "MSD_musicnn")]
    assert len(set(made)) == 3 and made[2].startswith("disco-and-1-more-")
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,90}", name) for name in made)
