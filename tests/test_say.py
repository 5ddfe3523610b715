"""Sentences with values: filters, and what the template language of `%%say` refuses."""

import pytest

from helpers.page.say import render
from helpers.page.values import code, table


@pytest.mark.parametrize(("text", "shown"), [
    ("<< 796154 | grouped >>", "796,154"),
    ("<< 62 | grouped >>", "62"),
    ("<< 0.25 | percent >>", "25%"),
    ("<< -0.001 | digits(2) >>", "0.00"),
    ("<< -0.001 | signed(2) >>", "0.00"),
    ("<< 0.25 | signed(2) >>", "+0.25"),
    ("<< 1e-5 | power_of_ten >>", "1\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10⁻⁵"),
    ("<< 0.0 | power_of_ten >>", "0"),
    ("<< [0.1, 0.25] | each('percent') | listing >>", "10% and 25%"),
    ("<< ['a*', 5] | beside([0.5, 0.25], 'percent') | listing >>", "a&#42; (50%) and 5 (25%)"),
    ("<< 1 | counted('patch', 'patches') >>", "1 patch"),
])
def test_filters(text, shown):
    assert render(text, {}) == shown


def test_a_table_by_columns_or_by_rows(monkeypatch):
    pages = []
    monkeypatch.setattr("IPython.display.display", lambda shown: pages.append(shown.data))
    table({"network": ["a*", code("b")], "share": [0.12345, 2]})
    table([{"network": "a*", "share": 0.12345}, {"network": code("b"), "share": 2}])
    assert pages[0] == pages[1] == "\n".join([
        "| network | share |", "| --- | --- |", "| a&#42; | 0.123 |", "| `b` | 2 |"])
    with pytest.raises(ValueError):
        table({"network": ["a"], "share": [1, 2]})
