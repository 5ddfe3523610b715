"""Compact MusiCNN: the same tags as the original, folded layer by layer.

What is left out changes the answer by an amount that float64 tells exactly; the rest is rounding.
"""

import subprocess
import sys

import numpy as np
import pytest
from arithmetic import some_numeric
from arithmetic.network import (
    GIVEN,
    PROMISED,
    SILENT,
    Layers,
    Truth,
    alone,
    largest_ratio,
    pruned,
    truth_of,
    weights_of,
)
from arithmetic.rounding import given
from arithmetic.sound import truth_of_clip

from helpers.evidence.reference import reference
from inside_musicnn import FAMILIES, LAYERS, InputError, MusiCNN, clip_names, load_clip
from inside_musicnn.network import units
from inside_musicnn.network.compact import CHUNK, LAYERS_OF_COMPACT, Compact
from inside_musicnn.network.folding import fold
from inside_musicnn.network.layers import ROWS, SERIES
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound import probes

numeric = pytest.mark.numeric


@pytest.fixture(scope="module")
def compact(net):
    return MusiCNN(net.name, compact=True)


@pytest.fixture(scope="module")
def exact(net):
    """Nothing left out but kernels of zeros."""
    return MusiCNN(net.name, compact=True, threshold=0)


@pytest.mark.parametrize("name", some_numeric(clip_names()))
def test_the_packages_tags_for_every_patch_of_every_clip(compact, name):
    """What is left out moves no tag by more than is promised; all else is rounding."""
    model, stored = compact.name, reference(name, compact.name)
    whole, left = truth_of_clip(model, name), truth_of_clip(model, name, units.THRESHOLD)
    scores = [truth["tags/sigmoid"].value for truth in (whole, left)]
    assert np.abs(scores[0] - scores[1]).max() <= PROMISED
    assert left.ratio("tags/sigmoid", compact.tags(load_clip(name))) <= 1
    assert whole.ratio("tags/sigmoid", stored["taggram"]) <= 1
    assert compact.labels == list(stored["labels"])


def check_both(net, compact, exact, patches):
    """Both compact networks and the original, each within the bounds of its own truth."""
    layers = ["dense/norm", "tags/logits", "tags/sigmoid"]
    whole = truth_of(net.name, patches, SILENT)
    left = Truth(pruned(net.name, units.THRESHOLD), patches)
    for layer in layers:
        for truth, network in ((whole, net), (whole, exact), (left, compact)):
            found = network.activations(patches, [layer])[layer]
            assert truth.ratio(layer, found) <= 1, (layer, network)
    change = left["tags/sigmoid"].value - whole["tags/sigmoid"].value
    assert np.abs(change).max() <= PROMISED


@numeric
@pytest.mark.parametrize("name", probes.all_probes())
def test_probes(net, compact, exact, name):
    check_both(net, compact, exact, probes.all_probes()[name].patches()[:1])


@numeric
@pytest.mark.parametrize("frames", [1, 2, 3, 4, 6, 7, 31, 64, 127, 128, 186, 188, 374])
def test_any_number_of_frames(net, compact, exact, frames):
    random = np.random.default_rng(frames)
    check_both(net, compact, exact, random.uniform(0, 4, (1, frames, 96)).astype(np.float32))


@numeric
def test_random_patches_beyond_any_music(net, compact, exact):
    random = np.random.default_rng(1)
    patches = [random.normal(2, 3, (187, 96)), random.uniform(-5, 9, (187, 96)),
               np.full((187, 96), 5.0)]
    check_both(net, compact, exact, np.array(patches, np.float32))


@numeric
def test_folding_layer_by_layer(net, exact, patches):
    """Each of the 753 series, rebuilt from what varies and what does not."""
    network = exact._engine()
    folded = network.folded.dense
    series = network.series(patches[:1])
    rebuilt = np.repeat(folded.steady[None, None], 187, 1)
    rebuilt[..., folded.rows] += series.transpose(1, 2, 0) * folded.gain
    assert truth_of(net.name, patches[:1]).ratio("stage_2/out", rebuilt) <= 1


@numeric
def test_what_goes_is_nearly_constant(compact, patches):
    """Rows that are left out differ from their constant by no more than the threshold lets them."""
    folded = compact._engine().folded
    dead = np.setdiff1d(np.arange(ROWS), folded.dense.rows)
    assert len(dead) == ROWS - sum(len(f.live) for f in folded.families.values())
    truth = truth_of(compact.name, patches[:1])
    gain = np.concatenate([np.abs(weights_of(compact.name)[f"cnn_1/{name}"]["gain"])
                           for name in FAMILIES])[dead]
    # A correlation is at most the kernel's norm times that of the input under it.
    moved = np.abs(truth["cnn_1/out"].value[..., dead] - folded.dense.steady[dead])
    most = units.THRESHOLD * gain * np.linalg.norm(truth["input/normalized"].value)
    assert (moved <= most + truth["cnn_1/out"].bound[..., dead]).all()


