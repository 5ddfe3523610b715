"""The network above U, against the compact network and the decomposition from the weights."""

import numpy as np
import pytest

from inside_musicnn import MODELS, MusiCNN, load_clip
from inside_musicnn.network.above_u import CHOICES, AboveU, Patch
from inside_musicnn.network.decomposition import decompose, remembered_means
from inside_musicnn.network.units import live_rows
from inside_musicnn.network.weights import Weights

NEAR = 2e-4  # logits: sums of some thousand float32 products, times gains of up to 78


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    """A network's name, the patch as dB mel, and as the network above U has it."""
    excerpt = load_clip("techno", segments=2).patches()[1:2]
    above = AboveU(Weights(request.param))
    return request.param, excerpt, Patch(above, above.first_stage(excerpt)[:, 0])


def test_answers_with_rows_held_are_the_compact_networks(case):
    name, excerpt, patch = case
    net = MusiCNN(name, compact=True)
    sets = np.random.default_rng(0).random((6, len(patch.varying))) < 0.3
    found = net.activations(excerpt, ["cnn_1/out", "tags/logits"])
    assert np.abs(found["tags/logits"][0] - patch.logits).max() < NEAR
    edited = np.repeat(found["cnn_1/out"], len(sets), axis=0)
    for values, held in zip(edited, sets, strict=True):
        values[:, patch.above.live[held]] = remembered_means(net)[patch.above.live[held]]
    after = net.activations(np.repeat(excerpt, len(sets), axis=0), "tags/logits",
                            replace={"cnn_1/out": edited})["tags/logits"]
    assert np.abs(after - patch.logits - patch.changes(sets)).max() < NEAR
    assert np.abs(patch.changes(sets)).max() > 1


def test_the_exact_sum_is_the_decompositions(case):
    name, excerpt, patch = case
    net = MusiCNN(name)
    expected = decompose(net, excerpt[0], down_to="structures").structures.sum(axis=1)
    assert np.array_equal(patch.above.live, live_rows(net))
    assert np.abs(expected[:, live_rows(net)] - patch.gradient_x_input()).max() < NEAR


def test_with_all_choices_held_the_exact_sum_foretells_exactly(case):
    _, _, patch = case
    sets = np.random.default_rng(1).random((5, len(patch.varying))) < 0.4
    foretold = -(sets @ patch.gradient_x_input().T)
    assert np.abs(patch.changes(sets, free=()) - foretold).max() < NEAR
    for kind in CHOICES:
        assert np.abs(patch.changes(sets, free=(kind,)) - foretold).max() > 10 * NEAR


def test_integrated_gradients_come_nearer_to_their_sum_with_finer_steps(case):
    _, _, patch = case
    due = -patch.changes(np.ones((1, len(patch.varying)), bool))[0]
    miss = [np.abs(patch.integrated_gradients(steps).sum(axis=1) - due).mean()
            for steps in (1, 24)]
    assert miss[1] < 0.5 * miss[0]


def test_occlusion_of_one_row_is_what_holding_it_does(case):
    _, _, patch = case
    one = np.zeros((1, len(patch.varying)), bool)
    one[0, 3] = True
    assert np.abs(patch.occlusion()[:, 3] + patch.changes(one)[0]).max() < NEAR
