"""Edits of tensors, and both networks going on from them."""

import time

import numpy as np
import pytest
from arithmetic.network import PROMISED, SILENT, Truth, pruned, truth_of
from arithmetic.rounding import U

from inside_musicnn import InputError, MusiCNN, load_clip
from inside_musicnn.network.between import LAYERS_BETWEEN
from inside_musicnn.network.interventions import (
    freeze,
    has_frames,
    hold,
    intervene,
    remove,
    resting,
    scale,
    swap,
)
from inside_musicnn.network.layers import ROWS, SERIES, UNITS, shape_of
from inside_musicnn.network.units import THRESHOLD, live_rows, live_units

VALUES = np.random.default_rng(0).normal(size=(3, 11, 7)).astype(np.float32)
AFTER = ["tags/sigmoid", "tags/logits", "dense/bias"]
STILL = 0.02  # what dead units move by, in float64, where live ones move by whole units
EDITS = {
    "remove": lambda values, net, layer, rows: remove(values, rows),
    "hold": lambda values, net, layer, rows: hold(values, resting(net, layer), rows),
    "scale": lambda values, net, layer, rows: scale(values, 1.5, rows, around=resting(net, layer)),
    "swap": lambda values, net, layer, rows: swap(values, values[::-1], rows),
    "freeze": lambda values, net, layer, rows: freeze(values, rows),
    "moments": lambda values, net, layer, rows: remove(values, rows, slice(40, 90)),
}


@pytest.fixture(scope="module")
def compact(net):
    return MusiCNN(net.name, compact=True)


def live(net, layer):
    """Rows of a layer that the compact network computes."""
    if layer == "cnn_1/out":
        return live_rows(net)
    if layer != "stage_2/out":
        return live_units(net, layer.split("/")[0])
    units = {number: live_units(net, f"cnn_{number}") for number in (2, 3, 4)}
    two = np.union1d(units[2], units[3])
    return np.concatenate([live_rows(net), ROWS + units[2], ROWS + UNITS + two,
                           ROWS + 2 * UNITS + np.union1d(two, units[4])])


def test_remove_and_hold_touch_what_is_named_and_nothing_else():
    edited = remove(VALUES, rows=[1, 4], frames=slice(2, 5))
    changed = edited != VALUES
    assert changed[:, 2:5, [1, 4]].all() and changed.sum() == 3 * 3 * 2
    assert not edited[:, 2:5, [1, 4]].any()
    held = hold(VALUES, np.arange(7), rows=[3, 5])
    assert (held[..., [3, 5]] == [3, 5]).all()
    assert np.array_equal(np.delete(held, [3, 5], 2), np.delete(VALUES, [3, 5], 2))


def test_scale_leaves_what_it_turns_around():
    assert np.array_equal(scale(VALUES, 1.0, around=np.arange(7)), VALUES)
    doubled = scale(VALUES, 2.0, rows=[2], around=1.0)
    exact = 1 + 2 * (VALUES[..., 2].astype(np.float64) - 1)
    assert (np.abs(doubled[..., 2] - exact) <= 4 * U * (np.abs(exact) + 2)).all()
    assert np.array_equal(scale(VALUES, 0.0, around=3.0), np.full_like(VALUES, 3.0))


def test_freeze_keeps_the_mean_or_a_frame():
    still = freeze(VALUES, rows=[6])
    mean = VALUES[..., 6].mean(axis=1, keepdims=True, dtype=np.float64)
    assert (np.abs(still[..., 6] - mean) <= 11 * U * np.abs(VALUES[..., 6]).max()).all()
    assert np.array_equal(still[..., :6], VALUES[..., :6])
    assert (freeze(VALUES, frame=4) == VALUES[:, 4:5]).all()


def test_swap_takes_from_another_and_refuses_what_does_not_fit():
    other = VALUES + 100
    swapped = swap(VALUES, other, rows=[0], frames=[10])
    assert (swapped[:, 10, 0] == other[:, 10, 0]).all() and (swapped > 50).sum() == 3
    assert np.array_equal(swap(VALUES, other[:1])[2], other[0])
    with pytest.raises(InputError, match="cannot take the place"):
        swap(VALUES, other[:2])


def test_edits_leave_their_input_alone_and_name_rows_that_are_not_there():
    before = VALUES.copy()
    remove(VALUES), freeze(VALUES), scale(VALUES, 3)
    assert np.array_equal(before, VALUES)
    with pytest.raises(InputError, match="no row"):
        remove(VALUES, rows=[7])
    with pytest.raises(InputError, match="no frame"):
        remove(VALUES, frames=[11])
    with pytest.raises(InputError, match="frames"):
        freeze(VALUES[:, 0])


