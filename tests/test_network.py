"""MusiCNN: the contract, the package's own answers, and every layer computed again in NumPy."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import correlate

from helpers.evidence.reference import reference
from inside_musicnn import BLOCKS, FAMILIES, LAYERS, InputError, MusiCNN, clip_names, load_clip
from inside_musicnn.sound import probes

TOLERANCE = 1e-4


def assert_close(ours, theirs, tolerance=TOLERANCE):
    """Equal to `tolerance`, relative to the largest value where that is above 1."""
    scale = max(1.0, float(np.abs(theirs).max()))
    assert np.abs(ours - theirs).max() <= tolerance * scale


# The package's keys -> our layer, columns, for the first patch.
KEYS = {
    "timbral": ("cnn_1/out", slice(0, 408)), "temporal": ("cnn_1/out", slice(408, None)),
    "cnn1": ("cnn_2/norm", slice(None)), "cnn2": ("cnn_3/sum", slice(None)),
    "cnn3": ("cnn_4/sum", slice(None)), "mean_pool": ("pool/mean", slice(None)),
    "max_pool": ("pool/max", slice(None)), "penultimate": ("dense/norm", slice(None)),
}


@pytest.mark.parametrize("name", ["disco", "piano"])
def test_every_key_of_the_package_first_patch(net, name):
    stored = reference(name, net.name)
    acts = net.activations(load_clip(name).patches()[:1], [layer for layer, _ in KEYS.values()])
    for key, (layer, columns) in KEYS.items():
        assert_close(acts[layer][0, ..., columns], stored[key])


@pytest.mark.parametrize("name", clip_names())
def test_taggram_of_the_package_every_patch(net, name):
    stored = reference(name, net.name)
    assert net.labels == list(stored["labels"])
    taggram = net.tags(load_clip(name))
    assert taggram.shape == stored["taggram"].shape
    assert np.abs(taggram - stored["taggram"]).max() <= TOLERANCE


def test_later_patches_are_what_they_are_alone(net, patches):
    layers = ["cnn_1/out", "cnn_2/norm", "cnn_4/sum", "pool/flat", "dense/norm", "tags/logits"]
    together = net.activations(patches, layers)
    for number in (0, 1, len(patches) - 1):
        alone = net.activations(patches[number : number + 1], layers)
        for layer in layers:
            assert_close(together[layer][number], alone[layer][0], 1e-5)


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
    assert not np.allclose(first.tags(patches[:1]), other.tags(patches[:1]))
    assert first.labels != other.labels and len(first.labels) == len(other.labels) == 50


# Every layer again, from the weights, in NumPy.

def normalize(values, weights):
    root = np.sqrt(weights["variance"].astype(np.float64) + 1e-3)
    return weights["gamma"] * (values - weights["mean"]) / root + weights["beta"]


def pad_time(values, kernel_frames):
    """Zeros before and after in time, the odd one after, as TensorFlow's "same" padding."""
    before = (kernel_frames - 1) // 2
    after = kernel_frames - 1 - before
    return np.pad(values, [(before, after)] + [(0, 0)] * (values.ndim - 1))


def filtered(picture, kernel):
    """Correlation of (frames, bands) with kernels (k, rows, units): (frames, positions, units)."""
    padded = pad_time(picture, len(kernel)).astype(np.float64)
    return np.stack([correlate(padded, kernel[..., unit].astype(np.float64), "valid", "fft")
                     for unit in range(kernel.shape[-1])], axis=-1)


@pytest.fixture(scope="module")
def every_layer(net, patches):
    one = net.activations(patches[1:2])
    return {name: values[0].astype(np.float64) for name, values in one.items()}


def test_input_again(net, every_layer):
    again = normalize(every_layer["input/db_mel"], net.weights("input"))
    assert_close(again, every_layer["input/normalized"])


@pytest.mark.parametrize("family", FAMILIES)
def test_first_stage_again(net, every_layer, family):
    block = f"cnn_1/{family}"
    weights = net.weights(block)
    conv = filtered(every_layer["input/normalized"], weights["kernel"])
    assert_close(conv, every_layer[f"{block}/conv"])
    biased = conv + weights["bias"]
    assert_close(biased, every_layer[f"{block}/bias"])
    passed = np.maximum(biased, 0)
    assert_close(passed, every_layer[f"{block}/relu"])
    norm = normalize(passed, weights)
    assert_close(norm, every_layer[f"{block}/norm"])
    assert_close(weights["gain"] * passed + weights["offset"], every_layer[f"{block}/norm"])
    assert_close(norm.max(axis=1), every_layer[f"{block}/max"])


