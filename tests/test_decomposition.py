"""Chapter 15: the decomposition sums to the logits, and its slopes are what the network does."""

import numpy as np
import pytest

from inside_musicnn import load_clip
from inside_musicnn.errors import InputError
from inside_musicnn.network.decomposition import LEVELS, decompose, remembered_means, sums_over_time
from inside_musicnn.network.layers import SERIES
from inside_musicnn.network.units import live_rows
from inside_musicnn.sound import probes

SOUNDS = {
    "disco": lambda: load_clip("disco"), "piano": lambda: load_clip("piano"),
    "choir": lambda: load_clip("choir"), "sine": probes.sine, "silence": probes.silence,
    "clicks": probes.click_train,
}


@pytest.fixture(scope="module", params=SOUNDS)
def patch(request):
    return SOUNDS[request.param]().patches()[0]


def test_sums_are_the_logits_of_all_tags(net, patch):
    expected = net.activations(patch[None], "tags/logits")["tags/logits"][0]
    parts = decompose(net, patch, down_to="structures")
    assert parts.tags == tuple(net.labels) and parts.bins is None
    assert np.array_equal(parts.logit, expected)
    assert parts.series.shape == (50, 753, 2)
    assert parts.structures.shape == (50, 187, 561)
    for level in LEVELS[:2]:
        assert np.abs(parts.total(level) - expected).max() < 1e-4, level
    some = [int(tag) for tag in expected.argsort()[[0, 10, 25, 47, 48, 49]]]
    parts = decompose(net, patch, [net.labels[tag] for tag in some])
    assert parts.bins.shape == (6, 187, 96)
    assert np.abs(parts.total("bins") - expected[some]).max() < 1e-4


def test_less_depth_says_the_same(net, patches):
    whole = decompose(net, patches[0], net.labels[:2])
    for level, absent in (("series", LEVELS[1:]), ("structures", LEVELS[2:])):
        part = decompose(net, patches[0], net.labels[:2], down_to=level)
        assert np.array_equal(getattr(part, level), getattr(whole, level))
        assert all(getattr(part, name) is None and name not in part.slopes for name in absent)


def test_sums_over_time_are_those_of_the_whole_decomposition(net, patches):
    for some in (patches[:2], patches[:1, :9], patches[:1, :1]):
        series, structures = sums_over_time(net, some)
        assert series.shape == (len(some), 50, SERIES, 2)
        assert structures.shape == (len(some), 50, 561)
        for patch, one, rows in zip(some, series, structures, strict=True):
            parts = decompose(net, patch, down_to="structures")
            assert np.abs(one - parts.series).max() < 1e-4
            assert np.abs(rows - parts.structures.sum(axis=1)).max() < 1e-4


def test_constants_belong_to_no_value(net, patches):
    """Slopes times values, plus the raw constant, is the logit too, for any reference."""
    parts = decompose(net, patches[1], net.labels[:4])
    u = net.activations(patches[1:2], "cnn_1/out")["cnn_1/out"][0].astype(np.float64)
    usual = remembered_means(net)
    raw = parts.constants["structures"] - (parts.slopes["structures"] * usual).sum(axis=(1, 2))
    total = (parts.slopes["structures"] * u).sum(axis=(1, 2)) + raw
    assert np.abs(total - parts.logit).max() < 2e-4


def test_dead_rows_contribute_next_to_nothing(net, patches):
    parts = decompose(net, patches[0], down_to="structures")
    dead = np.setdiff1d(np.arange(561), live_rows(net))
    assert np.abs(parts.structures[..., dead].sum(axis=1)).max() < 0.02
    assert np.abs(parts.structures.sum(axis=1)).max() > 0.5


def test_other_lengths_and_one_tag(net, patches):
    for frames in (1, 60, 374):
        patch = np.concatenate(patches[:2])[:frames]
        parts = decompose(net, patch, net.labels[3])
        for level in LEVELS:
            assert np.abs(parts.total(level) - parts.logit).max() < 5e-4, (frames, level)


def logits(net, patch, **replaced):
    layer = {name.replace("__", "/"): values[None] for name, values in replaced.items()}
    return net.activations(patch[None], "tags/logits", layer)["tags/logits"][0].astype(np.float64)


def test_slopes_of_pooled_values_are_finite_differences(net, patches):
    patch = patches[0]
    parts = decompose(net, patch, down_to="structures")
    before = net.activations(patch[None], ["pool/flat", "dense/relu"])
    found = 0
    for index in np.abs(parts.slopes["series"]).max(axis=0).ravel().argsort()[::-1][:40]:
        flat = before["pool/flat"][0].copy()
        step = np.float32(0.05 * max(1.0, abs(flat[index])))
        flat[index] += step
        after = net.activations(patch[None], "dense/relu", {"pool/flat": flat[None]})
        if not np.array_equal(after["dense/relu"] > 0, before["dense/relu"] > 0):
            continue  # a ReLU has changed its mind: the slope is another one there
        found += 1
        change = logits(net, patch, pool__flat=flat) - parts.logit
        slope = parts.slopes["series"].reshape(50, 2 * SERIES)[:, index]
        assert np.abs(change - slope * step).max() < 1e-3
    assert found >= 3


def test_small_changes_of_u_and_of_the_input_are_foretold(net, patches):
    patch, tag = patches[2], net.labels.index("guitar")
    parts = decompose(net, patch, "guitar")
    u = net.activations(patch[None], "cnn_1/out")["cnn_1/out"][0]
    gain = float(net.weights("input")["gain"].item())
    for level, values, layer, scale in (("structures", u, "cnn_1__out", 1.0),
                                        ("bins", patch, "input__db_mel", gain)):
        slope = parts.slopes[level][0].copy()
        if level == "structures":  # at rest in several frames: no single one is the maximum
            slope[:, (u == u.max(axis=0)).sum(axis=0) > 1] = 0
        step = (3e-5 * np.sign(slope)).astype(np.float32)
        step = (values + step) - values  # what float32 makes of it
        change = logits(net, patch, **{layer: values + step})[tag] - parts.logit[0]
        foretold = (slope * step * scale).sum()
        assert foretold > 3e-4, level
        assert abs(change - foretold) < 0.1 * foretold, level


def test_ablation_replays_through_replace(net, patches):
    """The network's own graph with one row held: small enough a move follows its contribution."""
    patch = patches[0]
    parts = decompose(net, patch, down_to="structures")
    u = net.activations(patch[None], "cnn_1/out")["cnn_1/out"][0]
    assert np.abs(logits(net, patch, cnn_1__out=u) - parts.logit).max() < 1e-5
    usual = remembered_means(net)
    rows = np.abs(parts.structures.sum(axis=1)).mean(axis=0).argsort()[::-1][:5]
    for row in rows:
        held = u.copy()
        held[:, row] += 0.01 * (usual[row] - u[:, row])  # a hundredth of the way
        change = logits(net, patch, cnn_1__out=held) - parts.logit
        foretold = -0.01 * parts.structures[:, :, row].sum(axis=1)
        assert np.abs(change - foretold).max() < 0.15 * np.abs(foretold).max() + 2e-4, row


def test_what_is_asked_wrongly(net, patches):
    with pytest.raises(InputError, match="has no tag 'polka'"):
        decompose(net, patches[0], "polka")
    with pytest.raises(InputError, match="no level 'bands'; choose one of series, structures"):
        decompose(net, patches[0], down_to="bands")
    with pytest.raises(InputError, match="must be \\(frames, 96\\)"):
        decompose(net, patches, net.labels[0])
