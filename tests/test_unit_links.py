"""Chapters link each unit that they name to its page, where the site has one."""

import re

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

from helpers.page.unit_links import of_atlas
from inside_musicnn.errors import InputError
from making.running.chapters import read_pages
from making.running.finish_site import link_units

CHAPTERS = [page.file.with_suffix(".html").as_posix() for page in read_pages(ROOT)
            if page.is_chapter]
# The ledger repeats the articles' words and links their chapters; the layer map names no units.
STORIES = [page.file.with_suffix(".html").as_posix() for page in read_pages(ROOT) if page.number]
# Units named by their numbers, as sentences and tables do; not "rows 0 to 203", nor "of the live
# units 19 move no tag".
NAMED = re.compile(r"(?:timbral_(?:38|67)|temporal_(?:128|64|32)),?(?: unit)? (\d+)"
                   r"|(?<!live )(?<!dead )\b(?:unit|row)s? "
                   r"(\d+(?:, \d+)*(?:,? and \d+)?)\b(?! to \d)", re.IGNORECASE)


@pytest.mark.parametrize(("number", "layer", "model", "error"), [
    (12, "cnn_4/relu", "MSD_musicnn", "Units of 'cnn_4/relu' have no pages; choose one of cnn_1"),
    (64, "cnn_4/norm", "MSD_musicnn", "'cnn_4/norm' has no unit 64; its units are 0 to 63"),
    (-1, "cnn_1/out", "MSD_musicnn", "'cnn_1/out' has no unit -1; its units are 0 to 560"),
    (1, "cnn_1/out", "MTG", "MTG")])
def test_what_has_no_page_is_refused(number, layer, model, error):
    with pytest.raises(InputError, match=error):
        of_atlas(number, layer, model)


def test_only_what_has_a_page_gets_an_address(tmp_path):
    named = [of_atlas(row, "cnn_1/out", "MSD_musicnn") for row in (12, 13)]
    page, unit = tmp_path / "book" / "a.html", tmp_path / "units/MSD_musicnn/cnn_1-out/12.html"
    for file, text in ((page, f"<p>{named[0]} and {named[1]}</p>"), (unit, "")):
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    link_units(tmp_path)
    links = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find_all("a")
    assert [link.text for link in links] == ["12", "13"]
    assert (page.parent / links[0]["href"]).resolve() == unit and "href" not in links[1].attrs


def bare(html):
    """Units that a page names by number and links nowhere; code and figures aside."""
    article = BeautifulSoup(html, "html.parser").find("article")
    linked = set()
    for link in article.find_all("a"):
        if re.match(r"\.\./units/", link.get("href", "")) or link.get("data-unit"):
            linked |= set(re.findall(r"\d+", link.get("data-unit") or link["href"])[-1:])
            linked |= set(re.findall(r"\d+", link.text)[-1:])  # its number in the family
            link.replace_with("(a link)")
    for other in article.select("pre, script, style, svg, nav, audio, button, .timeline"):
        other.decompose()
    for cell in article.find_all(["td", "th"]):
        cell.append(" |")  # a number in the next cell counts something else
    named = NAMED.findall(" ".join(article.get_text(" ").split()))
    return [number for found in named for number in re.findall(r"\d+", "".join(found))
            if number not in linked]


@pytest.mark.parametrize(("text", "found"), [
    ("the first, unit 12 of it", ["12"]), ("<code>temporal_128</code> 20", ["20"]),
    ("<code>timbral_38</code>, unit 3", ["3"]), ("Rows 5, 33 and 59", ["5", "33", "59"]),
    ("20 units of CNN_2, rows 0 to 203", []), ("temporal_128 has 51", []),
    ("of 204 live units 19 move no tag", []),
    ('unit <a href="../units/MSD_musicnn/cnn_1-out/12.html">12</a> and row 12, row 7', ["7"]),
    ('row <a data-unit="MSD_musicnn/cnn_2-norm/3">3</a>', []),
    ('<a href="../units/x/cnn_1-out/430.html"><code>temporal_128</code> 22</a>, or unit 22', []),
    ("<table><tr><td>timbral_38</td><td>2,915</td></tr></table>", []), ("<pre>unit 12</pre>", [])])
def test_the_rule_can_fail(text, found):
    assert bare(f"<article>{text}</article>") == found


@pytest.mark.parametrize("page", STORIES)
def test_every_unit_that_a_chapter_names_is_linked(built_site, page):
    assert bare((built_site / "site" / page).read_text(encoding="utf-8")) == []


def test_links_lead_to_pages(built_site):
    site, count = built_site / "site", 0
    for page in CHAPTERS:
        for address in re.findall(r'href="(\.\./units/[^"#]+)', (site / page).read_text()):
            assert (site / page).parent.joinpath(address).resolve().is_file(), (page, address)
            count += address.rsplit("/", 1)[1] != "index.html"
    assert count > 100