@pytest.fixture(scope="module")
def truths(net, patches):
    """In float64: what the compact network leaves out is left out, and the whole network."""
    return Truth(pruned(net.name, THRESHOLD), patches), truth_of(net.name, patches, SILENT)


def test_the_compact_network_gives_the_originals_tensors(compact, patches, truths):
    ours = compact.activations(patches, LAYERS_BETWEEN)
    left, whole = truths
    for name in LAYERS_BETWEEN:
        assert ours[name].shape == (3, *shape_of(name))
        assert left.ratio(name, ours[name]) <= 1, name
        assert np.abs(left[name].value - whole[name].value).max() < STILL, name


@pytest.mark.parametrize("layer", LAYERS_BETWEEN)
def test_nothing_edited_changes_nothing(compact, patches, truths, layer):
    after = intervene(compact, patches, layer, lambda values: values, AFTER)
    before = compact.activations(patches, AFTER)
    for name in AFTER:
        assert truths[0].ratio_of_two(name, after[name], before[name]) <= 1


@pytest.mark.parametrize("layer", LAYERS_BETWEEN)
@pytest.mark.parametrize("edit", EDITS)
def test_both_networks_go_on_alike(net, compact, patches, truths, layer, edit):
    rows = live(net, layer)[::2]
    after = [intervene(each, patches, layer, lambda values: EDITS[edit](values, net, layer, rows),
                       AFTER) for each in (net, compact)]
    allowed = PROMISED + 2 * truths[1]["tags/sigmoid"].bound  # what is left out; rounding, twice
    assert (np.abs(after[0]["tags/sigmoid"] - after[1]["tags/sigmoid"]) <= allowed).all()
    before = net.activations(patches, "tags/logits")["tags/logits"]
    moved = truths[1].ratio_of_two("tags/logits", after[0]["tags/logits"], before)
    assert moved > 1, "the edit should do something"


def test_what_is_replaced_is_what_is_given_back(compact, patches):
    u = compact.activations(patches, "cnn_1/out")["cnn_1/out"]
    edited = scale(u, 0.5, live_rows(compact)[:10], around=resting(compact, "cnn_1/out"))
    found = compact.activations(patches, ["cnn_1/out", "stage_2/out"], {"cnn_1/out": edited})
    few = 4 * U * np.abs(edited).max()  # constants are taken away and added again
    assert np.abs(found["cnn_1/out"] - edited).max() <= few
    assert np.abs(found["stage_2/out"][..., :ROWS] - edited).max() <= few


def test_a_constant_row_cannot_be_edited_in_the_compact_network(compact, patches):
    dead = np.setdiff1d(np.arange(ROWS), live_rows(compact))
    with pytest.raises(InputError, match=f"Row {dead[3]} of 'cnn_1/out' is a constant"):
        intervene(compact, patches, "cnn_1/out", lambda u: hold(u, 7.0, rows=[dead[3]]))
    with pytest.raises(InputError, match="cannot go on from 'tags/logits'"):
        compact.activations(patches, replace={"tags/logits": np.zeros((3, 50))})
    with pytest.raises(InputError, match="must be"):
        compact.activations(patches, replace={"cnn_1/out": np.zeros((3, 187, 5))})


def test_rest_is_what_dead_units_give(net, truths):
    for layer in LAYERS_BETWEEN:
        rest, alive = resting(net, layer), live(net, layer)
        assert rest.shape == shape_of(layer)[1:]
        dead = np.setdiff1d(np.arange(len(rest)), alive)
        moved = truths[1][layer].value[..., dead] - rest[dead]
        assert np.abs(moved).max(initial=0) < STILL
    assert len(resting(net, "stage_2/out")) == SERIES
    with pytest.raises(InputError, match="no value at rest"):
        resting(net, "pool/max")


def test_a_forward_from_u_is_fast():
    compact, clip = MusiCNN(compact=True, threads=1), load_clip("disco")
    patches = clip.patches()[:1]
    u = compact.activations(patches, "cnn_1/out")["cnn_1/out"]
    times = []
    for _ in range(20):
        start = time.perf_counter()
        compact.activations(patches, "tags/sigmoid", {"cnn_1/out": u})
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    compact.tags(patches)
    assert min(times) < (time.perf_counter() - start)


def test_layers_with_moments():
    assert has_frames("cnn_2/norm") and not has_frames("pool/max")
