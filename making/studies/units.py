"""What every live unit does on music: how it is active, what it adds to the tags, and what the
tags are without it.

For all rows of time series from U to the last sum and for the dense units, on every sampled patch:
how their values are distributed, beside the values of the same weights dealt to other places of
the kernel (of a sum: of its parts' kernels). On six patches the exact contributions to the 50
logits, against the means that the network remembers; on two of these the change of the logits when
the unit alone is held at that mean and the network goes on. For an excerpt also the moments at
which each unit is highest and lowest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from helpers.evidence.corpus import EXCERPT
from inside_musicnn.network.above_u import AboveU, Patch, correlate
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.folding import OverBands
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.live_layers import CONVOLUTIONS, LiveLayer, live_layers
from inside_musicnn.network.weights import Weights
from making.studies.subject import Subject

EDGES = np.array([-64, -32, -16, -8, -6, -4, -3, -2, -1.5, -1, -.75, -.5, -.25, 0, .25, .5, .75,
                  1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128])
CREDITED, HELD = 6, 2  # patches of a recording
MOST = 24  # patches of a recording
TOGETHER = 4  # patches
EVERY = 8  # of the excerpts: rows that stay in the study's table; the atlas has what is in the rest

MEANINGS = {
    "counts": "how many frames (of dense units: patches) have a value in each of 33 classes, whose "
              "edges are EDGES, (units, 33)",
    "counts_dealt": "the same with each kernel's weights dealt to other places, (units, 33)",
    "square": "mean square over frames and patches, (units,)",
    "mean": "mean over the frames of each patch, not a number where there is no patch, (units, 24)",
    "largest": "maximum over the frames of each patch, likewise, (units, 24)",
    "contribution": "mean exact contribution to each logit, (units, 50)",
    "held": "mean change of each logit when the unit is held at its remembered mean, (units, 50)",
    "highest": "the largest value of all patches, (units,)",
    "highest_at": "its frame, counted through all patches, (units,)",
    "highest_place": "for units of CNN_1 the lower edge of the kernel there, in mel bands; for "
                     "others -1, (units,)",
    "lowest": "the smallest value, (units,)",
    "lowest_at": "its frame, (units,)",
    "random": "the value in a frame drawn by lot, (units,)",
    "random_at": "that frame, (units,)",
}
DTYPES = {name: "float16" for name in MEANINGS} | {
    "counts": "uint16", "counts_dealt": "uint16", "highest_at": "int16", "highest_place": "int8",
    "lowest_at": "int16", "random_at": "int16"}


def keeps(rows: Sequence[Any]) -> list[Any]:
    """Every eighth excerpt."""
    return [row for row in rows if row.group == EXCERPT][::EVERY]


def measure(subject: Subject) -> dict[str, np.ndarray]:
    """One recording: see MEANINGS. Units stand layer after layer, as in `inside`."""
    tools = _tools(subject.model)
    count = len(subject.patches)
    drawn = subject.random.integers(FRAMES, size=count)
    parts = [_active(tools, subject.patches[first : first + TOGETHER],
                     drawn[first : first + TOGETHER]) for first in range(0, count, TOGETHER)]
    units = np.arange(len(tools.of_dense))
    found: dict[str, np.ndarray] = {
        name: sum(part[name] for part in parts) for name in ("counts", "counts_dealt", "square")}
    found["square"] = found["square"] / count
    for name in ("mean", "largest"):
        found[name] = np.full((len(units), MOST), np.nan)
        found[name][:, :count] = np.concatenate([part[name] for part in parts], axis=1)
    for name in ("highest", "lowest", "random"):
        values, at = (np.concatenate([part[key] for part in parts], axis=1)
                      for key in (name, f"{name}_at"))
        patch = {"highest": values.argmax(axis=1), "lowest": values.argmin(axis=1),
                 "random": np.full(len(units), subject.random.integers(count))}[name]
        found[name] = values[units, patch]
        found[f"{name}_at"] = patch * FRAMES + at[units, patch]
        if name == "highest":
            places = np.concatenate([part["highest_place"] for part in parts], axis=1)
            found["highest_place"] = np.full(len(units), -1)
            found["highest_place"][: len(places)] = places[units[: len(places)],
                                                           patch[: len(places)]]
    chosen = np.linspace(0, count - 1, min(CREDITED, count)).round().astype(int)
    varying = tools.above.first_stage(subject.patches[chosen])
    patches = [Patch(tools.above, varying[:, number]) for number in range(len(chosen))]
    found["contribution"] = np.mean([contributions(tools, patch) for patch in patches], axis=0)
    held = patches[:: max(1, len(patches) // HELD)][:HELD]
    found["held"] = np.mean([changes_without(tools, patch) for patch in held], axis=0)
    return found


@dataclass(frozen=True, eq=False)
class Tools:
    """One network, prepared.

    Attributes:
        engine, above: the compact network, and what is above U of it.
        layers: the live layers of time series.
        dealt_families, dealt_kernels, dealt_dense: weights of CNN_1, of CNN_2 to 4 and of the
            dense layer, dealt to other places.
    """

    engine: Compact
    above: AboveU
    layers: dict[str, LiveLayer]
    dealt_families: dict[str, OverBands]
    dealt_kernels: dict[str, np.ndarray]
    dealt_dense: np.ndarray
    weights: Weights

    @cached_property
    def of_dense(self) -> np.ndarray:
        """For each unit of the study, whether it is one of the dense layer, (units,)."""
        rows = sum(len(layer.live) for layer in self.layers.values())
        return np.arange(rows + len(self.engine.folded.dense.live)) >= rows


@cache
def _tools(model: str) -> Tools:
    weights = Weights(model)
    above, engine = AboveU(weights), Compact(weights, threads=1)
    folded = engine.folded
    layers = live_layers(folded, weights.block("pool")["mean"])
    random = np.random.default_rng(0)
    families = {name: replace(family, kernel=dealt(family.kernel, random))
                for name, family in folded.families.items()}
    kernels = {name: dealt(getattr(folded, name.split("/")[0]).kernel, random).astype(np.float32)
               for name in CONVOLUTIONS}
    return Tools(engine, above, layers, families, kernels,
                 _dealt_dense(weights, engine, random), weights)


def dealt(kernel: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each unit's weights in other places of its kernel: the same sum, the same norm."""
    flat = kernel.reshape(-1, kernel.shape[-1])
    return random.permuted(flat, axis=0).reshape(kernel.shape)


