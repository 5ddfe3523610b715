"""MusiCNN: the contract, the package's own answers, and every layer computed again in float64."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from arithmetic import some_numeric
from arithmetic.network import GIVEN, SILENT, alone, largest_ratio, truth_of, weights_of
from arithmetic.rounding import Rounded, given, sigmoid
from arithmetic.sound import truth_of_clip

from helpers.evidence.reference import reference
from inside_musicnn import BLOCKS, FAMILIES, LAYERS, InputError, MusiCNN, clip_names, load_clip
from inside_musicnn.sound import probes

numeric = pytest.mark.numeric

# The package's keys -> our layer, columns, for the first patch.
KEYS = {
    "timbral": ("cnn_1/out", slice(0, 408)), "temporal": ("cnn_1/out", slice(408, None)),
    "cnn1": ("cnn_2/norm", slice(None)), "cnn2": ("cnn_3/sum", slice(None)),
    "cnn3": ("cnn_4/sum", slice(None)), "mean_pool": ("pool/mean", slice(None)),
    "max_pool": ("pool/max", slice(None)), "penultimate": ("dense/norm", slice(None)),
}


@numeric
@pytest.mark.parametrize("name", ["disco", "piano", "lucky_13", "ave_maria"])
def test_every_key_of_the_package_first_patch(net, name):
    """The package and we, each from its own float32 patch: both within the bounds of the truth."""
    stored, ours = reference(name, net.name), load_clip(name, segments=1).patches()
    acts = net.activations(ours, [layer for layer, _ in KEYS.values()])
    for key, (layer, columns) in KEYS.items():
        theirs = truth_of(net.name, stored["patches"][:1])[layer]
        part = Rounded(*(getattr(theirs, name)[0, ..., columns]
                         for name in ("value", "size", "error")))
        assert largest_ratio(stored[key], part) <= 1, key
        assert truth_of(net.name, ours).ratio(layer, acts[layer]) <= 1, layer


@pytest.mark.parametrize("name", some_numeric(clip_names()))
def test_taggram_of_the_package_every_patch(net, name):
    """From the samples on: the package's processor and this one are both within the bounds."""
    stored = reference(name, net.name)
    assert net.labels == list(stored["labels"])
    truth = truth_of_clip(net.name, name)
    assert truth.ratio("tags/sigmoid", stored["taggram"]) <= 1
    assert truth.ratio("tags/sigmoid", net.tags(load_clip(name))) <= 1


@numeric
def test_taggram_of_the_package_of_a_recording(net):
    truth = truth_of_clip(net.name, "lucky_13")
    assert truth.ratio("tags/sigmoid", reference("lucky_13", net.name)["taggram"]) <= 1
    assert truth.ratio("tags/sigmoid", net.tags(load_clip("lucky_13"))) <= 1


@numeric
def test_later_patches_are_what_they_are_alone(net, patches):
    layers = ["cnn_1/out", "cnn_2/norm", "cnn_4/sum", "pool/flat", "dense/norm", "tags/logits"]
    together = net.activations(patches, layers)
    for number in range(len(patches)):
        one = slice(number, number + 1)
        alone_now = net.activations(patches[one], layers)
        truth = truth_of(net.name, patches[one])
        for layer in layers:
            assert truth.ratio_of_two(layer, together[layer][one], alone_now[layer]) <= 1, layer


def test_contract_of_layers(net, patches):
    acts = net.activations(patches[:2])
    assert list(acts) == list(LAYERS)
    for name, values in acts.items():
        assert values.shape == (2, *LAYERS[name].shape), name
        assert values.dtype == np.float32
        assert np.isfinite(values).all()


def test_one_patch_keeps_its_axis_and_any_length_is_taken(net):
    acts = net.activations(np.zeros((1, 60, 96)), ["input/db_mel", "cnn_1/temporal_32/norm",
                                                   "stage_2/out", "tags/sigmoid"])
    assert [values.shape for values in acts.values()] == [
        (1, 60, 96), (1, 60, 96, 51), (1, 60, 753), (1, 50)]


def test_asking_for_more_does_not_change_the_answer(net, patches):
    few = net.activations(patches[:1], ["tags/sigmoid", "cnn_4/norm"])
    every = net.activations(patches[:1])
    for name, values in few.items():
        assert np.array_equal(values, every[name])


def test_two_instances_and_both_models_live_side_by_side(patches):
    first, second, other = MusiCNN("MSD_musicnn"), MusiCNN("MSD_musicnn"), MusiCNN("MTT_musicnn")
    assert np.array_equal(first.tags(patches[:1]), second.tags(patches[:1]))
    assert truth_of(first.name, patches[:1]).ratio("tags/sigmoid", other.tags(patches[:1])) > 1
    assert first.labels != other.labels and len(first.labels) == len(other.labels) == 50


# Every layer again, from the weights, in float64.

@pytest.fixture(scope="module")
def every_layer(net, patches):
    return net.activations(patches[1:2])


@numeric
@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_from_the_input(net, patches, every_layer, layer):
    assert truth_of(net.name, patches[1:2]).ratio(layer, every_layer[layer]) <= 1


@pytest.fixture(scope="module")
def blocks(net, every_layer):
    """Each block given the float32 tensor below it: narrower bounds, as nothing is inherited."""
    return {block: alone(weights_of(net.name), block, every_layer[below][0])
            for block, below in GIVEN.items()}


