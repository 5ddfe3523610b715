"""The whole network in float64, every named layer, from a dB mel patch to the tags.

Written from `musicnn/models.py` and the weights alone; nothing of `inside_musicnn` computes here.
"""

from functools import cache, lru_cache

import numpy as np

from arithmetic import rounding
from arithmetic.rounding import Rounded
from inside_musicnn.network.layers import BLOCKS, FAMILIES, LAYERS
from inside_musicnn.network.weights import EPSILON, Weights

SILENT = 1e-9  # norm of a kernel that is left out where only tags are asked for
PROMISED = 1e-4  # how far what the compact network leaves out may move tags: README, chapter 17
BELOW = {  # layer -> the one below it
    "input/normalized": "input/db_mel", "cnn_2/conv": "cnn_1/out", "cnn_3/conv": "cnn_2/norm",
    "cnn_4/conv": "cnn_3/sum", "pool/max": "stage_2/out", "pool/mean": "stage_2/out",
    "pool/norm": "pool/flat", "dense/linear": "pool/norm", "tags/logits": "dense/norm",
    "tags/sigmoid": "tags/logits",
}
GIVEN = {  # block -> the layer below it, from which it can be computed alone
    "input": "input/db_mel", **{f"cnn_1/{name}": "input/normalized" for name in FAMILIES},
    "cnn_2": "cnn_1/out", "cnn_3": "cnn_2/norm", "cnn_4": "cnn_3/sum", "pool": "stage_2/out",
    "dense": "pool/norm", "tags": "dense/norm",
}


@cache
def weights_of(model):
    """Weights of every block in float64, gain and offset with all their digits."""
    weights, found = Weights(model), {}
    for name in BLOCKS:
        block = {key: values.astype(np.float64) for key, values in weights.block(name).items()}
        if "gamma" in block:
            block["gain"] = block["gamma"] / np.sqrt(block["variance"] + EPSILON)
            block["offset"] = block["beta"] - block["gain"] * block["mean"]
        found[name] = block
    return found


class Layers(dict):
    """Layers of one patch by name, each a `Rounded`, computed when it is first asked for.

    A layer that is set by hand is what the rest goes on from.

    Args:
        weights: by block, as `weights_of` gives them.
        patch: shape (frames, 96), float32.
        uncertain: how far the patch itself may be from the truth.
        least: kernels of this norm or less are left out, which widens the bounds a little.
    """

    def __init__(self, weights, patch, uncertain=0.0, least=0.0):
        super().__init__({"input/db_mel": rounding.given(patch, uncertain)})
        self.weights, self.least = weights, least
        self._maps = {}

    def __missing__(self, name):
        block, step = name.rsplit("/", 1)
        if block in ("input", "pool", "dense", "tags"):
            made = self._ends(block, step)
        elif block.startswith("cnn_1/"):
            return self._of_family(block, step)
        else:
            made = self._second_stage(block, step)
        self[name] = made
        return made

    def _ends(self, block, step):
        """Input, pooling and dense layers."""
        weights, name = self.weights[block], f"{block}/{step}"
        below = self[BELOW[name]] if name in BELOW else None
        match name:
            case "input/normalized" | "pool/norm":
                return rounding.normalise(below, weights)
            case "pool/max":
                return rounding.largest(below, 0)
            case "pool/mean":
                return rounding.mean(below, 0)
            case "pool/flat":  # in turns: maximum and mean of the first row, of the second, ...
                parts = [self[f"pool/{part}"].map(lambda values: values[:, None])
                         for part in ("max", "mean")]
                return rounding.together(parts, 1).map(np.ravel)
            case "dense/linear":
                return rounding.weighted(below, weights["kernel"])
            case "dense/bias":
                return rounding.plus(self["dense/linear"], weights["bias"])
            case "dense/relu":
                return rounding.rectify(self["dense/bias"])
            case "dense/norm":
                return rounding.normalise(self["dense/relu"], weights)
            case "tags/logits":
                return rounding.plus(rounding.weighted(below, weights["kernel"]), weights["bias"])
            case "tags/sigmoid":
                return rounding.sigmoid(below)
        raise KeyError(name)

    def _of_family(self, block, step):
        """A family of CNN_1. Its maps are large: they are kept until the maximum is asked for."""
        if self._maps.get("block") != block:
            self._maps = {"block": block}
        for name in ("conv", "bias", "relu", "norm"):
            if f"{block}/{name}" in self:  # set by hand
                self._maps[name] = self[f"{block}/{name}"]
            elif name not in self._maps:
                self._maps[name] = self._map(block, name)
        if step != "max":
            return self._maps[step]
        self[f"{block}/max"] = rounding.largest(self._maps["norm"], 1)
        self._maps = {}
        return self[f"{block}/max"]

    def _map(self, block, step):
        weights, known = self.weights[block], self._maps
        match step:
            case "conv":
                first = self.weights["input"]
                return rounding.correlate(
                    self["input/normalized"], weights["kernel"], self.least, alike=True,
                    beyond=2 * np.abs(first["offset"]).item())
            case "bias":
                return rounding.plus(known["conv"], weights["bias"])
            case "relu":
                return rounding.rectify(known["bias"])
            case "norm":
                return rounding.normalise(known["relu"], weights)

    def _second_stage(self, block, step):
        name = f"{block}/{step}"
        match name:
            case "cnn_1/out":
                return rounding.together([self[f"cnn_1/{family}/max"] for family in FAMILIES], 1)
            case "cnn_3/sum":
                return rounding.plus(self["cnn_2/norm"], self["cnn_3/norm"])
            case "cnn_4/sum":
                return rounding.plus(self["cnn_3/sum"], self["cnn_4/norm"])
            case "stage_2/out":
                return rounding.together([self[part] for part in (
                    "cnn_1/out", "cnn_2/norm", "cnn_3/sum", "cnn_4/sum")], 1)
        weights = self.weights[block]
        match step:
            case "conv":
                return rounding.correlate(self[BELOW[name]], weights["kernel"], self.least)
            case "bias":
                return rounding.plus(self[f"{block}/conv"], weights["bias"])
            case "relu":
                return rounding.rectify(self[f"{block}/bias"])
            case "norm":
                return rounding.normalise(self[f"{block}/relu"], weights)
        raise KeyError(name)


