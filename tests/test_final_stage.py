"""Chapters 13 and 14: the final stage again from its parts, and the chapters' own functions.

What a chapter defines is taken from its source, so that the tests test what a reader runs.
"""

import numpy as np
import pytest
from arithmetic.network import (
    SILENT,
    ExactNet,
    Layers,
    largest_ratio,
    truth_of,
    weights_of,
)
from arithmetic.rounding import given, same
from chapter_source import from_chapter

from helpers.evidence.measures.final_stage import ranks_of, rows_at_work, shuffled_rows
from helpers.evidence.nulls import dealt_in_blocks
from inside_musicnn.network.units import THRESHOLD, kernel_norms, live_series
from inside_musicnn.network.weights import EPSILON

numeric = pytest.mark.numeric
FINAL = ["stage_2/out", "pool/max", "pool/mean", "pool/flat", "pool/norm", "dense/linear",
         "dense/bias", "dense/relu", "dense/norm", "tags/logits", "tags/sigmoid"]


@pytest.fixture(scope="module")
def acts(net, patches):
    return net.activations(patches, FINAL)


@pytest.fixture(scope="module")
def exact(net):
    """The network in float64."""
    return ExactNet(net.name)


def from_here(net, layer, values):
    """The layers above `layer`, given these values of it for one patch."""
    layers = Layers(weights_of(net.name), np.zeros((len(values), 96)))
    layers[layer] = given(values)
    return layers


# Pooling.

@numeric
def test_pooled_values_come_in_turns(net, acts):
    assert acts["pool/flat"].shape == (3, 1506)
    assert np.array_equal(acts["pool/flat"][:, 0::2], acts["stage_2/out"].max(axis=1))
    assert np.array_equal(acts["pool/flat"][:, 0::2], acts["pool/max"])
    assert np.array_equal(acts["pool/flat"][:, 1::2], acts["pool/mean"])
    ours = from_chapter("13_pooling", "pooled")(acts["stage_2/out"])
    one_after_the_other = np.concatenate([acts["pool/max"], acts["pool/mean"]], axis=1)
    for number, series in enumerate(acts["stage_2/out"]):
        truth = from_here(net, "stage_2/out", series)["pool/flat"]
        for found in (acts["pool/flat"], ours):
            assert largest_ratio(found[number], truth) <= 1
        assert largest_ratio(one_after_the_other[number], truth) > 1


@numeric
@pytest.mark.parametrize(("block", "before", "after"), [("pool", "pool/flat", "pool/norm"),
                                                        ("dense", "dense/relu", "dense/norm")])
def test_normalisations_are_a_gain_and_an_offset(net, acts, block, before, after):
    weights = net.weights(block)
    ours = weights["gain"] * acts[before] + weights["offset"]
    for number, values in enumerate(acts[before]):
        truth = from_here(net, before, values)[after]
        assert largest_ratio(acts[after][number], truth) <= 1
        assert largest_ratio(ours[number], truth) <= 1


def test_dead_series_are_constants_that_normalisation_turns_into_beta(net, exact, patches):
    """In float64, as all that follows is a matter of size and not of rounding."""
    live = live_series(net)
    acts = exact.activations(patches, FINAL)
    dead = np.setdiff1d(np.arange(753), live)
    assert len(live) == {"MSD_musicnn": 210, "MTT_musicnn": 352}[net.name]
    strange = np.random.default_rng(0).uniform(0, 6, (1, 187, 96)).astype(np.float32)
    other = exact.activations(strange, ["pool/max", "pool/mean", "pool/norm"])
    assert np.abs(acts["pool/max"] - acts["pool/mean"])[:, dead].max() < 0.02
    for layer in ("pool/max", "pool/mean"):
        assert np.abs(acts[layer] - other[layer])[:, dead].max() < 0.05
        assert np.ptp(acts[layer], axis=0)[dead].max() < 0.02
    both = np.sort(np.r_[2 * dead, 2 * dead + 1])
    weights = net.weights("pool")
    assert weights["variance"][both].max() < 1e-4 < EPSILON
    assert np.abs(acts["pool/norm"] - weights["beta"])[:, both].max() < 0.1
    # What all constants say together may be said once and for all.
    held = acts["pool/norm"].copy()
    held[:, both] = weights["beta"][both]
    again = exact.activations(patches, "tags/sigmoid", replace={"pool/norm": held})
    assert np.abs(again["tags/sigmoid"] - acts["tags/sigmoid"]).max() < 1e-3


