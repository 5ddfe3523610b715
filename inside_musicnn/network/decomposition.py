"""A tag's logit as an exact sum: of pooled series, of structures and moments, of input bins.

With the choices that the network made on one patch held fixed (which ReLUs are on, which position
and which frame win each maximum), everything else in it is multiplication and addition. So each
logit is an affine function of any layer below. Explained in chapter 15.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FAMILIES, ROWS, SERIES
from inside_musicnn.network.musicnn import MusiCNN
from inside_musicnn.network.slopes import (
    Tensors,
    above_u,
    final_stage,
    first_stage,
    float64_weights,
    second_stage,
    through_cnn_2,
    winners,
)
from inside_musicnn.network.units import HasWeights
from inside_musicnn.network.whole_shapes import InWholeShapes

LEVELS = ("series", "structures", "bins")  # from the tags downwards

_NEEDED = ("cnn_1/out", "cnn_2/relu", "cnn_3/relu", "cnn_4/relu", "stage_2/out", "pool/flat",
           "dense/relu", "tags/logits")
_MAPS = ("input/normalized", *(f"cnn_1/{name}/relu" for name in FAMILIES))
Looked = tuple[HasWeights, Tensors, dict[str, tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class Decomposition:
    """Three ways to write the logits of `tags` for one patch as a sum; all arrays float64.

    At each level, contribution = slope x (value - reference), and the contributions of a tag plus
    its constant are its logit (`total`).

    Attributes:
        tags: names of the tags, n of them.
        logit: as the network computed them, shape (n,).
        series: contributions of the maximum and the mean of each series that leaves the second
            stage, relative to the means that the pooled normalisation remembers, (n, 753, 2).
        structures: of each frame and row of U, relative to the row's remembered mean,
            (n, frames, 561); None if not asked for.
        bins: of each frame and band of the input, relative to normalised zero, (n, frames, 96);
            None if not asked for.
        constants: what does not depend on that level, by its name, each of shape (n,).
        slopes: by how much the logit rises per unit of pooled value, U, or normalised input, by
            name, shaped as the contributions.
    """

    tags: tuple[str, ...]
    logit: np.ndarray
    series: np.ndarray = field(repr=False)
    structures: np.ndarray | None = field(repr=False)
    bins: np.ndarray | None = field(repr=False)
    constants: dict[str, np.ndarray] = field(repr=False)
    slopes: dict[str, np.ndarray] = field(repr=False)

    def total(self, level: str) -> np.ndarray:
        """Contributions plus constant at "series", "structures" or "bins", shape (n,)."""
        return getattr(self, level).sum(axis=(1, 2)) + self.constants[level]


def decompose(net: MusiCNN, patch: np.ndarray, tags: str | Sequence[str] | None = None,
              down_to: str = "bins") -> Decomposition:
    """The exact decomposition of logits for one patch.

    Args:
        net: a MusiCNN. Of the compact one, rows of units that do not live are part of the
            constants, and contribute nothing.
        patch: dB mel spectrogram, shape (frames, 96).
        tags: names of tags, or one name; all 50 if None.
        down_to: "series", "structures" or "bins"; each further level costs more. For the bins the
            maps of CNN_1 are needed, the slowest part.

    Returns:
        Decomposition.

    Raises:
        InputError: a tag that the network does not have, another level, a patch of another shape.
    """
    if down_to not in LEVELS:
        raise InputError(f"There is no level '{down_to}'; choose one of {', '.join(LEVELS)}.")
    names = net.labels if tags is None else [tags] if isinstance(tags, str) else list(tags)
    for name in names:
        check_tag(net, name)
    if np.ndim(patch) != 2:
        raise InputError(f"The patch has shape {np.shape(patch)}; it must be (frames, 96).")
    compact = isinstance(net, MusiCNN) and net.compact
    look = _look_at_compact if compact else _look_at_original
    weights, acts, won = look(net, np.asarray(patch)[None], down_to == "bins")
    numbers = [net.labels.index(name) for name in names]

    slope, constant = final_stage(weights, acts, numbers)
    pooled = acts["pool/flat"].reshape(SERIES, 2).astype(np.float64)
    usual = float64_weights(net, "pool")["mean"].reshape(SERIES, 2)
    slopes: dict[str, np.ndarray] = {}
    constants: dict[str, np.ndarray] = {}
    parts: dict[str, np.ndarray] = {}

    def write(level: str, slope: np.ndarray, values: np.ndarray, reference: np.ndarray | float,
              constant: np.ndarray) -> None:
        slopes[level] = slope
        parts[level] = slope * (values - reference)
        constants[level] = constant + (slope * reference).sum(axis=(1, 2))

    write("series", slope, pooled, usual, constant)
    if down_to != "series":
        slope, constant = second_stage(weights, acts, slope, constant)
        u = acts["cnn_1/out"].astype(np.float64)
        write("structures", slope, u, usual[:ROWS, 1], constant)
    if down_to == "bins":
        slope, constant = first_stage(weights, acts, won, slope, constant)
        write("bins", slope, acts["input/normalized"].astype(np.float64), 0.0, constant)
    logit = acts["tags/logits"][numbers].astype(np.float64)
    return Decomposition(tuple(names), logit, parts["series"], parts.get("structures"),
                         parts.get("bins"), constants, slopes)


def check_tag(net: MusiCNN, tag: str) -> None:
    """Raise InputError if the network does not have a tag."""
    if tag not in net.labels:
        raise InputError(f"{net.name} has no tag '{tag}'; choose from {', '.join(net.labels)}.")


def _look_at_original(net: MusiCNN, patch: np.ndarray, with_maps: bool) -> Looked:
    """Weights, tensors of one patch, and where the maxima over frequency were found."""
    found = net.activations(patch, [*_NEEDED, *(_MAPS if with_maps else ())])
    acts = {name: values[0] for name, values in found.items()}
    return net, acts, winners(net, acts) if with_maps else {}


def _look_at_compact(net: MusiCNN, patch: np.ndarray, with_maps: bool) -> Looked:
    """The same of the compact network."""
    engine = net.engine
    acts = {name: values[0] for name, values in net.activations(patch, _NEEDED).items()}
    won = {}
    if with_maps:
        entry = engine.kept.block("input")
        acts["input/normalized"] = patch[0] * entry["gain"] + entry["offset"]
        for name in FAMILIES:
            values, places = engine.winners(name, patch)
            won[name] = places[:, 0].T.astype(int), values[:, 0].T > 0
    return InWholeShapes(engine.kept, patch.shape[1]), acts, won


def sums_over_time(net: MusiCNN, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Contributions of the series, and of the structures summed over time, for all 50 tags.

    The same as `decompose(...).series` and `decompose(...).structures.sum(axis=1)` for each patch,
    without the large tensors in between.

    Args:
        net: a MusiCNN.
        patches: dB mel spectrograms, shape (n, frames, 96).

    Returns:
        series, shape (n, 50, 753, 2), and structures, shape (n, 50, 561).
    """
    found = net.activations(patches, _NEEDED)
    usual = float64_weights(net, "pool")["mean"].reshape(SERIES, 2)
    all_series, all_structures = [], []
    for number in range(len(patches)):
        acts = {name: values[number] for name, values in found.items()}
        slope, constant = final_stage(net, acts, range(len(net.labels)))
        series = slope * (acts["pool/flat"].reshape(SERIES, 2).astype(np.float64) - usual)
        above, _ = above_u(net, acts, slope, constant)
        differences = acts["cnn_1/out"].astype(np.float64) - usual[:ROWS, 1]
        u_itself = slope[:, :ROWS, 0] * differences.max(axis=0)
        u_itself += slope[:, :ROWS, 1] * differences.mean(axis=0)
        all_series.append(series)
        all_structures.append(u_itself + through_cnn_2(net, above, differences))
    return np.array(all_series), np.array(all_structures)


def remembered_means(net: MusiCNN) -> np.ndarray:
    """The mean of each row of U over the training music, shape (561,).

    The normalisation of the pooled values has kept the mean of each series' mean over time.
    """
    return float64_weights(net, "pool")["mean"][1::2][:ROWS]
