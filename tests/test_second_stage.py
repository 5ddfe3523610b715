"""Chapters 10 to 12: the second stage again from its parts, and the chapters' own functions.

What a chapter defines is taken from its source, so that the tests test what a reader runs.
"""

import warnings
from dataclasses import replace

import chapter_source
import numpy as np
import pytest
from arithmetic.network import ExactNet, largest_ratio, weights_of
from arithmetic.rounding import given, normalise, same

from helpers.evidence import CONFIRMED, REFUTED, YOURS, Context, measure
from helpers.evidence.measures.second_stage import tensors
from helpers.page.plots import over_time
from inside_musicnn import load_clip
from inside_musicnn.network.units import live_rows, live_units
from inside_musicnn.network.weights import EPSILON

numeric = pytest.mark.numeric
LAYERS_HERE = ["cnn_1/out", "cnn_2/conv", "cnn_2/relu", "cnn_2/norm", "cnn_3/relu", "cnn_3/norm",
               "cnn_3/sum", "cnn_4/relu", "cnn_4/norm", "cnn_4/sum", "stage_2/out"]


def from_chapter(chapter, name, **known):
    """As `chapter_source.from_chapter`, with the helpers that these chapters import."""
    return chapter_source.from_chapter(chapter, name, over_time=over_time, **known)


@pytest.fixture(scope="module")
def exact(net):
    """The network in float64."""
    return ExactNet(net.name)


@pytest.fixture(scope="module")
def acts(exact, patches):
    """Layers of the second stage as they are in float64, the same on every processor."""
    return exact.activations(patches, LAYERS_HERE)


def layer_again(below, weights):
    """CNN_2, CNN_3 or CNN_4 on all patches, frame by frame: sums of seven matrix products."""
    kernel, frames = weights["kernel"].astype(np.float64), below.shape[1]
    total = np.zeros((*below.shape[:2], kernel.shape[2])) + weights["bias"]
    for k in range(7):
        shift = k - 3  # what lies beyond the patch is zero, so it adds nothing
        inside = slice(max(0, -shift), frames - max(0, shift))
        source = slice(max(0, shift), frames - max(0, -shift))
        total[:, inside] += below[:, source] @ kernel[k]
    passed = np.maximum(total, 0)
    root = np.sqrt(weights["variance"].astype(np.float64) + EPSILON)
    return weights["gamma"] * (passed - weights["mean"]) / root + weights["beta"]


def test_sums_and_concatenation_again(net, acts):
    v1 = layer_again(acts["cnn_1/out"], net.weights("cnn_2"))
    two = v1 + layer_again(v1, net.weights("cnn_3"))
    three = two + layer_again(two, net.weights("cnn_4"))
    for ours, layer in ((v1, "cnn_2/norm"), (two, "cnn_3/sum"), (three, "cnn_4/sum")):
        assert same(ours, acts[layer]), layer
    both = acts["cnn_2/norm"] + acts["cnn_3/norm"]
    assert same(both, acts["cnn_3/sum"]) and same(both + acts["cnn_4/norm"], acts["cnn_4/sum"])
    out = acts["stage_2/out"]
    assert out.shape[1:] == (187, 753)
    for first, last, layer in ((0, 561, "cnn_1/out"), (561, 625, "cnn_2/norm"),
                               (625, 689, "cnn_3/sum"), (689, 753, "cnn_4/sum")):
        assert np.array_equal(out[..., first:last], acts[layer])


# Units that live, counted in the checkpoint without our reading of it.

LIVE = {"MSD_musicnn": (20, 61, 63), "MTT_musicnn": (21, 63, 64)}


def test_live_units_counted_in_the_checkpoint(net):
    from inside_musicnn.network.original import tensorflow

    NewCheckpointReader = tensorflow().compat.v1.train.NewCheckpointReader

    reader = NewCheckpointReader(f"{net.folder}/")
    for number, count in zip((2, 3, 4), LIVE[net.name], strict=True):
        kernel = reader.get_tensor(f"conv2d_{number + 3}/kernel").astype(np.float64)
        assert kernel.shape == (7, 561 if number == 2 else 64, 1, 64)
        sizes = np.linalg.norm(kernel.reshape(-1, 64), axis=0)
        assert (sizes > 0.01).sum() == count
        assert not ((sizes > 1e-4) & (sizes < 0.3)).any()  # nothing between the two kinds
        assert np.array_equal(np.flatnonzero(sizes > 0.01), live_units(net, f"cnn_{number}"))