def test_moments_leave_out_series_at_rest():
    moments = from_chapter("13_pooling", "moments")
    series = np.zeros((1, 187, 3))
    series[0, 40, 0], series[0, 0, 2] = 1.0, 2.0
    assert np.array_equal(moments(series), [[40, np.nan, 0]], equal_nan=True)


# Order in time.

@pytest.mark.parametrize("length", [1, 7, 23, 47, 94])
def test_shuffled_blocks_are_whole_and_lose_their_followers(length):
    order = dealt_in_blocks(length, np.random.default_rng(length))
    assert np.array_equal(np.sort(order), np.arange(187))
    joins = np.flatnonzero(np.diff(order) != 1) + 1
    assert len(joins) == -(-187 // length) - 1  # every join is a real one
    assert set(order[joins] % length) <= {0} or length == 1


@numeric
def test_after_stage_two_the_order_of_frames_is_gone(net, patches, acts):
    truth = truth_of(net.name, patches, SILENT)
    order = np.random.default_rng(1).permutation(187)
    for edited in (acts["stage_2/out"][:, order], acts["stage_2/out"][:, ::-1]):
        found = net.activations(patches, ["tags/logits", "pool/max"],
                                replace={"stage_2/out": edited})
        assert np.array_equal(found["pool/max"], acts["pool/max"])
        assert truth.ratio_of_two("tags/logits", found["tags/logits"], acts["tags/logits"]) <= 1


def test_before_it_order_is_heard(net, patches, acts):
    order = np.random.default_rng(1).permutation(187)
    for played in (patches[:1, order], patches[:1, ::-1]):
        found = net.activations(played, "tags/logits")["tags/logits"]
        assert np.abs(found - acts["tags/logits"][:1]).max() > 0.5


def test_no_value_of_stage_two_looks_farther_than_73_frames(exact):
    """So the series cut out of a longer run, 73 frames from its ends, know of no edge."""
    rng = np.random.default_rng(2)
    long = rng.uniform(0, 5, (1, 187 + 2 * 73, 96)).astype(np.float32)
    longer = np.concatenate([rng.uniform(0, 5, (1, 30, 96)), long, rng.uniform(0, 5, (1, 30, 96))],
                            axis=1)
    short, wide = (exact.activations(x, "stage_2/out")["stage_2/out"] for x in (long, longer))
    assert same(short[:, 73:-73], wide[:, 103:-103])
    assert not same(short[:, 9:-9], wide[:, 39:-39])


# The dense layers.

@numeric
def test_final_stage_by_hand_and_through_replace(net, patches, acts):
    weights = {block: net.weights(block) for block in ("pool", "dense", "tags")}
    units, logits, scores = from_chapter("14_dense_tags", "final_stage")(acts["pool/flat"], weights)
    for number, flat in enumerate(acts["pool/flat"]):
        truth = from_here(net, "pool/flat", flat)
        for ours, layer in ((units, "dense/norm"), (logits, "tags/logits"),
                            (scores, "tags/sigmoid")):
            for found in (ours, acts[layer]):
                assert largest_ratio(found[number], truth[layer]) <= 1, layer
    for layer in ("stage_2/out", "pool/flat", "pool/norm", "dense/linear", "dense/norm"):
        again = net.activations(np.zeros((3, 187, 96)), "tags/logits",
                                replace={layer: acts[layer]})["tags/logits"]
        truth = truth_of(net.name, patches, SILENT)
        assert truth.ratio_of_two("tags/logits", again, acts["tags/logits"]) <= 1, layer


def test_all_dense_units_live_on_both_sides(net):
    assert kernel_norms(net, "dense").min() > 10 * THRESHOLD
    assert np.linalg.norm(net.weights("tags")["kernel"], axis=1).min() > 10 * THRESHOLD


@numeric
def test_remembered_means_lead_to_beta(net):
    nothing = np.zeros((1, 187, 96))
    for block, before, after in (("pool", "pool/flat", "pool/norm"),
                                 ("dense", "dense/relu", "dense/norm")):
        weights = net.weights(block)
        found = net.activations(nothing, after, replace={before: weights["mean"][None]})[after]
        truth = from_here(net, before, weights["mean"])[after]
        assert largest_ratio(found[0], truth) <= 1 and same(truth.value, weights["beta"])


def test_effective_rank_of_matrices_whose_rank_is_known():
    shares = from_chapter("14_dense_tags", "shares")
    rank = from_chapter("14_dense_tags", "effective_rank", shares=shares)
    assert rank(np.eye(7)) == pytest.approx(7)
    thin = np.outer([1.0, 2, 3], [4.0, 5])
    assert rank(thin.T @ thin) == pytest.approx(1)


def test_directions_turned_at_random_keep_their_spread():
    """In two dimensions fifty directions oppose each other by chance, in fifty they do not."""
    turned = from_chapter("14_dense_tags", "turned", TAGS=50, upper=np.triu_indices(50, 1),
                          cosines=from_chapter("14_dense_tags", "cosines"))
    random = np.random.default_rng(0)
    flat = random.standard_normal((200, 2)) @ random.standard_normal((2, 50))
    assert np.median(turned(flat, random, 20).min(axis=1)) < -0.98
    square = np.linalg.qr(random.standard_normal((200, 50)))[0]
    assert np.abs(turned(square, random, 20)).max() < 1e-9


def test_maxima_are_found_where_the_sound_rises():
    """Planted: all maxima on the one frame with an onset, or all between onsets."""
    flux = from_chapter("13_pooling", "beside_the_sound", patches=np.zeros((1, 187, 96)),
                        flux=lambda patch: (np.arange(186) == 99).astype(float))
    counts = np.zeros((1, 187))
    counts[0, 100] = 30
    assert flux(counts) == pytest.approx(163)  # frames that are looked at
    assert flux(np.roll(counts, 5, axis=1)) == 0
    crowding = from_chapter("13_pooling", "crowding")
    assert crowding(counts) == 1 and crowding(np.ones((1, 187))) == 94


def test_shuffled_rows_are_a_null_that_a_planted_agreement_leaves():
    random = np.random.default_rng(0)
    bright = random.random((6, 64))
    study = {"brightness": bright, "effects": np.stack([bright, random.random((6, 64))], axis=1)}
    low, high = shuffled_rows(study).T
    assert -0.3 < low[0] < 0 < high[0] < 0.3 < 1  # 1 is what the planted rows give
    assert low[1] < 0 < high[1]


def test_logit_correlation_is_a_cosine_in_the_metric_of_the_units(net, exact, patches):
    acts = exact.activations(patches, ["dense/norm", "tags/logits"])
    kernel = net.weights("tags")["kernel"].astype(np.float64)
    product = kernel.T @ np.cov(acts["dense/norm"].T) @ kernel
    assert same(product, np.cov(acts["tags/logits"].T))
    cosine = from_chapter("14_dense_tags", "cosines")(kernel)
    pairs = {"MSD_musicnn": [("female vocalists", "female vocalist")],
             "MTT_musicnn": [("vocal", "singing"), ("woman", "female"), ("no vocal", "no vocals")]}
    for first, second in pairs[net.name]:
        assert cosine[net.labels.index(first), net.labels.index(second)] > 0.9
    if net.name == "MTT_musicnn":
        assert abs(cosine[net.labels.index("vocal"), net.labels.index("no vocal")]) < 0.2


# Rows of the last sum, for chapter 15 and the ledger.

def test_rows_at_work_again_from_the_weights(exact, patches):
    bright, effect = rows_at_work(exact, patches)
    acts = exact.activations(patches, ["stage_2/out", "pool/flat"])
    total = acts["stage_2/out"][..., -64:].reshape(-1, 64)
    for row in (5, 29, 59):
        low, high = total[:, row].min(), total[:, row].max()
        assert bright[row] == pytest.approx((total[:, row].mean() - low) / (high - low))
        held = acts["pool/flat"].copy()
        for column in (-128 + 2 * row, -128 + 2 * row + 1):  # its maximum and its mean
            held[:, column] = exact.weights("pool")["mean"][column]
        weights = {block: exact.weights(block) for block in ("pool", "dense", "tags")}
        final_stage = from_chapter("14_dense_tags", "final_stage")
        change = final_stage(held, weights)[1] - final_stage(acts["pool/flat"], weights)[1]
        assert same(effect[row], np.abs(change).mean())


def test_ranks_begin_with_the_largest():
    assert ranks_of(np.array([0.5, 2.0, 0.5, 1.0])).tolist() == [3, 1, 4, 2]
