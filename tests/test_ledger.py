"""The ledger's rules: kinds, verdicts that can fall both ways, answers that could be refuted."""

import json
import re

import pytest

from helpers.evidence.ledger import (
    ARCHITECTURE,
    CONFIRMED,
    KINDS,
    PROPOSED,
    QUALIFIED,
    REFUTED,
    VERDICTS,
    by_share,
    claims,
    holds,
)
from helpers.evidence.studies import stored_study
from helpers.page.chapters import BOOK, pages
from helpers.page.plots import VERDICTS as COLOURS
from making.studies import articles_claims

HEADING = re.compile(r"^(#{2,4}) (.+)$", re.MULTILINE)


def anchors(chapter):
    """The sections of a chapter, from its source: anchor -> whether a figure or table is in it."""
    cells = json.loads((BOOK / f"{pages()[chapter]}.ipynb").read_text())["cells"]
    found, inside = {}, {}
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for marks, heading in HEADING.findall(text):
                anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
                inside = {each: level for each, level in inside.items() if level < len(marks)}
                inside[anchor] = len(marks)
                found[anchor] = False
        elif "image" in cell["metadata"].get("mystnb", {}) or "table(" in text:
            found |= dict.fromkeys(inside, True)
    return found


@pytest.mark.parametrize("name", claims())
def test_each_row_links_to_the_section_with_its_figure(name):
    claim = claims()[name]
    assert claim.kind in KINDS
    assert anchors(claim.chapter).get(claim.section), f"{name}: {claim.section}"


def test_what_is_proposed_says_what_would_refute_it():
    ours = {name for name, claim in claims().items() if claim.refuted_by}
    assert ours == {name for name, claim in claims().items()
                    if claim.article == "an open question"}


def test_rules_fall_both_ways():
    assert (holds(True), holds(False), holds(False, True)) == (CONFIRMED, REFUTED, QUALIFIED)
    cases = {(0.9, 0.8, 1.0): CONFIRMED, (0.1, 0.0, 0.2): REFUTED, (0.6, 0.4, 0.8): QUALIFIED,
             (0.76, 0.45, 0.9): QUALIFIED, (0.24, 0.1, 0.55): QUALIFIED}
    for (share, low, high), verdict in cases.items():
        assert by_share({"share": share, "low": low, "high": high}) == verdict


def test_each_verdict_has_its_colour():
    assert set(COLOURS) == set(VERDICTS) and PROPOSED in VERDICTS


def test_what_is_asked_of_many_recordings_is_stored_for_many():
    study = stored_study("articles_claims", "MSD_musicnn")
    assert len(study.recordings) >= 100
    assert set(articles_claims.CLAIMS) == set(study.values)
    assert all(claims()[name].kind != ARCHITECTURE for name in articles_claims.CLAIMS)