@numeric
def test_dead_units_are_constant_on_music_and_on_anything_else(net, patches):
    """Their bias is below zero and their kernel next to nothing: a ReLU that is never on."""
    strange = np.random.default_rng(0).uniform(0, 8, patches[:1].shape).astype(np.float32)
    for number in (2, 3, 4):
        layer, weights = f"cnn_{number}/norm", weights_of(net.name)[f"cnn_{number}"]
        dead = np.setdiff1d(np.arange(64), live_units(net, f"cnn_{number}"))
        off = np.zeros((1, 1, 64))
        constant = normalise(given(off), weights).map(lambda x: x[..., dead])  # noqa: B023
        for patch in (patches[:1], strange, np.zeros_like(strange)):
            out = net.activations(patch, layer)[layer][..., dead]
            everywhere = constant.map(lambda x: np.broadcast_to(x, out.shape))  # noqa: B023
            assert largest_ratio(out, everywhere) <= 1


# Chapter 12: rows sorted and scaled.

@pytest.fixture(scope="module")
def sorted_and_scaled():
    return from_chapter("12_cnn_4", "sorted_and_scaled")


def test_sorted_rows_rise_from_zero_to_one(sorted_and_scaled, acts):
    total = over_time(acts["cnn_4/sum"])
    shape = sorted_and_scaled(total)
    assert shape.shape == total.shape
    assert (np.diff(shape, axis=0) >= 0).all()
    assert (shape[0] == 0).all() and (shape[-1] == 1).all()
    spread = np.ptp(total, axis=0)
    for row in (5, 33, 59):  # each value, put back, is a value of that row
        back = shape[:, row] * spread[row] + total[:, row].min()
        assert same(back, np.sort(total[:, row]))


def test_sorted_rows_forget_time_gain_and_offset(sorted_and_scaled, acts):
    total = over_time(acts["cnn_4/sum"])
    shape = sorted_and_scaled(total)
    order = np.random.default_rng(1).permutation(len(total))
    assert np.array_equal(sorted_and_scaled(total[order]), shape)
    gain, offset = np.linspace(0.1, 40, 64), np.linspace(-50, 50, 64)
    assert same(sorted_and_scaled(gain * total + offset), shape)


def test_constant_rows_do_not_divide_by_zero(sorted_and_scaled, net, acts):
    flat = np.full((187, 3), [-2.5, 0.0, 7.0], np.float32)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert not sorted_and_scaled(flat).any()
        dead = np.setdiff1d(np.arange(64), live_units(net, "cnn_2"))
        shape = sorted_and_scaled(over_time(acts["cnn_2/norm"]))
    assert not shape[:, dead].any()
    assert (shape[-1, live_units(net, "cnn_2")] == 1).all()


# Chapter 12: energies in dB.

@pytest.fixture(scope="module")
def energy_db():
    return from_chapter("12_cnn_4", "energy_db")


@pytest.mark.parametrize("layer", ["cnn_2/norm", "cnn_3/norm", "cnn_4/norm"])
def test_energies_by_another_formula(energy_db, acts, layer):
    rows, reference = over_time(acts[layer]), over_time(acts["cnn_2/norm"])
    loudest = max(np.linalg.norm(row) for row in reference.T)
    ours = energy_db(rows, reference)
    for row, found in zip(rows.T, ours, strict=True):
        expected = 20 * np.log10(np.linalg.norm(row) / loudest)
        assert same(found, max(expected, -120))
    if layer == "cnn_2/norm":
        assert ours.max() == pytest.approx(0)


def test_energies_of_a_silent_row_and_of_a_tenfold_one(energy_db):
    rows = np.array([[0.0, 3.0, 30.0], [0.0, -4.0, -40.0]])
    with np.errstate(all="raise"):
        assert np.allclose(energy_db(rows, rows[:, :2]), [-120, 0, 20])


# Chapters 10 to 12: shares.

def test_parts_of_the_rows_make_the_sum_and_their_shares_one(exact, acts):
    parts_of_sum = from_chapter("10_cnn_2", "parts_of_sum")
    shares = from_chapter("10_cnn_2", "shares")
    rows, units = live_rows(exact), live_units(exact, "cnn_2")
    dead = np.setdiff1d(np.arange(561), rows)
    parts, others = (parts_of_sum(exact, acts["cnn_1/out"], some, units) for some in (rows, dead))
    conv = over_time(acts["cnn_2/conv"])[:, units]
    assert same(parts.sum(axis=1) + others.sum(axis=1), conv)
    assert np.abs(others.sum(axis=1)).max() < 1e-3 * np.abs(conv).max()  # next to nothing
    assert same(shares(parts).sum(axis=0), np.ones(len(units)))


