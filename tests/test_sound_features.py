"""Measures of the sound that the network's series are compared with."""

import numpy as np
import pytest

from helpers.evidence.sound_features import correlation, flux


def test_flux_counts_what_rises_and_nothing_that_falls():
    spectrogram = np.array([[0, 5], [2, 1], [2, 1], [3, 4]], np.float32)
    assert flux(spectrogram).tolist() == [2, 0, 4]


def test_a_series_that_stands_still_correlates_with_nothing():
    rising, still = np.arange(4.0), np.full(4, 0.1, np.float32)
    assert correlation(rising, 3 - rising) == pytest.approx(-1)
    assert correlation(rising, still) == correlation(still, rising) == 0
