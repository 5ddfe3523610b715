"""Comparisons with a margin: rounding turns none of them, and ties are ties."""

import numpy as np
import pytest
from arithmetic.network import Layers, weights_of

from helpers.evidence.margins import ROUNDING, Answer, above, below, every, leaders, ranks, snapped
from inside_musicnn import load_clip

YES, NO, TIE = Answer.YES, Answer.NO, Answer.TIE


def test_above_and_below():
    assert above(2, 1) is YES and above(1, 2) is NO and above(1, 1 + ROUNDING / 2) is TIE
    assert below(1, 2) is YES and below(2, 1) is NO and below(1, 1) is TIE
    assert above(0.515, 0.51, 0.01) is TIE and above(0.53, 0.51, 0.01) is YES
    assert bool(YES) and not bool(NO) and not bool(TIE)


def test_every():
    assert every(YES, YES) is YES and every(YES, TIE) is TIE and every(TIE, NO, YES) is NO


@pytest.mark.parametrize("seed", range(5))
def test_ranks_and_leaders_do_not_hang_on_rounding(seed):
    random = np.random.default_rng(seed)
    values = np.concatenate([random.uniform(1, 2, 20), np.repeat([0.0, 0.7, 1.5], 4)])
    nudged = values * (1 + random.uniform(-1, 1, len(values)) * ROUNDING / 1e3)
    assert np.array_equal(ranks(values), ranks(nudged))
    assert np.array_equal(leaders(values, 5)[0], leaders(nudged, 5)[0])


def test_ties_share_a_rank_and_are_told():
    values = np.array([3.0, 1.0, 3.0 - ROUNDING, 2.0])
    assert ranks(values).tolist() == [1, 4, 1, 3]
    assert leaders(values, 1) == (0, True) and leaders(values, 2)[1] is False
    assert snapped(values).tolist() == [3.0, 1.0, 3.0, 2.0]
    assert ranks(np.zeros(3)).tolist() == [1, 1, 1] and leaders(np.zeros(3), 3)[1] is False


@pytest.mark.parametrize("layer", ["cnn_1/out", "cnn_2/norm", "cnn_3/norm", "cnn_4/relu",
                                   "cnn_4/norm", "cnn_4/sum"])
def test_the_margin_is_wider_than_rounding(layer):
    """What float32 may get wrong in the tensors that claims look at."""
    patch = load_clip("disco", segments=1).patches()[0]
    found = Layers(weights_of("MSD_musicnn"), patch)[layer]
    assert found.bound.max() < ROUNDING * np.abs(found.value).max()
