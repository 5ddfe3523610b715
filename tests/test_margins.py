"""Comparisons with a margin: rounding turns none of them, and ties are ties."""

from dataclasses import replace

import numpy as np
import pytest
from arithmetic.network import ExactNet, Layers, weights_of

from helpers.evidence import CONFIRMED, QUALIFIED, REFUTED, Context, measure
from helpers.evidence.margins import ROUNDING, Answer, above, below, every, leaders, ranks, snapped
from helpers.evidence.measures.first_stage import MOVING
from inside_musicnn import load_clip
from inside_musicnn.network.units import constants, live_rows

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


def test_the_margin_is_wider_than_rounding():
    """What float32 may get wrong in the tensors that claims look at."""
    layers = Layers(weights_of("MSD_musicnn"), load_clip("disco", segments=1).patches()[0])
    for name in ("cnn_1/out", "cnn_2/norm", "cnn_3/norm", "cnn_4/relu", "cnn_4/norm", "cnn_4/sum"):
        assert layers[name].bound.max() < ROUNDING * np.abs(layers[name].value).max(), name


@pytest.mark.parametrize("clip", ["disco", "choir", "lucky_13"])
def test_dead_rows_move_by_much_less_or_much_more_than_the_limit(clip):
    net = ExactNet("MSD_musicnn")
    u = net.activations(load_clip(clip, segments=1).patches(), "cnn_1/out")["cnn_1/out"]
    dead = np.setdiff1d(np.arange(561), live_rows(net))
    moved = np.abs(u - constants(net)).max(axis=(0, 1))[dead]
    assert not ((moved > MOVING / 100) & (moved < MOVING * 100)).any()


# What a measure makes of a tie.

def planted(**second):
    """A context in which the tensors of the second stage are these."""
    context = Context(load_clip("disco", segments=1), 1, alone=True)
    context.memory["second"] = second
    return context


def test_a_tie_is_told():
    relu = np.zeros((400, 64), np.float32)
    relu[:100] = 1.0
    entry = measure("busy_units", planted(**{"cnn_4/relu": relu}))
    assert entry.tie and not entry.here and entry.ours.endswith("too close to call")
    relu[100:200, [44, 48]] = 1.0
    entry = measure("busy_units", planted(**{"cnn_4/relu": relu}))
    assert entry.here and not entry.tie and "close" not in entry.ours
    entry = measure("sparse_units", planted(**{"cnn_4/relu": relu}))
    assert entry.tie
    assert not measure("units_that_stay_high", planted(**{"cnn_4/relu": relu})).here


def test_rows_that_are_level_are_no_choice():
    total = np.linspace(0, 1, 400)[:, None] ** np.linspace(9, 3, 64)  # brighter and brighter
    total[:, [5, 33, 59]] = np.linspace(0, 1, 400)[:, None] ** 0.5
    context = planted(**{"cnn_4/sum": total.astype(np.float32)})
    assert measure("bright_rows", context).here
    total[:, 7] = total[:, 5] * (1 + 1e-6)
    context = planted(**{"cnn_4/sum": total.astype(np.float32)})
    assert measure("bright_rows", context).tie


def test_the_article_s_value_at_the_edge_of_what_counts_as_equal():
    clip = replace(load_clip("disco", segments=1), name="disco.00083")
    context = Context(clip, 1)
    for value, verdict in ((111 * 1.03 + 1e-3, QUALIFIED), (114.0, CONFIRMED), (115.0, REFUTED)):
        context.memory["second"] = {"cnn_4/norm": np.full((1, 64), value)}
        assert measure("largest_after", context).verdict == verdict
