"""The bibliography: entries that the text uses, each with an address."""

import re

import pytest
from conftest import ROOT
from pybtex.database import parse_file

BOOK = ROOT / "book"
CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
ENTRIES = parse_file(str(BOOK / "references.bib")).entries


def cited():
    """Keys that pages of the book cite, and where."""
    found = {}
    for page in [*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")]:
        for keys in CITED.findall(page.read_text(encoding="utf-8")):
            for key in keys.split(","):
                found.setdefault(key.strip(), set()).add(page.stem)
    return found


def address(fields):
    """A DOI or an address on the web, in a field of its own or within a note."""
    if "doi" in fields:
        return re.fullmatch(r"10\.\d{4,9}/\S+", fields["doi"])
    text = " ".join(fields.get(name, "") for name in ("url", "howpublished", "note"))
    return re.search(r"https?://[\w.-]+\.\w+/\S+", text)


def test_at_least_thirty_entries_are_used_and_none_is_not():
    assert len(ENTRIES) >= 30
    assert set(cited()) == set(ENTRIES)


@pytest.mark.parametrize("key", ENTRIES)
def test_each_entry_has_an_address_an_author_and_a_year(key):
    fields = ENTRIES[key].fields
    assert address(fields), key
    assert ENTRIES[key].persons["author"] and re.fullmatch(r"(19|20)\d\d", fields["year"])


def test_what_is_no_address_is_told():
    assert not address({"title": "x", "howpublished": "Blog"})
    assert not address({"doi": "https://doi.org/10.1/x"})
    assert address({"note": r"See \url{https://a.org/b}"})


def test_parts_of_the_blog_lead_to_the_blog():
    note = ENTRIES["sturm2022digging"].fields["note"]
    blog = r"https://highnoongmt\.wordpress\.com/2022/\S+?"
    found = re.findall(rf"part (\d+), \\url\{{({blog})\}}", note)
    assert {"1", "9", "12"} <= {part for part, _ in found}
    assert all(link.endswith(f"/digging-into-musicnn-pt-{part}/") for part, link in found)
