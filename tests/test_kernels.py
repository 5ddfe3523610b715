"""How kernels use their frames."""

import numpy as np
import pytest

from helpers.evidence.kernels import timing


def test_a_mean_is_level_and_a_difference_is_change():
    mean, change = np.ones((7, 3, 1)), np.zeros((7, 3, 1))
    change[2], change[4] = -1, 1
    assert timing(mean).level == pytest.approx(1)
    assert timing(mean).neighbours == pytest.approx(1)
    assert timing(change).level == pytest.approx(0)
    assert timing(change).profile[:, 0].tolist() == pytest.approx([0, 0, 3**0.5, 0, 3**0.5, 0, 0])


def test_weights_without_order_have_one_seventh_of_level():
    noise = np.random.default_rng(0).standard_normal((7, 60, 400))
    found = timing(noise)
    assert found.level.mean() == pytest.approx(1 / 7, rel=0.02)
    assert abs(found.neighbours) < 0.01
    assert found.profile.shape == (7, 400)
