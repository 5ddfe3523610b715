"""Chapter 15: the decomposition sums to the logits, and its slopes are what the network does."""

import numpy as np
import pytest
from arithmetic.network import SILENT, ExactNet, truth_of
from arithmetic.rounding import same

from inside_musicnn import load_clip
from inside_musicnn.errors import InputError
from inside_musicnn.network.decomposition import LEVELS, decompose, remembered_means, sums_over_time
from inside_musicnn.network.layers import SERIES
from inside_musicnn.network.units import live_rows
from inside_musicnn.sound import probes

numeric = pytest.mark.numeric
SOUNDS = {
    "disco": lambda: load_clip("disco"), "piano": lambda: load_clip("piano"),
    "choir": lambda: load_clip("choir"), "sine": probes.sine, "silence": probes.silence,
    "clicks": probes.click_train,
}


@pytest.fixture(scope="module", params=SOUNDS)
def patch(request):
    return SOUNDS[request.param]().patches()[0]


@pytest.fixture(scope="module")
def exact(net):
    """The network in float64: what is tested with it has no rounding to hide behind."""
    return ExactNet(net.name)


def of_bound(net, patch, found, tags=slice(None)):
    """Error of logits of some tags as a part of the bound."""
    truth = truth_of(net.name, patch[None], SILENT)["tags/logits"]
    return (np.abs(found - truth.value[0, tags]) / truth.bound[0, tags]).max()


@numeric
def test_sums_are_the_logits_of_all_tags(net, patch):
    """Each sum holds the roundings of the tensors it is made of, as the logits do."""
    expected = net.activations(patch[None], "tags/logits")["tags/logits"][0]
    parts = decompose(net, patch, down_to="structures")
    assert parts.tags == tuple(net.labels) and parts.bins is None
    assert np.array_equal(parts.logit, expected)
    assert parts.series.shape == (50, 753, 2)
    assert parts.structures.shape == (50, 187, 561)
    for level in LEVELS[:2]:
        assert of_bound(net, patch, parts.total(level)) <= 1, level
    some = [int(tag) for tag in expected.argsort()[[0, 10, 25, 47, 48, 49]]]
    parts = decompose(net, patch, [net.labels[tag] for tag in some])
    assert parts.bins.shape == (6, 187, 96)
    assert of_bound(net, patch, parts.total("bins"), some) <= 1


def test_sums_are_the_logits_to_the_last_digits_of_float64(exact, patches):
    for frames in (187, 1, 60):
        parts = decompose(exact, patches[0, :frames], exact.labels[3:6])
        for level in LEVELS:
            assert same(parts.total(level), parts.logit), (frames, level)


def test_less_depth_says_the_same(net, patches):
    whole = decompose(net, patches[0], net.labels[:2])
    for level, absent in (("series", LEVELS[1:]), ("structures", LEVELS[2:])):
        part = decompose(net, patches[0], net.labels[:2], down_to=level)
        assert np.array_equal(getattr(part, level), getattr(whole, level))
        assert all(getattr(part, name) is None and name not in part.slopes for name in absent)


def test_sums_over_time_are_those_of_the_whole_decomposition(exact, patches):
    for some in (patches[:2], patches[:1, :9], patches[:1, :1]):
        series, structures = sums_over_time(exact, some)
        assert series.shape == (len(some), 50, SERIES, 2)
        assert structures.shape == (len(some), 50, 561)
        for patch, one, rows in zip(some, series, structures, strict=True):
            parts = decompose(exact, patch, down_to="structures")
            assert same(one, parts.series) and same(rows, parts.structures.sum(axis=1))


def test_constants_belong_to_no_value(exact, patches):
    """Slopes times values, plus the raw constant, is the logit too, for any reference."""
    parts = decompose(exact, patches[1], exact.labels[:4], down_to="structures")
    u = exact.activations(patches[1:2], "cnn_1/out")["cnn_1/out"][0]
    usual = remembered_means(exact)
    raw = parts.constants["structures"] - (parts.slopes["structures"] * usual).sum(axis=(1, 2))
    assert same((parts.slopes["structures"] * u).sum(axis=(1, 2)) + raw, parts.logit)