def alone(weights, block, below) -> Layers:
    """One block, given what lies below it: its bounds hold no errors of other blocks."""
    layers = Layers(weights, np.zeros((len(below), 0)))
    layers[GIVEN[block]] = rounding.given(below)
    return layers


class Truth:
    """Layers of several patches, and how far results are from them.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn", or weights by block.
        patches: float32, shape (n, frames, 96).
        uncertain: how far each value of the patches may be from the truth, the same shape.
        least: as in `Layers`.
    """

    def __init__(self, model, patches, uncertain=None, least=0.0):
        uncertain = np.zeros(np.shape(patches)) if uncertain is None else uncertain
        weights = weights_of(model) if isinstance(model, str) else model
        self.patches = [Layers(weights, patch, error, least)
                        for patch, error in zip(patches, uncertain, strict=True)]

    def __getitem__(self, layer) -> Rounded:
        """One layer of all patches, patch axis first."""
        parts = [patch[layer].map(lambda values: values[None]) for patch in self.patches]
        return rounding.together(parts, 0)

    def ratio(self, layer, found):
        """The largest error of `found` as a part of the bound: above 1 it is wrong."""
        return largest_ratio(found, self[layer])

    def ratio_of_two(self, layer, found, other):
        """The same for two results in float32, which are apart by at most both their bounds."""
        truth = self[layer]
        return largest_ratio(found, Rounded(np.asarray(other, np.float64), truth.size,
                                            2 * truth.error))


def largest_ratio(found, truth):
    """The largest |found - truth| as a part of the bound; 0 where both are 0."""
    assert np.shape(found) == truth.value.shape, (np.shape(found), truth.value.shape)
    error = np.abs(np.asarray(found, np.float64) - truth.value)
    assert np.isfinite(error).all()
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(error == 0, 0.0, error / truth.bound), initial=0.0))


@lru_cache(maxsize=64)
def _remembered(model, content, shape, least):
    return Truth(model, np.frombuffer(content, np.float32).reshape(shape), least=least)


def truth_of(model, patches, least=0.0) -> Truth:
    """`Truth`, computed once for the same patches."""
    patches = np.ascontiguousarray(patches, np.float32)
    return _remembered(model, patches.tobytes(), patches.shape, least)


def pruned(model, threshold):
    """Weights with every kernel of this norm or less set to zero: the compact network's."""
    weights = dict(weights_of(model))
    for name, block in weights.items():
        if "kernel" in block and name != "tags":
            axes = tuple(range(block["kernel"].ndim - 1))
            loud = np.sqrt((block["kernel"] ** 2).sum(axes)) > threshold
            weights[name] = block | {"kernel": block["kernel"] * loud}
    return weights


class ExactNet:
    """The network in float64 with the calls of `MusiCNN` that chapters and decompositions need."""

    def __init__(self, model):
        weights = Weights(model)
        self.name, self.labels = model, weights.labels

    def weights(self, block):
        return weights_of(self.name)[block]

    def activations(self, patches, layers, replace=None):
        names = [layers] if isinstance(layers, str) else list(layers)
        assert set(names) <= set(LAYERS)
        results = {name: [] for name in names}
        for number, patch in enumerate(patches):
            found = Layers(weights_of(self.name), patch, least=SILENT)
            for name, values in (replace or {}).items():
                found[name] = rounding.given(values[number if len(values) > 1 else 0])
            for name in names:
                results[name].append(found[name].value)
        return {name: np.array(values) for name, values in results.items()}
