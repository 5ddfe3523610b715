"""Sentences with values: filters, and what the template language of `%%say` refuses."""

import pytest

from helpers.page.say import render


@pytest.mark.parametrize(("text", "shown"), [
    ("<< 796154 | grouped >>", "796,154"),
    ("<< 62 | grouped >>", "62"),
    ("<< 0.25 | percent >>", "25%"),
    ("<< -0.001 | digits(2) >>", "0.00"),
    ("<< 1e-5 | power_of_ten >>", "1 · 10⁻⁵"),
    ("<< [0.1, 0.25] | each('percent') | listing >>", "10% and 25%"),
    ("<< 1 | counted('patch', 'patches') >>", "1 patch"),
])
def test_filters(text, shown):
    assert render(text, {}) == shown
