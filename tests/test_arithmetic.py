"""The truth that other tests compare with, by other code; and that its bounds let no fault pass."""

import numpy as np
import pytest
from arithmetic import faults
from arithmetic.network import GIVEN, ExactNet, Layers, alone, largest_ratio, truth_of, weights_of
from arithmetic.rounding import FLOAT64, SAFETY, U, given, weighted

from inside_musicnn import FAMILIES, LAYERS, MODELS, load_clip
from inside_musicnn.network.weights import EPSILON

pytestmark = pytest.mark.numeric
each_model = pytest.mark.parametrize("model", MODELS)
WIDEST = 1000  # a bound of float32 that is wider would come near what float16 does, 8192 times


@pytest.fixture(scope="module")
def patch():
    return load_clip("disco", segments=2).patches()[1]


@pytest.fixture(scope="module")
def truths(patch):
    """Every layer of one patch by model, in float64."""
    layers = {model: Layers(weights_of(model), patch) for model in MODELS}
    assert all(found["tags/sigmoid"].value.max() > 0.1 for found in layers.values())
    return layers


@pytest.fixture(scope="module")
def alone_by_block(truths):
    """Each block given what lies below it, by model and block."""
    return {(model, block): alone(layers.weights, block, layers[below].value)
            for model, layers in truths.items() for block, below in GIVEN.items()}


# The truth by loops.

def one_value(weights, below, frame, unit, position=0):
    """Convolution, bias, ReLU and normalisation of one unit at one place, number by number."""
    kernel, total = weights["kernel"], 0.0
    length, bands, _ = kernel.shape
    for k in range(length):
        t = frame + k - (length - 1) // 2
        for band in range(bands):
            if 0 <= t < len(below):  # beyond the patch there are zeros
                total += below[t, position + band] * kernel[k, band, unit]
    on = max(0.0, total + weights["bias"][unit])
    spread = np.sqrt(weights["variance"][unit] + EPSILON)
    return weights["gamma"][unit] * (on - weights["mean"][unit]) / spread + weights["beta"][unit]


@each_model
@pytest.mark.parametrize("block", ["cnn_1/timbral_38", "cnn_1/temporal_128", "cnn_3", "cnn_4"])
def test_convolutions_by_loops(truths, model, block):
    layers = truths[model]
    weights, below = layers.weights[block], layers[GIVEN[block]].value
    for frame in (0, 2, 95, 185, 186):  # borders, too
        for unit in (0, int(faults.unit_to_break(layers, block))):
            if block.startswith("cnn_1"):
                found = max(one_value(weights, below, frame, unit, position)
                            for position in range(0, 96 - weights["kernel"].shape[1] + 1))
                expected = layers[f"{block}/max"].value[frame, unit]
            else:
                found = one_value(weights, below, frame, unit)
                expected = layers[f"{block}/norm"].value[frame, unit]
            assert found == pytest.approx(expected, rel=FLOAT64, abs=FLOAT64)


@each_model
def test_final_stage_by_loops(truths, model):
    layers = truths[model]
    series, weights = layers["stage_2/out"].value, layers.weights
    pooled = []
    for row in range(series.shape[1]):
        pooled += [max(series[:, row]), sum(series[:, row]) / len(series)]
    units = []
    for values, block in ((pooled, "pool"), (None, "dense")):
        w = weights[block]
        if block == "dense":
            sums = [sum(x * k for x, k in zip(units, w["kernel"][:, unit], strict=True))
                    for unit in range(len(w["bias"]))]
            values = [max(0.0, total + bias) for total, bias in zip(sums, w["bias"], strict=True)]
        units = [g * (x - m) / np.sqrt(v + EPSILON) + b for x, g, m, v, b in zip(
            values, w["gamma"], w["mean"], w["variance"], w["beta"], strict=True)]
    logits = [sum(x * k for x, k in zip(units, weights["tags"]["kernel"][:, tag], strict=True))
              + weights["tags"]["bias"][tag] for tag in range(50)]
    scores = [1 / (1 + np.exp(-logit)) for logit in logits]
    assert scores == pytest.approx(layers["tags/sigmoid"].value, rel=FLOAT64 * 100)


