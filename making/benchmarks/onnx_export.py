"""Writes the original graph, its live units alone, and the folded first stage as ONNX files.

The original is written node by node from the released weights, nothing left out: all 561 units of
CNN_1, each normalisation as the original has it. The pruned one is the network that the compact
form computes. ONNX Runtime may fuse what it likes.
python -m making.benchmarks.onnx_export MODEL FILE FILE_OF_FIRST_STAGE FILE_OF_PRUNED
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inside_musicnn.network.folding import fold
from inside_musicnn.network.layers import BANDS, FAMILIES, FRAMES, TAGS
from inside_musicnn.network.weights import EPSILON, Weights

OPSET = 18


class Writer:
    """Nodes of a graph, one after the other; each call returns the name of its result."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def __call__(self, kind, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        names = [given if isinstance(given, str) else self.constant(given) for given in inputs]
        self.nodes.append(helper.make_node(kind, names, [name], **attributes))
        return name

    def normalized(self, values, block):
        """Batch normalisation of axis 1."""
        parameters = [block[key] for key in ("gamma", "beta", "mean", "variance")]
        return self("BatchNormalization", values, *parameters, epsilon=EPSILON)

    def save(self, file, result, name, shape):
        """Write the graph from `patches` to `name`; sizes that vary have names."""
        self.nodes.append(helper.make_node("Identity", [result], [name]))
        inputs = [helper.make_tensor_value_info("patches", TensorProto.FLOAT,
                                                ["count", "frames", BANDS])]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        graph = helper.make_graph(self.nodes, "MusiCNN", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)],
                                  ir_version=10)
        onnx.checker.check_model(model)
        onnx.save(model, file)


def axes(*numbers):
    return np.array(numbers, np.int64)


def around(kernel):
    """Frames of padding before and after, so that the output is as long as the input."""
    frames = len(kernel)
    return (frames - 1) // 2, frames - 1 - (frames - 1) // 2


def export(model, file):
    """The whole original graph: patches (n, frames, 96) to tags (n, 50)."""
    weights, write = Weights(model), Writer()
    image = write("Unsqueeze", "patches", axes(1))
    image = write.normalized(image, weights.block("input"))
    u = write("Concat", *(_family(write, image, weights.block(f"cnn_1/{name}"))
                          for name in FAMILIES), axis=1)
    one = _convolution(write, u, weights.block("cnn_2"))
    two = write("Add", _convolution(write, one, weights.block("cnn_3")), one)
    three = write("Add", _convolution(write, two, weights.block("cnn_4")), two)
    rows = write("Concat", u, one, two, three, axis=1)
    pooled = write("Concat", write("ReduceMax", rows, axes(2)),
                   write("ReduceMean", rows, axes(2)), axis=2)
    flat = write("Reshape", pooled, axes(0, -1))
    dense = write("Gemm", write.normalized(flat, weights.block("pool")),
                  *(weights.block("dense")[key] for key in ("kernel", "bias")))
    dense = write.normalized(write("Relu", dense), weights.block("dense"))
    logits = write("Gemm", dense, *(weights.block("tags")[key] for key in ("kernel", "bias")))
    write.save(file, write("Sigmoid", logits), "tags", ["count", TAGS])


def _family(write, image, block):
    """One family of CNN_1: (n, 1, frames, 96) to (n, units, frames)."""
    before, after = around(block["kernel"])
    kernel = block["kernel"].transpose(2, 0, 1)[:, None]
    values = write("Relu", write("Conv", image, kernel, block["bias"],
                                 pads=[before, 0, after, 0]))
    return write("ReduceMax", write.normalized(values, block), axes(3), keepdims=0)


def _convolution(write, rows, block):
    """CNN_2, CNN_3 or CNN_4: (n, rows, frames) to (n, 64, frames)."""
    values = write("Conv", rows, block["kernel"].transpose(2, 1, 0), block["bias"],
                   pads=[*around(block["kernel"])])
    return write.normalized(write("Relu", values), block)