def test_rows_of_u_are_the_families_in_order(every_layer):
    again = np.concatenate([every_layer[f"cnn_1/{family}/max"] for family in FAMILIES], axis=1)
    assert np.array_equal(again, every_layer["cnn_1/out"])


def test_second_stage_again(net, every_layer):
    below = every_layer["cnn_1/out"]
    total = 0
    for number in (2, 3, 4):
        block, weights = f"cnn_{number}", net.weights(f"cnn_{number}")
        conv = filtered(below, weights["kernel"])[:, 0]
        assert_close(conv, every_layer[f"{block}/conv"])
        assert_close(conv + weights["bias"], every_layer[f"{block}/bias"])
        passed = np.maximum(conv + weights["bias"], 0)
        assert_close(passed, every_layer[f"{block}/relu"])
        norm = normalize(passed, weights)
        assert_close(norm, every_layer[f"{block}/norm"])
        total = total + every_layer[f"{block}/norm"]
        below = total
        if number > 2:
            assert_close(total, every_layer[f"{block}/sum"])
    parts = [every_layer[name] for name in ("cnn_1/out", "cnn_2/norm", "cnn_3/sum", "cnn_4/sum")]
    assert np.array_equal(np.concatenate(parts, axis=1), every_layer["stage_2/out"])


def test_final_stage_again(net, every_layer):
    series = every_layer["stage_2/out"]
    assert_close(series.max(axis=0), every_layer["pool/max"])
    assert_close(series.mean(axis=0), every_layer["pool/mean"])
    flat = np.stack([series.max(axis=0), series.mean(axis=0)], axis=1).ravel()
    assert_close(flat, every_layer["pool/flat"])
    norm = normalize(flat, net.weights("pool"))
    assert_close(norm, every_layer["pool/norm"])
    dense = net.weights("dense")
    linear = norm @ dense["kernel"]
    assert_close(linear, every_layer["dense/linear"])
    assert_close(linear + dense["bias"], every_layer["dense/bias"])
    passed = np.maximum(linear + dense["bias"], 0)
    assert_close(passed, every_layer["dense/relu"])
    assert_close(normalize(passed, dense), every_layer["dense/norm"])
    tags = net.weights("tags")
    logits = normalize(passed, dense) @ tags["kernel"] + tags["bias"]
    assert_close(logits, every_layer["tags/logits"])
    assert_close(1 / (1 + np.exp(-logits)), every_layer["tags/sigmoid"])


# Replacing tensors.

@pytest.mark.parametrize("name", [name for name in LAYERS if name != "input/db_mel"])
def test_replacing_a_tensor_by_itself_changes_nothing(net, patches, name):
    acts = net.activations(patches[:1], [name, "tags/logits"])
    again = net.activations(patches[:1], ["tags/logits"], replace={name: acts[name]})
    assert_close(again["tags/logits"], acts["tags/logits"], 1e-5)


def test_a_replaced_tensor_is_what_the_rest_goes_on_from(net, patches):
    logits = np.linspace(-2, 2, 50, dtype=np.float32)[None]
    tags = net.activations(patches[:3], ["tags/sigmoid"], replace={"tags/logits": logits})
    assert_close(tags["tags/sigmoid"], np.repeat(1 / (1 + np.exp(-logits)), 3, axis=0), 1e-6)
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

def test_probes_are_finite_everywhere_and_told_apart(net):
    signals = {**probes.all_probes(), "loud": probes.sine(amplitude=100.0)}
    scores = {}
    for name, probe in signals.items():
        acts = net.activations(probe.patches()[:1])
        assert all(np.isfinite(values).all() for values in acts.values()), name
        scores[name] = acts["tags/sigmoid"][0]
    names = list(scores)
    for index, name in enumerate(names):
        for other in names[:index]:
            assert np.abs(scores[name] - scores[other]).max() > 1e-3, (name, other)


def test_nothing_but_answers_reaches_the_reader():
    code = ("from helpers import MusiCNN, load_clip\n"
            "print(MusiCNN('MTT_musicnn').tags(load_clip('piano', duration=4)).shape)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(1, 50)\n", "")