@numeric
@pytest.mark.parametrize("layer", [name for name in LAYERS if LAYERS[name].block in GIVEN])
def test_every_layer_from_the_one_below(blocks, every_layer, layer):
    assert largest_ratio(every_layer[layer][0], blocks[LAYERS[layer].block][layer]) <= 1


def test_rows_side_by_side_are_the_same_numbers(every_layer):
    families = [every_layer[f"cnn_1/{family}/max"] for family in FAMILIES]
    assert np.array_equal(np.concatenate(families, axis=2), every_layer["cnn_1/out"])
    parts = [every_layer[name] for name in ("cnn_1/out", "cnn_2/norm", "cnn_3/sum", "cnn_4/sum")]
    assert np.array_equal(np.concatenate(parts, axis=2), every_layer["stage_2/out"])
    in_turns = np.stack([every_layer["pool/max"], every_layer["pool/mean"]], axis=2)
    assert np.array_equal(in_turns.reshape(1, -1), every_layer["pool/flat"])


# Replacing tensors.

@numeric
@pytest.mark.parametrize("name", [name for name in LAYERS if name != "input/db_mel"])
def test_replacing_a_tensor_by_itself_changes_nothing(net, patches, name):
    acts = net.activations(patches[:1], [name, "tags/logits"])
    again = net.activations(patches[:1], ["tags/logits"], replace={name: acts[name]})
    truth = truth_of(net.name, patches[:1])
    assert truth.ratio_of_two("tags/logits", again["tags/logits"], acts["tags/logits"]) <= 1


@numeric
def test_a_replaced_tensor_is_what_the_rest_goes_on_from(net, patches):
    logits = np.linspace(-2, 2, 50, dtype=np.float32)[None]
    tags = net.activations(patches[:3], ["tags/sigmoid"], replace={"tags/logits": logits})
    expected = sigmoid(given(logits[0]))
    assert all(largest_ratio(found, expected) <= 1 for found in tags["tags/sigmoid"])
    silent = net.activations(patches[:1], ["cnn_1/out"], replace={
        "cnn_1/timbral_67/norm": np.zeros((1, *LAYERS["cnn_1/timbral_67/norm"].shape))})
    u = silent["cnn_1/out"][0]
    assert not u[:, 204:408].any() and u[:, :204].any() and u[:, 408:].any()


# What a caller may get wrong.

def test_unknown_names_list_the_valid_ones(net, patches):
    with pytest.raises(InputError, match="MSD_musicnn, MTT_musicnn"):
        MusiCNN("MSD_musicnn_big")
    for call in (lambda: net.activations(patches, ["cnn_5/out"]),
                 lambda: net.activations(patches, ["tags/sigmoid"], replace={"x": patches})):
        with pytest.raises(InputError, match="cnn_4/sum, stage_2/out"):
            call()
    with pytest.raises(InputError, match="cnn_1/timbral_38"):
        net.weights("cnn_1")


@pytest.mark.parametrize("shape", [(187, 96), (1, 187, 95), (2, 3, 187, 96), (1, 0, 96)])
def test_wrong_shapes_of_patches(net, shape):
    with pytest.raises(InputError, match=r"they must be \(patches, frames, 96\)"):
        net.tags(np.zeros(shape))


def test_wrong_shape_of_a_replacement(net, patches):
    with pytest.raises(InputError, match=r"must be \(2, 187, 561\), or \(1, 187, 561\)"):
        net.activations(patches[:2], ["tags/sigmoid"],
                        replace={"cnn_1/out": np.zeros((2, 187, 64))})


def test_too_much_for_the_memory_is_refused_with_its_size(patches):
    small = MusiCNN("MSD_musicnn", memory_limit=250e6)
    with pytest.raises(InputError, match=r"0\.30 GB.*ask for fewer layers, or for 2 patches"):
        small.activations(patches)
    assert small.activations(patches, ["cnn_1/out"])["cnn_1/out"].shape == (3, 187, 561)


def test_weights_cannot_be_spoiled(net):
    with pytest.raises(ValueError, match="read-only"):
        net.weights("cnn_2")["kernel"][:] = 0


def test_weights_have_the_shapes_of_their_blocks(net):
    for name, block in BLOCKS.items():
        weights = net.weights(name)
        assert weights.get("kernel", np.zeros(())).shape == block.kernel
        for key in set(weights) - {"kernel"}:
            assert weights[key].shape == (block.units,)


# Probes.

@numeric
def test_probes_are_finite_everywhere_and_told_apart(net):
    scores, truths = {}, {}
    for name, probe in {**probes.all_probes(), "loud": probes.sine(amplitude=100.0)}.items():
        patch = probe.patches()[:1]
        acts = net.activations(patch)
        assert all(np.isfinite(values).all() for values in acts.values()), name
        scores[name], truths[name] = acts["tags/sigmoid"], truth_of(net.name, patch, SILENT)
    for name, other in itertools.permutations(scores, 2):
        apart = truths[name].ratio("tags/sigmoid", scores[other])
        assert apart > 1, (name, other)
    assert all(truth.ratio("tags/sigmoid", scores[name]) <= 1 for name, truth in truths.items())


def test_nothing_but_answers_reaches_the_reader():
    code = ("from helpers import MusiCNN, load_clip\n"
            "print(MusiCNN('MTT_musicnn').tags(load_clip('piano', duration=4)).shape)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(1, 50)\n", "")