def _dealt_dense(weights: Weights, engine: Compact, random: np.random.Generator) -> np.ndarray:
    """Weights of the live dense units for the normalised pooled values, dealt among the inputs
    that vary, (1506, live)."""
    dense = engine.folded.dense
    inputs = np.sort(np.r_[2 * dense.rows, 2 * dense.rows + 1])
    kernel = weights.block("dense")["kernel"][:, dense.live].astype(np.float64)
    kernel[inputs] = random.permuted(kernel[inputs], axis=0)
    return kernel


def inside(model: str) -> dict[str, np.ndarray]:
    """Numbers of the units of each layer of the study, in its order."""
    tools = _tools(model)
    return {name: layer.live for name, layer in tools.layers.items()} | {
        "dense/norm": tools.engine.folded.dense.live}


def _active(tools: Tools, patches: np.ndarray, drawn: np.ndarray) -> dict[str, np.ndarray]:
    """What is counted and found on a few patches; `drawn` is a frame for each."""
    engine = tools.engine
    varying: dict[str, np.ndarray] = {}

    def seen(name: str, values: np.ndarray) -> np.ndarray:
        varying[name] = values
        return values

    winners = [engine.winners(name, patches) for name in engine.folded.families]
    varying["cnn_1/out"] = np.concatenate([values for values, _ in winners])
    largest, mean = engine.pooled(engine.second_stage(varying["cnn_1/out"], seen))
    null = _dealt_values(tools, patches, varying)
    kept: dict[str, list[np.ndarray]] = {}

    def keep(values: np.ndarray, other: np.ndarray) -> None:
        """Values of a layer, (units, patches, frames)."""
        at = np.minimum(drawn, values.shape[2] - 1)[None] + np.zeros((len(values), 1), int)
        new = {"counts": classes(values.reshape(len(values), -1)),
               "counts_dealt": classes(other.reshape(len(other), -1)),
               "square": (values.astype(np.float64)**2).mean(axis=2).sum(axis=1),
               "mean": values.mean(axis=2), "largest": values.max(axis=2),
               "highest": values.max(axis=2), "highest_at": values.argmax(axis=2),
               "lowest": values.min(axis=2), "lowest_at": values.argmin(axis=2),
               "random": np.take_along_axis(values, at[..., None], axis=2)[..., 0],
               "random_at": at}
        for name, array in new.items():
            kept.setdefault(name, []).append(array)

    for name, layer in tools.layers.items():
        keep(layer.values(varying[name]), layer.values(null[name]))
    found = engine.final(largest, mean, ["pool/norm", "dense/norm"])
    live = engine.folded.dense.live
    keep(found["dense/norm"].T[live, :, None], null_dense(tools, found["pool/norm"])[:, :, None])
    rows = {name: np.concatenate(values) for name, values in kept.items()}
    places = np.concatenate([where for _, where in winners])
    at = rows["highest_at"][: len(places)]
    return rows | {"highest_place": np.take_along_axis(places, at[..., None], axis=2)[..., 0]}


def _dealt_values(tools: Tools, patches: np.ndarray, varying: dict[str, np.ndarray]
                  ) -> dict[str, np.ndarray]:
    """What varies in each layer with its weights dealt anew, above the true layers below."""
    engine, folded = tools.engine, tools.engine.folded
    null = {"cnn_1/out": np.concatenate([engine.family(name, patches, family)
                                         for name, family in tools.dealt_families.items()])}
    for name, below in zip(CONVOLUTIONS, ("cnn_1/out", "cnn_2/norm", "cnn_3/sum"), strict=True):
        z = correlate(varying[below], tools.dealt_kernels[name])
        null[name] = np.maximum(z + tools.above.added(int(name[4]), FRAMES), 0)
    one = null["cnn_2/norm"] * folded.cnn_2.gain[:, None, None]
    null["cnn_3/sum"] = _added(folded.below[4], (folded.cnn_2.live, one), (
        folded.cnn_3.live, null["cnn_3/norm"] * folded.cnn_3.gain[:, None, None]))
    null["cnn_4/sum"] = _added(folded.below["sum"], (folded.below[4], null["cnn_3/sum"]), (
        folded.cnn_4.live, null["cnn_4/norm"] * folded.cnn_4.gain[:, None, None]))
    return null