def test_dead_rows_contribute_next_to_nothing(exact, patches):
    parts = decompose(exact, patches[0], down_to="structures")
    dead = np.setdiff1d(np.arange(561), live_rows(exact))
    assert np.abs(parts.structures[..., dead].sum(axis=1)).max() < 0.02
    assert np.abs(parts.structures.sum(axis=1)).max() > 0.5


@numeric
def test_other_lengths_and_one_tag(net, patches):
    for frames in (1, 60, 374):
        patch = np.concatenate(patches[:2])[:frames]
        parts = decompose(net, patch, net.labels[3])
        for level in LEVELS:
            assert of_bound(net, patch, parts.total(level), [3]) <= 1, (frames, level)


# Slopes, against what the network in float64 does after a step so small that nothing else changes.

STEP = 2.0**-20
FINER = 2.0**-29  # a rounding of float64 as a part of one of float32


def logits(net, patch, layer, values):
    return net.activations(patch[None], "tags/logits", {layer: values[None]})["tags/logits"][0]


def foretold(net, patch, change, by_slopes, tags=slice(None)):
    """Whether a change is the slopes', but for roundings of float64 in the two logits."""
    truth = truth_of(net.name, patch[None], SILENT)["tags/logits"]
    allowed = 2 * FINER * truth.bound[0, tags]
    assert np.abs(by_slopes).max() > 1000 * allowed.max(), "a step that shows nothing"
    return (np.abs(change - by_slopes) <= allowed).all()


def test_slopes_of_pooled_values_are_finite_differences(exact, patches):
    parts = decompose(exact, patches[0], down_to="series")
    flat = exact.activations(patches[:1], "pool/flat")["pool/flat"][0]
    slopes = parts.slopes["series"].reshape(50, 2 * SERIES)
    for index in np.abs(slopes).max(axis=0).argsort()[::-1][:40]:
        moved = flat.copy()
        moved[index] += STEP
        change = logits(exact, patches[0], "pool/flat", moved) - parts.logit
        assert foretold(exact, patches[0], change, slopes[:, index] * STEP), index


def test_small_changes_of_u_and_of_the_input_are_foretold(exact, patches):
    patch, tag = patches[2].astype(np.float64), exact.labels.index("guitar")
    parts = decompose(exact, patch, "guitar")
    acts = exact.activations(patch[None], ["cnn_1/out", "input/normalized"])
    for level, layer in (("structures", "cnn_1/out"), ("bins", "input/normalized")):
        values, slope = acts[layer][0], parts.slopes[level][0].copy()
        if level == "structures":  # of rows at rest, and of dead ones, any frame is the maximum
            slope[:, (values == values.max(axis=0)).sum(axis=0) > 1] = 0
            slope[:, np.setdiff1d(np.arange(561), live_rows(exact))] = 0
        step = 2.0**-30 * np.sign(slope)
        change = logits(exact, patch, layer, values + step)[tag] - parts.logit[0]
        assert foretold(exact, patch, change, (slope * step).sum(), [tag]), level


def test_ablation_replays_through_replace(exact, patches):
    """The network with one row held: small enough a move follows its contribution."""
    patch = patches[0]
    parts = decompose(exact, patch, down_to="structures")
    u = exact.activations(patch[None], "cnn_1/out")["cnn_1/out"][0]
    assert same(logits(exact, patch, "cnn_1/out", u), parts.logit)
    usual = remembered_means(exact)
    rows = np.abs(parts.structures.sum(axis=1)).mean(axis=0).argsort()[::-1][:5]
    for row in rows:
        held = u.copy()
        held[:, row] += STEP * (usual[row] - u[:, row])
        change = logits(exact, patch, "cnn_1/out", held) - parts.logit
        by_slopes = -STEP * parts.structures[:, :, row].sum(axis=1)
        assert foretold(exact, patch, change, by_slopes), row


def test_what_is_asked_wrongly(net, patches):
    with pytest.raises(InputError, match="has no tag 'polka'"):
        decompose(net, patches[0], "polka")
    with pytest.raises(InputError, match="no level 'bands'; choose one of series, structures"):
        decompose(net, patches[0], down_to="bands")
    with pytest.raises(InputError, match="must be \\(frames, 96\\)"):
        decompose(net, patches, net.labels[0])
