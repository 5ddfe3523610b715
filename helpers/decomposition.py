"""A tag's logit as an exact sum: of pooled series, of structures and moments, of input bins.

With the choices that the network made on one patch held fixed (which ReLUs are on, which position
and which frame win each maximum), everything else in it is multiplication and addition. So each
logit is an affine function of any layer below. Explained in chapter 15.
"""

from dataclasses import dataclass, field

import numpy as np

from helpers.errors import BookError
from helpers.layers import FAMILIES, SERIES, UNITS
from helpers.network import family_slices
from helpers.units import live_units

_NEEDED = ("cnn_1/out", "cnn_2/relu", "cnn_3/relu", "cnn_4/relu", "stage_2/out", "pool/flat",
           "dense/relu", "tags/logits")
_MAPS = ("input/normalized", *(f"cnn_1/{name}/relu" for name in FAMILIES))


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
            (n, frames, 561).
        bins: of each frame and band of the input, relative to normalised zero, (n, frames, 96);
            None if not asked for.
        constants: what does not depend on that level, by its name, each of shape (n,).
        slopes: by how much the logit rises per unit of pooled value, U, or normalised input, by
            name, shaped as the contributions.
    """

    tags: tuple
    logit: np.ndarray
    series: np.ndarray = field(repr=False)
    structures: np.ndarray = field(repr=False)
    bins: np.ndarray | None = field(repr=False)
    constants: dict = field(repr=False)
    slopes: dict = field(repr=False)

    def total(self, level):
        """Contributions plus constant at "series", "structures" or "bins", shape (n,)."""
        return getattr(self, level).sum(axis=(1, 2)) + self.constants[level]


def decompose(net, patch, tags=None, bins=True):
    """The exact decomposition of logits for one patch.

    Args:
        net: a MusiCNN.
        patch: dB mel spectrogram, shape (frames, 96).
        tags: names of tags, or one name; all 50 if None.
        bins: whether to go down to the input. It needs the maps of CNN_1, the slowest part.

    Returns:
        Decomposition.

    Raises:
        BookError: a tag that the network does not have, or a patch of another shape.
    """
    names = net.labels if tags is None else [tags] if isinstance(tags, str) else list(tags)
    for name in names:
        if name not in net.labels:
            raise BookError(f"{net.name} has no tag '{name}'; choose from {', '.join(net.labels)}.")
    if np.ndim(patch) != 2:
        raise BookError(f"The patch has shape {np.shape(patch)}; it must be (frames, 96).")
    found = net.activations(np.asarray(patch)[None], [*_NEEDED, *(_MAPS if bins else ())])
    acts = {name: values[0] for name, values in found.items()}

    slope, constant = _final_stage(net, acts, [net.labels.index(name) for name in names])
    pooled = acts["pool/flat"].reshape(SERIES, 2).astype(np.float64)
    usual = _wide(net, "pool")["mean"].reshape(SERIES, 2)
    slopes, constants, parts = {}, {}, {"bins": None}

    def write(level, slope, values, reference, constant):
        slopes[level] = slope
        parts[level] = slope * (values - reference)
        constants[level] = constant + (slope * reference).sum(axis=(1, 2))

    write("series", slope, pooled, usual, constant)
    slope, constant = _second_stage(net, acts, slope, constant)
    u = acts["cnn_1/out"].astype(np.float64)
    write("structures", slope, u, usual[: u.shape[1], 1], constant)
    if bins:
        slope, constant = _first_stage(net, acts, slope, constant)
        write("bins", slope, acts["input/normalized"].astype(np.float64), 0.0, constant)
    logit = acts["tags/logits"][[net.labels.index(name) for name in names]].astype(np.float64)
    return Decomposition(tuple(names), logit, parts["series"], parts["structures"], parts["bins"],
                         constants, slopes)


def remembered_means(net):
    """The mean of each row of U over the training music, shape (561,).

    The normalisation of the pooled values has kept the mean of each series' mean over time.
    """
    return _wide(net, "pool")["mean"][1::2][: family_slices()["temporal_32"].stop]


def _wide(net, block):
    return {name: values.astype(np.float64) for name, values in net.weights(block).items()}


def _final_stage(net, acts, tags):
    """Slopes of the pooled values, (n, 753, 2), and what is left for zero pooled values, (n,)."""
    top, dense, pool = (_wide(net, block) for block in ("tags", "dense", "pool"))
    kernel = top["kernel"][:, tags]
    constant = top["bias"][tags] + dense["offset"] @ kernel
    slope = kernel.T * dense["gain"] * (acts["dense/relu"] > 0)
    constant = constant + slope @ dense["bias"]
    slope = slope @ dense["kernel"].T
    constant = constant + slope @ pool["offset"]
    return (slope * pool["gain"]).reshape(len(tags), SERIES, 2), constant


def _second_stage(net, acts, slope, constant):
    """From pooled values to U: slopes (n, frames, 561) and constant (n,)."""
    out = acts["stage_2/out"]
    frames, rows = len(out), acts["cnn_1/out"].shape[1]
    series = np.repeat(slope[:, None, :, 1] / frames, frames, axis=1)
    series[:, out.argmax(axis=0), np.arange(SERIES)] += slope[:, :, 0]
    u, first, two, three = np.split(series, [rows, rows + UNITS, rows + 2 * UNITS], axis=2)
    sums = {4: three, 3: two + three, 2: first + two + three}  # V-hat n - 1 is in these series
    for number in (4, 3, 2):
        block = _wide(net, f"cnn_{number}")
        slope = sums[number] * block["gain"] * (acts[f"cnn_{number}/relu"] > 0)
        constant = constant + (sums[number] @ block["offset"] + slope @ block["bias"]).sum(axis=1)
        below = _back_in_time(slope, block["kernel"])
        if number == 4:  # its input is the sum of V-hat 1 and V-hat 2
            sums[3] = sums[3] + below
        if number > 2:
            sums[2] = sums[2] + below
    return u + below, constant


def _back_in_time(slope, kernel):
    """Slopes below a convolution over time with zeros beyond the patch.

    Args:
        slope: of its outputs, shape (n, frames, units).
        kernel: shape (7, rows, units).

    Returns:
        shape (n, frames, rows).
    """
    count, frames, units = slope.shape
    length = len(kernel)
    before = (length - 1) // 2
    padded = np.zeros((count, frames + length - 1, units))
    padded[:, length - 1 - before : length - 1 - before + frames] = slope
    # the input at frame s meets weight k in the output at frame s + before - k
    views = [padded[:, length - 1 - k : length - 1 - k + frames] for k in range(length)]
    flat = kernel.transpose(0, 2, 1).reshape(length * units, -1)
    return np.concatenate(views, axis=2) @ flat


def _first_stage(net, acts, slope, constant):
    """From U to the normalised input: slopes (n, frames, 96) and constant (n,).

    Rows of dead units go into the constant with the value that they have.
    """
    u = acts["cnn_1/out"].astype(np.float64)
    count, frames, _ = slope.shape
    below = np.zeros((count, frames, acts["input/normalized"].shape[1]))
    for name, rows in family_slices().items():
        block, live = _wide(net, f"cnn_1/{name}"), live_units(net, f"cnn_1/{name}")
        dead = np.setdiff1d(np.arange(rows.start, rows.stop), live + rows.start)
        constant = constant + np.einsum("ntr,tr->n", slope[..., dead], u[:, dead])
        gain = block["gain"][live]
        maps = acts[f"cnn_1/{name}/relu"][:, :, live]  # (frames, positions, units)
        place = np.where(gain > 0, maps.argmax(axis=1), maps.argmin(axis=1))
        on = np.take_along_axis(maps, place[:, None], axis=1)[:, 0] > 0
        above = slope[..., live + rows.start]
        through = above * gain * on
        constant = constant + (above @ block["offset"][live] + through @ block["bias"][live]).sum(1)
        scatter = _scatter_long if name.startswith("temporal") else _scatter_tall
        for column, unit in enumerate(live):
            scatter(below, through[..., column], place[:, column], block["kernel"][..., unit])
    return below, constant


def _scatter_tall(below, through, place, kernel):
    """Add a timbral unit's kernel to `below`, once per frame, at the winning position."""
    length, bands = kernel.shape
    frames = np.flatnonzero(through.any(axis=0))
    columns = place[frames][:, None] + np.arange(bands)
    for k in range(length):
        target = frames + k - (length - 1) // 2
        inside = (target >= 0) & (target < below.shape[1])
        below[:, target[inside][:, None], columns[inside]] += (
            through[:, frames[inside], None] * kernel[k])


def _scatter_long(below, through, place, kernel):
    """The same for a temporal unit, whose kernel is one band high and many frames long."""
    length, frames = len(kernel), below.shape[1]
    # the output at frame t meets the input at frame s with weight k = s - t + before
    k = np.arange(frames)[:, None] - np.arange(frames) + (length - 1) // 2
    shifted = np.where((k >= 0) & (k < length), kernel[np.clip(k, 0, length - 1), 0], 0.0)
    for band in np.unique(place[through.any(axis=0)]):
        won = place == band
        below[:, :, band] += through[:, won] @ shifted[:, won].T
