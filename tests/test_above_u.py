"""The network above U, against the compact network and the decomposition from the weights."""

import numpy as np
import pytest
from arithmetic.network import SILENT, ExactNet, Layers, Truth, pruned, truth_of

from inside_musicnn import MODELS, MusiCNN, load_clip
from inside_musicnn.network.above_u import CHOICES, AboveU, Patch
from inside_musicnn.network.decomposition import decompose, remembered_means
from inside_musicnn.network.units import THRESHOLD, live_rows
from inside_musicnn.network.weights import Weights


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    """A network's name, the patch as dB mel, and as the network above U has it."""
    excerpt = load_clip("techno", segments=2).patches()[1:2]
    above = AboveU(Weights(request.param))
    return request.param, excerpt, Patch(above, above.first_stage(excerpt)[:, 0])


@pytest.fixture(scope="module")
def truth(case):
    """In float64, without what the compact network leaves out."""
    name, excerpt, _ = case
    return Truth(pruned(name, THRESHOLD), excerpt)


@pytest.fixture(scope="module")
def bound(truth):
    """How far float32 may be from the logits, (50,).

    It holds for any part of a logit, too, such as what one row is given credit for: that is a sum
    of some of the products that the logit is a sum of.
    """
    return truth["tags/logits"].bound[0]


def held_at(truth, rows, values):
    """The bound of the logits if some rows of U are held at values."""
    layers = truth.patches[0]
    u = layers["cnn_1/out"].map(np.copy)
    u.value[:, rows], u.size[:, rows], u.error[:, rows] = values, np.abs(values), 0
    edited = Layers(layers.weights, layers["input/db_mel"].value)
    edited["cnn_1/out"] = u
    return edited["tags/logits"].bound


def test_answers_with_rows_held_are_the_compact_networks(case, truth, bound):
    name, excerpt, patch = case
    net = MusiCNN(name, compact=True)
    sets = np.random.default_rng(0).random((6, len(patch.varying))) < 0.3
    found = net.activations(excerpt, ["cnn_1/out", "tags/logits"])
    assert truth.ratio("tags/logits", patch.logits[None]) <= 1
    assert truth.ratio("tags/logits", found["tags/logits"]) <= 1
    edited = np.repeat(found["cnn_1/out"], len(sets), axis=0)
    for values, held in zip(edited, sets, strict=True):
        values[:, patch.above.live[held]] = remembered_means(net)[patch.above.live[held]]
    after = net.activations(np.repeat(excerpt, len(sets), axis=0), "tags/logits",
                            replace={"cnn_1/out": edited})["tags/logits"]
    for each, held, change in zip(after, sets, patch.changes(sets), strict=True):
        rows = patch.above.live[held]
        # What is held is taken out of the sums of the patch as it is, so their bound counts, too.
        allowed = 2 * (bound + held_at(truth, rows, remembered_means(net)[rows]))
        assert (np.abs(each - patch.logits - change) <= allowed).all()
        assert np.abs(change).max() > 100 * allowed.max()


def test_the_exact_sum_is_the_decompositions(case, truth, bound):
    name, excerpt, patch = case
    expected = decompose(ExactNet(name), excerpt[0], down_to="structures").structures.sum(axis=1)
    live = live_rows(ExactNet(name))
    assert np.array_equal(patch.above.live, live)
    whole = truth_of(name, excerpt, SILENT)["tags/logits"].value
    left_out = np.abs(truth["tags/logits"].value - whole)[0]
    away = np.abs(expected[:, live] - patch.gradient_x_input())
    assert (away <= (bound + left_out)[:, None]).all()


def test_with_all_choices_held_the_exact_sum_foretells_exactly(case, bound):
    _, _, patch = case
    sets = np.random.default_rng(1).random((5, len(patch.varying))) < 0.4
    foretold = -(sets @ patch.gradient_x_input().T)
    assert (np.abs(patch.changes(sets, free=()) - foretold) <= 2 * bound).all()
    for kind in CHOICES:
        assert (np.abs(patch.changes(sets, free=(kind,)) - foretold) > 2 * bound).any()


def test_integrated_gradients_come_nearer_to_their_sum_with_finer_steps(case):
    _, _, patch = case
    due = -patch.changes(np.ones((1, len(patch.varying)), bool))[0]
    miss = [np.abs(patch.integrated_gradients(steps).sum(axis=1) - due).mean()
            for steps in (1, 24)]
    assert miss[1] < 0.5 * miss[0]


def test_occlusion_of_one_row_is_what_holding_it_does(case, bound):
    _, _, patch = case
    one = np.zeros((1, len(patch.varying)), bool)
    one[0, 3] = True
    assert (np.abs(patch.occlusion()[:, 3] + patch.changes(one)[0]) <= 2 * bound).all()
