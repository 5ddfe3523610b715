"""Compact MusiCNN: the same tags as the original, folded layer by layer."""

import subprocess
import sys

import numpy as np
import pytest

from helpers.evidence.reference import reference
from inside_musicnn import LAYERS, InputError, MusiCNN, clip_names, load_clip
from inside_musicnn.network.compact import CHUNK, LAYERS_OF_COMPACT, Compact
from inside_musicnn.network.folding import fold
from inside_musicnn.network.layers import ROWS, SERIES, UNITS
from inside_musicnn.network.weights import Weights
from inside_musicnn.sound import probes

TOLERANCE = 1e-4  # of the tags
SCORES = ["tags/sigmoid", "dense/norm"]


@pytest.fixture(scope="module")
def compact(net):
    return MusiCNN(net.name, compact=True)


@pytest.fixture(scope="module")
def exact(net):
    """Nothing left out but kernels of zeros."""
    return MusiCNN(net.name, compact=True, threshold=0)


@pytest.mark.parametrize("name", clip_names())
def test_the_packages_tags_for_every_patch_of_every_clip(compact, name):
    taggram = compact.tags(load_clip(name))
    assert np.abs(taggram - reference(name, compact.name)["taggram"]).max() <= TOLERANCE
    assert compact.labels == list(reference(name, compact.name)["labels"])


@pytest.mark.parametrize("name", probes.all_probes())
def test_probes(net, compact, exact, name):
    probe = probes.all_probes()[name]
    ours, theirs = compact.activations(probe, SCORES), net.activations(probe, SCORES)
    assert np.abs(ours["tags/sigmoid"] - theirs["tags/sigmoid"]).max() <= TOLERANCE
    assert np.abs(ours["dense/norm"] - theirs["dense/norm"]).max() <= 1e-3
    assert np.abs(exact.tags(probe) - theirs["tags/sigmoid"]).max() <= 1e-5


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 6, 7, 31, 64, 127, 128, 186, 188, 374])
def test_any_number_of_frames(net, compact, exact, frames):
    patches = np.random.default_rng(frames).uniform(0, 4, (2, frames, 96)).astype(np.float32)
    theirs = net.tags(patches)
    assert np.abs(compact.tags(patches) - theirs).max() <= TOLERANCE
    assert np.abs(exact.tags(patches) - theirs).max() <= 1e-5


def test_random_patches_beyond_any_music(net, compact):
    random = np.random.default_rng(1)
    patches = np.stack([random.normal(2, 3, (187, 96)), random.uniform(-5, 9, (187, 96)),
                        np.full((187, 96), 5.0)])
    assert np.abs(compact.tags(patches) - net.tags(patches)).max() <= TOLERANCE


def test_folding_layer_by_layer(net, exact, patches):
    """Each of the 753 series, rebuilt from what varies and what does not."""
    network = exact._engine()
    folded = network.folded.dense
    series = network.series(patches)
    rebuilt = np.repeat(folded.steady[None, None], len(patches), 0).repeat(187, 1)
    rebuilt[..., folded.rows] += series.transpose(1, 2, 0) * folded.gain
    original = net.activations(patches, ["stage_2/out"])["stage_2/out"]
    for first, last in [(0, ROWS), *((ROWS + k * UNITS, ROWS + (k + 1) * UNITS) for k in range(3))]:
        theirs = original[..., first:last]
        assert np.abs(rebuilt[..., first:last] - theirs).max() <= 1e-5 * np.abs(theirs).max()


def test_what_goes_is_nearly_constant(net, compact, patches):
    """Rows that are left out differ from their constant by no more than the threshold lets them."""
    folded = compact._engine().folded.dense
    dead = np.setdiff1d(np.arange(ROWS), folded.rows)
    assert len(dead) == ROWS - sum(len(f.live) for f in compact._engine().folded.families.values())
    rows = net.activations(patches, ["cnn_1/out"])["cnn_1/out"][..., dead]
    # A correlation is at most the kernel's norm times that of the input under it.
    units = np.concatenate([np.abs(net.weights(f"cnn_1/{name}")["gain"])
                            for name in ("timbral_38", "timbral_67", "temporal_128",
                                         "temporal_64", "temporal_32")])[dead]
    normalized = net.activations(patches, ["input/normalized"])["input/normalized"]
    bound = 1e-2 * units * np.sqrt((normalized**2).sum(axis=(1, 2)).max())
    assert (np.abs(rows - folded.steady[dead]).max(axis=(0, 1)) <= bound + 1e-5).all()


@pytest.mark.parametrize("layer", LAYERS_OF_COMPACT)
def test_every_layer_it_knows(net, exact, patches, layer):
    ours, theirs = (n.activations(patches, [layer])[layer] for n in (exact, net))
    assert ours.shape == theirs.shape and ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= 2e-5 * max(1, np.abs(theirs).max())


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
    assert np.array_equal(one, many)
    alone = Compact(weights).run(patches[4:5], ["tags/logits"])["tags/logits"]
    assert np.abs(alone - one[4:5]).max() <= 1e-4


def test_winning_positions_are_those_of_the_original(net, exact, patches):
    """Where a unit's correlation over frequency is largest, or smallest if its gain is negative."""
    engine = exact._engine()
    for name in ("timbral_67", "temporal_32"):
        values, places = engine.winners(name, patches[:1])
        assert np.array_equal(values, engine.family(name, patches[:1]))
        family = engine.folded.families[name]
        all_positions = net.activations(patches[:1], [f"cnn_1/{name}/conv"])[f"cnn_1/{name}/conv"]
        signed = all_positions[0][:, :, family.live] * family.sign
        won = np.take_along_axis(signed, places[:, 0].T[:, None].astype(int), axis=1)[:, 0]
        assert (won >= signed.max(axis=1) - 1e-3 * np.abs(signed).max()).all()
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