@numeric
@pytest.mark.parametrize("layer", LAYERS_OF_COMPACT)
def test_every_layer_it_knows(exact, patches, layer):
    found = exact.activations(patches, [layer])[layer]
    assert found.dtype == np.float32
    assert truth_of(exact.name, patches).ratio(layer, found) <= 1


@numeric
def test_final_stage_from_what_it_was_given(exact, patches):
    """Given its own pooled values, the last layers are within bounds that inherit nothing."""
    found = exact.activations(patches[:1])
    layers = Layers(weights_of(exact.name), patches[0])
    layers["pool/flat"] = given(found["pool/flat"][0])
    for layer in ("pool/norm", "dense/bias", "dense/norm", "tags/logits", "tags/sigmoid"):
        assert largest_ratio(found[layer][0], layers[layer]) <= 1, layer


def test_threshold_trades(net):
    """A higher threshold leaves fewer units; at zero only zeros go."""
    weights = Weights(net.name)
    counts = [sum(len(family.live) for family in fold(weights, threshold).families.values())
              for threshold in (0, 1e-3, 1e-2, 0.1, 10)]
    assert counts == sorted(counts, reverse=True) and counts[0] == ROWS and counts[-1] < counts[2]


def test_a_network_with_nothing_left_still_answers(net, patches):
    nothing = MusiCNN(net.name, compact=True, threshold=1e9)
    assert nothing.tags(patches).shape == (3, 50)
    assert np.isfinite(nothing.tags(patches)).all()


def test_threads_and_batches_do_not_change_the_answer(net):
    patches = np.concatenate([load_clip("piano").patches()] * 2)[: 3 * CHUNK + 1]
    weights = Weights(net.name)
    one = Compact(weights, threads=1).run(patches, ["tags/logits"])["tags/logits"]
    many = Compact(weights, threads=3).run(patches, ["tags/logits"])["tags/logits"]
    assert np.array_equal(one, many)  # the same products in the same order
    alone = Compact(weights).run(patches[4:5], ["tags/logits"])["tags/logits"]
    truth = truth_of(net.name, patches[4:5], SILENT)
    assert truth.ratio_of_two("tags/logits", alone, one[4:5]) <= 1


def test_winning_positions_are_those_of_the_original(net, exact, patches):
    """Where a unit's correlation over frequency is largest, or smallest if its gain is negative.

    Where two positions are level but for rounding, either may win.
    """
    engine = exact._engine()
    for name in ("timbral_67", "temporal_32"):
        values, places = engine.winners(name, patches[:1])
        assert np.array_equal(values, engine.family(name, patches[:1]))
        family = engine.folded.families[name]
        below = net.activations(patches[:1], GIVEN[f"cnn_1/{name}"])[GIVEN[f"cnn_1/{name}"]][0]
        truth = alone(weights_of(net.name), f"cnn_1/{name}", below)[f"cnn_1/{name}/conv"]
        signed = truth.value[:, :, family.live] * family.sign
        bound = truth.bound[:, :, family.live]
        chosen = places[:, 0].T[:, None].astype(int)
        won, doubt = (np.take_along_axis(each, chosen, axis=1)[:, 0] for each in (signed, bound))
        assert (won + doubt >= (signed - bound).max(axis=1)).all()
        assert (places[:, 0].T == signed.argmax(axis=1)).mean() > 0.99


def test_what_it_cannot_answer(compact, patches):
    with pytest.raises(InputError, match="no layer 'cnn_4/conv', only cnn_1/out"):
        compact.activations(patches, ["cnn_4/conv"])
    with pytest.raises(InputError, match="cannot go on from 'input/normalized', only cnn_1/out"):
        compact.activations(patches, ["tags/sigmoid"], replace={"input/normalized": patches})
    with pytest.raises(InputError, match="no layer 'cnn_9'"):
        compact.activations(patches, ["cnn_9"])
    assert list(compact.activations(patches)) == list(LAYERS_OF_COMPACT)
    assert set(LAYERS_OF_COMPACT) <= set(LAYERS) and SERIES == 753


def test_tensorflow_is_not_imported():
    code = ("import sys; from helpers import MusiCNN, load_clip\n"
            "MusiCNN('MTT_musicnn', compact=True).tags(load_clip('disco'))\n"
            "assert not [name for name in sys.modules if name.startswith('tensorflow')]")
    subprocess.run([sys.executable, "-c", code], check=True)