def folded_families(write, folded):
    """The live rows of U before gain and offset, from patches: (n, live, frames)."""
    image, families = write("Unsqueeze", "patches", axes(1)), []
    for family in folded.families.values():
        if not len(family.live):
            continue
        before, after = around(family.kernel)
        padded = write("Pad", image, axes(0, 0, before, 0, 0, 0, after, 0),
                       np.float32(folded.silence))
        kernel = family.kernel.astype(np.float32).transpose(2, 0, 1)[:, None]
        largest = write("ReduceMax", write("Conv", padded, kernel), axes(3), keepdims=0)
        sign, bias = (values.astype(np.float32)[:, None] for values in (family.sign, family.bias))
        families.append(write("Relu", write("Add", write("Mul", largest, sign), bias)))
    return write("Concat", *families, axis=1)


def export_first_stage(model, file):
    """The folded first stage: patches to (n, live rows of U, frames), before gain and offset."""
    write = Writer()
    rows = folded_families(write, fold(Weights(model)))
    write.save(file, rows, "rows", ["count", "live", "frames"])


def export_pruned(model, file):
    """The whole folded network, live units alone: patches (n, 187, 96) to tags (n, 50)."""
    folded, write = fold(Weights(model)), Writer()
    below, dense = folded.below, folded.dense
    u = folded_families(write, folded)
    first = _folded_convolution(write, u, folded.cnn_2)
    one = write("Mul", first, _column(folded.cnn_2.gain))
    two = _sum(write, one, below[3], below[4],
               _folded_convolution(write, first, folded.cnn_3), folded.cnn_3)
    three = _sum(write, two, below[4], below["sum"],
                 _folded_convolution(write, two, folded.cnn_4), folded.cnn_4)
    series = write("Concat", u, first, two, three, axis=1)
    sign = np.where(dense.gain < 0, -1, 1)  # of falling rows the smallest value counts
    largest = write("ReduceMax", write("Mul", series, _column(sign)), axes(2), keepdims=0)
    mean = write("ReduceMean", series, axes(2), keepdims=0)
    kernel = np.concatenate([dense.kernel_max * sign[:, None], dense.kernel_mean])
    found = write("Gemm", write("Concat", largest, mean, axis=1), kernel.astype(np.float32),
                  dense.bias.astype(np.float32))
    logits = write("Gemm", write("Relu", found), dense.kernel_tags.astype(np.float32),
                   dense.bias_tags.astype(np.float32))
    write.save(file, write("Sigmoid", logits), "tags", ["count", TAGS])


def _column(values):
    """Numbers of rows, to be multiplied with (n, rows, frames)."""
    return np.asarray(values, np.float32)[:, None]


def _folded_convolution(write, rows, convolution):
    """CNN_2, CNN_3 or CNN_4 of the live units before gain and offset: (n, live, 187)."""
    kernel = convolution.kernel.astype(np.float32).transpose(2, 1, 0)
    half = len(kernel[0, 0]) // 2
    frame = np.arange(FRAMES)[:, None] + np.arange(-half, half + 1)
    inside = (frame >= 0) & (frame < FRAMES)  # at the ends some constants lie in the padding
    added = (convolution.bias + inside @ convolution.constants).T.astype(np.float32)
    found = write("Conv", rows, kernel, pads=[half, half])
    return write("Relu", write("Add", found, added))


def _sum(write, below, before, after, values, convolution):
    """What varies in the sum of a normalised output and what came before it."""
    places = np.zeros((2, len(after), max(len(before), len(convolution.live))), np.float32)
    places[0, np.searchsorted(after, before), np.arange(len(before))] = 1
    live = np.arange(len(convolution.live))
    places[1, np.searchsorted(after, convolution.live), live] = convolution.gain
    return write("Add", write("MatMul", places[0, :, : len(before)], below),
                 write("MatMul", places[1, :, : len(live)], values))


if __name__ == "__main__":
    export(sys.argv[1], sys.argv[2])
    export_first_stage(sys.argv[1], sys.argv[3])
    export_pruned(sys.argv[1], sys.argv[4])