@each_model
def test_the_exact_network_answers_as_the_layers_do(truths, patch, model):
    net = ExactNet(model)
    names = ["cnn_1/out", "pool/flat", "tags/logits"]
    found = net.activations(patch[None], names)
    for name in names:  # without the kernels that move nothing
        assert largest_ratio(found[name][0], truths[model][name]) < 1 / WIDEST or name == names[0]
    again = net.activations(patch[None], "tags/logits", {"pool/flat": found["pool/flat"]})
    assert np.array_equal(again["tags/logits"], found["tags/logits"])


# Bounds let the roundings of float32 pass, and nothing that is wrong.

def test_bounds_hold_the_sum_that_goes_wrong_most():
    """The same term over and over rounds the same way each time: the case in the docstring."""
    for count in (32, 128, 4000):
        term = np.float32(1) + np.float32(2.0**-23)
        total = np.float32(0)
        for _ in range(count):
            total += term
        truth = weighted(given(np.full(count, term)), np.ones((count, 1)))
        assert abs(total - truth.value[0]) <= truth.bound[0]
        assert truth.bound[0] == pytest.approx(SAFETY * np.sqrt(count) * U * count, rel=1e-3)


WEIGHT_FAULTS = [(fault, block) for fault, (blocks, _) in faults.OF_WEIGHTS.items()
                 for block in blocks]


@each_model
@pytest.mark.parametrize("fault, block", WEIGHT_FAULTS)
def test_wrong_weights_of_one_live_unit_are_noticed(alone_by_block, model, fault, block):
    right = alone_by_block[model, block]
    wrong = faults.broken(right, block, faults.OF_WEIGHTS[fault][1])
    assert largest_ratio(wrong, right[faults.SHOWN_BY[block]]) > 1


LARGE = ["kernel moved by a frame", "kernel backwards in time", "two units swapped",
         "bias left out", "sign of the gain flipped", "mean left out"]


@each_model
@pytest.mark.parametrize("fault, block", [(fault, block) for fault, block in WEIGHT_FAULTS
                                          if fault in LARGE and "temporal" not in block])
def test_tags_alone_notice_it_too(truths, model, fault, block):
    """From the input to the tags, which is all that can be seen of the package and some others.

    Temporal units are left out: on this patch some of them hardly move the tags of MTT.
    """
    right = truths[model]
    wrong = faults.broken(right, block, faults.OF_WEIGHTS[fault][1])
    tags = faults.replaced(right, faults.SHOWN_BY[block], wrong)["tags/sigmoid"]
    assert largest_ratio(tags.value, right["tags/sigmoid"]) > 1


@each_model
@pytest.mark.parametrize("fault", faults.OF_TENSORS)
def test_wrong_tensors_are_noticed_by_the_tags(truths, model, fault):
    layers = truths[model]
    layer, change = faults.OF_TENSORS[fault]
    wrong = faults.replaced(layers, layer, change(lambda name: layers[name].value))
    assert largest_ratio(wrong[layer].value, layers[layer]) > 1
    assert largest_ratio(wrong["tags/sigmoid"].value, layers["tags/sigmoid"]) > 1


@each_model
@pytest.mark.parametrize("layer", [name for name in LAYERS if LAYERS[name].block in GIVEN])
def test_float16_left_in_is_noticed(alone_by_block, model, layer):
    right = alone_by_block[model, LAYERS[layer].block]
    half = right[layer].value.astype(np.float16).astype(np.float64)
    assert largest_ratio(half, right[layer]) > 1


def test_bounds_are_not_too_wide(net, patch):
    """In every layer that computes, the original's largest error is a fair part of its bound."""
    names = [name for name in LAYERS if name != "input/db_mel"
             and LAYERS[name].block not in (f"cnn_1/{family}" for family in FAMILIES)]
    found = net.activations(patch[None], names)
    truth = truth_of(net.name, patch[None])
    ratios = {name: truth.ratio(name, found[name]) for name in names}
    assert max(ratios.values()) <= 1 and min(ratios.values()) > 1 / WIDEST, ratios