def _added(rows: np.ndarray, *parts: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The sum of some rows, each part with the numbers of its own."""
    total = np.zeros((len(rows), *parts[0][1].shape[1:]))
    for numbers, values in parts:
        total[np.searchsorted(rows, numbers)] += values
    return total


def null_dense(tools: Tools, pooled: np.ndarray) -> np.ndarray:
    """Live dense units with weights dealt anew, normalised, (live, patches)."""
    dense, live = tools.weights.block("dense"), tools.engine.folded.dense.live
    values = np.maximum(pooled @ tools.dealt_dense + dense["bias"][live], 0)
    return (values * dense["gain"][live] + dense["offset"][live]).T


def classes(rows: np.ndarray) -> np.ndarray:
    """How many values of each row lie between neighbouring edges, (rows, 33)."""
    numbers = np.searchsorted(EDGES, rows, side="right") + (len(EDGES) + 1) * np.arange(
        len(rows))[:, None]
    size = len(rows) * (len(EDGES) + 1)
    return np.bincount(numbers.ravel(), minlength=size).reshape(len(rows), -1)


def contributions(tools: Tools, patch: Patch) -> np.ndarray:
    """Exact contributions of one patch's units to the logits, (units, 50).

    Each layer's contributions, with those of the ways that pass it by, and a constant, are the
    logits: of U alone; of CNN_2 or the first sum, with U's own maxima and means (and those of
    CNN_2); of the dense units alone.
    """
    above, layers = tools.above, tools.layers
    slopes = above.slopes_by_layer(patch.choices, patch.frames)
    first, two, three = (part[:, 0] for part in patch.parts)
    second, third = (_inputs_of_sum(above, number, patch) for number in (3, 4))
    found = [patch.gradient_x_input().T]
    for name, slope, values in (("cnn_2/norm", slopes.cnn_2, first),
                                ("cnn_3/norm", slopes.cnn_3, second),
                                ("cnn_4/norm", slopes.cnn_4, third),
                                ("cnn_3/sum", slopes.sum_3, two),
                                ("cnn_4/sum", slopes.sum_4, three)):
        away = values - layers[name].usual_varying[:, None]
        found.append(np.einsum("utf,uf->ut", slope, away.astype(np.float32)))
    return np.concatenate([*found, of_dense_units(tools, patch)])


def _inputs_of_sum(above: AboveU, number: int, patch: Patch) -> np.ndarray:
    """What passes the ReLU of CNN_3 or CNN_4, (live, frames)."""
    first, two, _ = patch.parts
    return above.passed(number, first if number == 3 else two)[:, 0]


def of_dense_units(tools: Tools, patch: Patch) -> np.ndarray:
    """Contributions of the live dense units against their remembered means, (live, 50)."""
    dense = tools.engine.folded.dense
    tops = np.concatenate([patch.largest, *(_tops(tools, patch))])
    means = np.concatenate([patch.mean, *(part[:, 0].mean(axis=1) for part in patch.parts)])
    bias = tops @ dense.kernel_max + means @ dense.kernel_mean + dense.bias
    usual = tools.weights.block("dense")["mean"][dense.live]
    return (np.maximum(bias, 0) - usual)[:, None] * dense.kernel_tags


def _tops(tools: Tools, patch: Patch) -> list[np.ndarray]:
    return [np.take_along_axis(part[:, 0], frame, axis=1)[:, 0]
            for part, frame in zip(patch.parts, patch.choices.frame, strict=True)]


def changes_without(tools: Tools, patch: Patch) -> np.ndarray:
    """By how much the logits change when each unit alone is held at its mean, (units, 50)."""
    engine = tools.engine
    u = patch.varying[:, None]
    found = [patch.changes(np.eye(len(u), dtype=bool))]
    for name in ("cnn_2/norm", "cnn_3/norm", "cnn_4/norm", "cnn_3/sum", "cnn_4/sum"):
        layer = tools.layers[name]
        units = np.arange(len(layer.live))

        def held(here: str, values: np.ndarray, name: str = name, units: np.ndarray = units,
                 usual: np.ndarray = layer.usual_varying) -> np.ndarray:
            if here != name:
                return values
            values = values.copy()
            values[units, units] = usual[:, None]
            return values

        series = engine.second_stage(np.repeat(u, len(units), axis=1), held)
        logits = engine.final(*engine.pooled(series), ["tags/logits"])["tags/logits"]
        found.append(logits - patch.logits)
    return np.concatenate([*found, -of_dense_units(tools, patch)])

