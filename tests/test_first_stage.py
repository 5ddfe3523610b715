"""The first stage: gains, live units, the winning patch, and what dead units put out."""

import numpy as np
import pytest
from arithmetic.network import ExactNet, largest_ratio, truth_of, weights_of
from arithmetic.rounding import U, given, normalise, same, together

from helpers.evidence.measures.first_stage import SAME_TAGS
from inside_musicnn import FAMILIES, LAYERS, MODELS, MusiCNN, load_clip
from inside_musicnn.network.units import THRESHOLD, kernel_norms, live_rows, live_units
from inside_musicnn.sound import probes

CLIPS = ("disco", "piano", "choir")
# Live units of each family, in the order of U. The articles give the sum for MSD, 62.
LIVE = {"MSD_musicnn": (22, 14, 3, 6, 17), "MTT_musicnn": (66, 68, 14, 14, 42)}
# TensorFlow's names of kernel and normalisation of each family, as the checkpoint has them.
VARIABLES = {"timbral_38": ("conv2d", "batch_normalization_1"),
             "timbral_67": ("conv2d_1", "batch_normalization_2"),
             "temporal_128": ("conv2d_2", "batch_normalization_3"),
             "temporal_64": ("conv2d_3", "batch_normalization_4"),
             "temporal_32": ("conv2d_4", "batch_normalization_5")}

numeric = pytest.mark.numeric
each_model = pytest.mark.parametrize("model", MODELS)
each_family = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture(scope="session")
def networks():
    """Both released networks."""
    return {name: MusiCNN(name) for name in MODELS}


@pytest.fixture(scope="session")
def checkpoints(networks):
    """Both checkpoints, read without the book's code: model -> function from variable to array."""
    from inside_musicnn.network.original import tensorflow

    tf = tensorflow()

    return {name: tf.compat.v1.train.NewCheckpointReader(f"{net.folder}/").get_tensor
            for name, net in networks.items()}


@pytest.fixture(scope="session")
def music():
    """Two patches of each of a few clips, and one of each probe, side by side."""
    parts = [load_clip(name).patches()[:2] for name in CLIPS]
    parts += [clip.patches()[:1] for clip in probes.all_probes().values()]
    return np.concatenate(parts)


@pytest.fixture(scope="session")
def series(networks, music):
    """U for all of `music`, by model."""
    return {name: net.activations(music, "cnn_1/out")["cnn_1/out"]
            for name, net in networks.items()}


def dead_rows(net):
    return np.setdiff1d(np.arange(LAYERS["cnn_1/out"].shape[1]), live_rows(net))


def constants(net):
    """What each unit puts out if its filter answers zero: gain x ReLU(bias) + offset, (561,)."""
    weights = [net.weights(f"cnn_1/{family}") for family in FAMILIES]
    return np.concatenate([w["gain"].astype(np.float64) * np.maximum(w["bias"], 0) + w["offset"]
                           for w in weights])


@each_family
@each_model
def test_gain_and_offset_are_those_of_the_checkpoint(networks, checkpoints, model, family):
    read, name = checkpoints[model], VARIABLES[family][1]
    gamma, beta, mean, variance = (read(f"{name}/{key}").astype(np.float64) for key in (
        "gamma", "beta", "moving_mean", "moving_variance"))
    gain = gamma / np.sqrt(variance + 0.001)
    weights = networks[model].weights(f"cnn_1/{family}")
    for found, expected, size in ((weights["gain"], gain, np.abs(gain)),
                                  (weights["offset"], beta - gain * mean,
                                   np.abs(beta) + np.abs(gain * mean))):
        assert (np.abs(found - expected) <= U * size).all()  # float64, rounded once


@numeric
@each_family
@each_model
def test_gain_and_offset_give_the_tensor_after_normalisation(networks, music, model, family):
    block, net = f"cnn_1/{family}", networks[model]
    acts = net.activations(music[[0, -1]], [f"{block}/relu", f"{block}/norm", f"{block}/max"])
    weights = net.weights(block)
    ours = acts[f"{block}/relu"] * weights["gain"] + weights["offset"]
    truth = normalise(given(acts[f"{block}/relu"]), weights_of(model)[block])
    assert largest_ratio(acts[f"{block}/norm"], truth) <= 1
    assert largest_ratio(ours, truth) <= 1
    np.testing.assert_array_equal(acts[f"{block}/max"], acts[f"{block}/norm"].max(axis=2))


@each_model
def test_live_units_of_each_family(networks, checkpoints, model):
    independent = []
    for kernel, _ in VARIABLES.values():
        weights = checkpoints[model](f"{kernel}/kernel").astype(np.float64)
        norms = np.linalg.norm(weights.reshape(-1, weights.shape[-1]), axis=0)
        independent.append(int((norms > 0.01).sum()))
    helper = [len(live_units(networks[model], f"cnn_1/{family}")) for family in FAMILIES]
    assert tuple(independent) == tuple(helper) == LIVE[model]
    assert len(live_rows(networks[model])) == sum(LIVE[model])
    assert THRESHOLD == 0.01