def test_shares_of_the_sum_of_three_are_one(acts):
    shares = from_chapter("12_cnn_4", "shares_of_variance")(
        [over_time(acts[f"cnn_{n}/norm"]) for n in (2, 3, 4)])
    assert shares.shape == (3, 64) and same(shares.sum(axis=0), np.ones(64))
    still = from_chapter("12_cnn_4", "shares_of_variance")([np.ones((5, 2)), np.ones((5, 2))])
    assert np.isnan(still).all()  # where nothing moves there is nothing to share


# Chapter 12: the answer to the article's question.

def test_a_constant_added_to_cnn_4_only_moves_what_is_pooled_of_it(exact, patches):
    layers = ["cnn_4/norm", "pool/max", "pool/mean"]
    before = exact.activations(patches[:1], layers)
    moved = exact.activations(patches[:1], layers,
                              replace={"cnn_4/norm": before["cnn_4/norm"] - 7})
    for layer in layers[1:]:
        change = (moved[layer] - before[layer])[0]
        assert same(change, np.repeat([0.0, -7.0], [753 - 64, 64]))


def test_beta_alone_is_next_to_zero(net):
    weights, live = net.weights("cnn_4"), live_units(net, "cnn_4")
    size = {key: np.abs(weights[key][live]) for key in ("gamma", "beta", "mean", "variance")}
    assert np.mean(size["beta"] < 0.01) > 0.95 and np.median(size["gamma"]) > 1
    assert max(np.mean(size[key] < 0.01) for key in ("gamma", "mean", "variance")) < 0.05


def test_no_value_falls_below_the_offset(exact, acts):
    weights, live = exact.weights("cnn_4"), live_units(exact, "cnn_4")
    assert (weights["gain"][live] > 0).all()
    lowest = acts["cnn_4/norm"].min(axis=(0, 1))[live]
    root = np.sqrt(weights["variance"] + EPSILON)
    offset = (weights["beta"] - weights["gamma"] * weights["mean"] / root)[live]
    assert same(np.minimum(lowest, offset), offset)


def test_the_forecast_on_series_whose_law_is_known():
    """Zero most of the time, else exponential; and a bell curve far from zero."""
    forecast = from_chapter("12_cnn_4", "forecast")
    rng, frames, trials = np.random.default_rng(2), 748, 400
    rare = rng.exponential(0.5, (trials, frames)) * (rng.random((trials, frames)) < 0.25)
    bell = rng.normal(6, 0.7, (trials, frames))
    both = [rare, bell]
    weights = {"mean": np.array([x.mean() for x in both]),
               "variance": np.array([x.var() for x in both]),
               "gain": np.array([30.0, 6.0]), "offset": np.array([-4.0, -36.0])}
    high, low_after, high_after = forecast(weights, np.array([0, 1]), frames)
    seen = np.array([x.max(axis=1).mean() for x in both])
    assert np.allclose(high, seen, rtol=0.08)
    assert np.allclose(high_after, weights["gain"] * high + weights["offset"])
    assert low_after[0] == pytest.approx(-4)
    lowest = 6 * bell.min(axis=1).mean() - 36  # for the bell curve the forecast is a bound
    assert lowest - 2.5 < low_after[1] < lowest
    for x in both:  # a mean and a variance that no smaller maximum allows
        assert x.max() >= x.mean() + x.var() / x.mean()


def test_the_forecast_on_music(exact, acts):
    forecast = from_chapter("12_cnn_4", "forecast")
    weights, live = exact.weights("cnn_4"), live_units(exact, "cnn_4")
    high, low_after, high_after = forecast(weights, live, 3 * 187)
    seen = acts["cnn_4/norm"][..., live]
    assert 0.5 < acts["cnn_4/relu"].max() / high.max() < 2
    assert 0.5 < seen.max() / high_after.max() < 2
    assert 0.5 < seen.min() / low_after.min() < 2


# Chapter 12: the verdict on numbers that belong to the article's clip.

def test_numbers_of_the_articles_clip_are_compared_only_on_that_clip():
    clip = load_clip("disco")
    entry = measure("largest_after", Context(clip, 1))
    assert entry.verdict == YOURS and not entry.values and entry.claim.article == "111"
    theirs = Context(replace(clip, name="disco.00083"), 1)
    largest = tensors(theirs)["cnn_4/norm"].max()
    entry = measure("largest_after", theirs)
    assert entry.found == largest and entry.verdict == REFUTED  # it is another clip by that name
    for value, verdict in ((111.2, CONFIRMED), (113.9, CONFIRMED), (118.0, REFUTED)):
        theirs.memory["second"] = {"cnn_4/norm": np.full((1, 64), value)}
        assert measure("largest_after", theirs).verdict == verdict