def test_62_units_of_msd_live_wherever_the_threshold_is_put_in_the_gap(networks):
    assert sum(LIVE["MSD_musicnn"]) == 62
    norms = np.concatenate([kernel_norms(networks["MSD_musicnn"], f"cnn_1/{family}")
                            for family in FAMILIES])
    assert {int((norms > threshold).sum()) for threshold in (0.008, 0.01, 0.03, 0.09)} == {62}


def test_live_units_of_msd_with_negative_gain(networks):
    net, found = networks["MSD_musicnn"], []
    for family in FAMILIES:
        gain = net.weights(f"cnn_1/{family}")["gain"]
        found += [(family, unit) for unit in live_units(net, f"cnn_1/{family}") if gain[unit] < 0]
    assert found == [("temporal_128", 38)]


def brute_force(net, normalized, family, frame, unit):
    """One number of U in plain NumPy: every position tried, each step in float64."""
    frames, bands = FAMILIES[family][:2]
    weights = {key: value[..., unit].astype(np.float64)
               for key, value in net.weights(f"cnn_1/{family}").items()}
    before = (frames - 1) // 2
    values = []
    for position in range(normalized.shape[1] - bands + 1):
        total = weights["bias"]
        for k in range(frames):
            t = frame + k - before
            if 0 <= t < len(normalized):  # beyond the patch there are zeros
                total = total + normalized[t, position:position + bands] @ weights["kernel"][k]
        spread = np.sqrt(weights["variance"] + 0.001)
        relu = max(0.0, total)
        values.append(weights["gamma"] * (relu - weights["mean"]) / spread + weights["beta"])
    return max(values)


@each_family
@each_model
def test_winning_patch_by_brute_force(networks, music, model, family):
    """Some numbers of U, every position tried: the truth that the original graph is held to."""
    net = networks[model]
    live, gain = live_units(net, f"cnn_1/{family}"), net.weights(f"cnn_1/{family}")["gain"]
    units = [*live[gain[live] > 0][:3], *live[gain[live] < 0][:2]]
    units += np.setdiff1d(np.arange(len(gain)), live)[:1].tolist()
    layers = truth_of(model, music[[-1]]).patches[0]
    normalized, maxima = layers["input/normalized"].value, layers[f"cnn_1/{family}/max"].value
    for frame in (0, 2, 95, 150, 186):  # borders, too: the kernel reaches beyond them
        for unit in units:
            expected = brute_force(net, normalized, family, frame, unit)
            assert same(maxima[frame, unit], expected), (frame, unit)


@numeric
@each_model
def test_rows_of_the_original_graph(networks, music, model):
    for number in (0, len(music) - 1):
        patch = music[[number]]
        found = networks[model].activations(patch, "cnn_1/out")["cnn_1/out"]
        assert truth_of(model, patch).ratio("cnn_1/out", found) <= 1


@numeric
@each_model
def test_dead_units_that_never_pass_are_constant_but_for_rounding(networks, series, model):
    """Bias below zero and a kernel next to nothing: ReLU gives zero, whatever the input."""
    net = networks[model]
    bias = np.concatenate([net.weights(f"cnn_1/{family}")["bias"] for family in FAMILIES])
    rows = [row for row in dead_rows(net) if bias[row] < 0]
    assert len(rows) == {"MSD_musicnn": 398, "MTT_musicnn": 164}[model]
    values = series[model][..., rows]
    off = [normalise(given(np.zeros(weights_of(model)[f"cnn_1/{family}"]["bias"].shape)),
                     weights_of(model)[f"cnn_1/{family}"]) for family in FAMILIES]
    constant = together(off, 0).map(lambda x: np.broadcast_to(x[rows], values.shape))
    assert largest_ratio(values, constant) <= 1


@each_model
def test_dead_units_are_constant_and_near_zero(music, model):
    """Within 0.02 of their constant and of zero, where live rows vary by whole units.

    In float64: it is a matter of what the rows do, and not of rounding.
    """
    net = ExactNet(model)
    rows, u = dead_rows(net), net.activations(music, "cnn_1/out")["cnn_1/out"]
    assert np.abs(u[..., rows] - constants(net)[rows]).max() < 0.02
    assert np.abs(u[..., rows]).max() < 0.02
    assert np.median(u[..., live_rows(net)].std(axis=(0, 1))) > 0.5


@each_model
def test_tags_without_the_dead_rows(music, model):
    """Constants for the dead rows leave every tag where the book says; those of the live do not.

    In float64: it is a matter of what the rows do, and not of rounding.
    """
    net, some = ExactNet(model), music[::3]
    acts, changed = net.activations(some, ["cnn_1/out", "tags/sigmoid"]), {}
    for name, rows in (("dead", dead_rows(net)), ("live", live_rows(net))):
        edited = acts["cnn_1/out"].copy()
        edited[..., rows] = constants(net)[rows]
        new = net.activations(some, "tags/sigmoid", replace={"cnn_1/out": edited})["tags/sigmoid"]
        changed[name] = np.abs(new - acts["tags/sigmoid"]).max()
    assert changed["dead"] < SAME_TAGS
    assert changed["live"] > 0.1
