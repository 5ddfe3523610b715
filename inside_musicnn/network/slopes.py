"""Slopes of the logits, layer by layer from the tags down to the input.

With the choices of one patch held fixed, each layer is a product with its weights; the slopes go
back through the transposed ones. Used by `decomposition`; explained in chapter 15.
In all functions `acts` are the tensors of one patch, without the patch axis.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from inside_musicnn.network.layers import FAMILIES, ROWS, SERIES, UNITS, family_slices
from inside_musicnn.network.units import HasWeights, live_units

Tensors = Mapping[str, np.ndarray]  # of one patch, by layer


def float64_weights(net: HasWeights, block: str) -> dict[str, np.ndarray]:
    """The weights of a block in float64."""
    return {name: values.astype(np.float64) for name, values in net.weights(block).items()}


def final_stage(net: HasWeights, acts: Tensors, tags: Sequence[int]
                ) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of the pooled values, (n, 753, 2), and what is left for zero pooled values, (n,)."""
    top, dense, pool = (float64_weights(net, block) for block in ("tags", "dense", "pool"))
    kernel = top["kernel"][:, tags]
    constant = top["bias"][tags] + dense["offset"] @ kernel
    slope = kernel.T * dense["gain"] * (acts["dense/relu"] > 0)
    constant = constant + slope @ dense["bias"]
    slope = slope @ dense["kernel"].T
    constant = constant + slope @ pool["offset"]
    return (slope * pool["gain"]).reshape(len(tags), SERIES, 2), constant


def second_stage(net: HasWeights, acts: Tensors, slope: np.ndarray, constant: np.ndarray
                 ) -> tuple[np.ndarray, np.ndarray]:
    """From pooled values to U: slopes (n, frames, 561) and constant (n,)."""
    above, constant = above_u(net, acts, slope, constant)
    below = _back_in_time(above, float64_weights(net, "cnn_2")["kernel"])
    u, frames = acts["cnn_1/out"], len(acts["cnn_1/out"])
    below += slope[:, None, :ROWS, 1] / frames
    below[:, u.argmax(axis=0), np.arange(ROWS)] += slope[:, :ROWS, 0]
    return below, constant


def above_u(net: HasWeights, acts: Tensors, slope: np.ndarray, constant: np.ndarray
            ) -> tuple[np.ndarray, np.ndarray]:
    """From pooled values to CNN_2 before its bias: slopes (n, frames, 64) and constant (n,)."""
    out, rows = acts["stage_2/out"][:, ROWS:], slope[:, ROWS:]
    frames, count = out.shape
    series = np.repeat(rows[:, None, :, 1] / frames, frames, axis=1)
    series[:, out.argmax(axis=0), np.arange(count)] += rows[:, :, 0]
    first, two, three = np.split(series, [UNITS, 2 * UNITS], axis=2)
    sums = {4: three, 3: two + three, 2: first + two + three}  # V-hat n - 1 is in these series
    for number in (4, 3):
        slope, constant = _before_bias(net, acts, number, sums[number], constant)
        below = _back_in_time(slope, float64_weights(net, f"cnn_{number}")["kernel"])
        if number == 4:  # its input is the sum of V-hat 1 and V-hat 2
            sums[3] = sums[3] + below
        sums[2] = sums[2] + below
    return _before_bias(net, acts, 2, sums[2], constant)


def _before_bias(net: HasWeights, acts: Tensors, number: int, slope: np.ndarray,
                 constant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From a normalised output of the second stage down to the convolution before its bias."""
    block = float64_weights(net, f"cnn_{number}")
    below = slope * block["gain"] * (acts[f"cnn_{number}/relu"] > 0)
    # The bias of folded weights has a row for each frame.
    bias = np.broadcast_to(block["bias"], below.shape[1:]).ravel()
    return below, (constant + (slope @ block["offset"]).sum(axis=1)
                   + below.reshape(len(below), -1) @ bias)


def _back_in_time(slope: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Slopes below a convolution over time with zeros beyond the patch.

    Args:
        slope: of its outputs, shape (n, frames, units).
        kernel: shape (7, rows, units).

    Returns:
        shape (n, frames, rows).
    """
    count, frames, units = slope.shape
    length, rows, _ = kernel.shape
    before = (length - 1) // 2
    padded = np.pad(slope, ((0, 0), (length - 1 - before, before), (0, 0)))
    # the input at frame s meets weight k in the output at frame s + before - k
    flat = kernel[::-1].transpose(0, 2, 1).reshape(length * units, rows)
    below = np.empty((count, frames, rows))
    for each, values in zip(below, padded, strict=True):  # one tag at a time stays in the cache
        windows = np.lib.stride_tricks.sliding_window_view(values, (length, units)).reshape(
            frames, length * units)
        np.matmul(windows, flat, out=each)
    return below


def winners(net: HasWeights, acts: Tensors) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Where in frequency the live units of each family found their maximum, and whether they are
    on there; each of shape (frames, live)."""
    found = {}
    for name in FAMILIES:
        live = live_units(net, f"cnn_1/{name}")
        gain = net.weights(f"cnn_1/{name}")["gain"][live]
        maps = acts[f"cnn_1/{name}/relu"][:, :, live]  # (frames, positions, units)
        place = np.where(gain > 0, maps.argmax(axis=1), maps.argmin(axis=1))
        found[name] = place, np.take_along_axis(maps, place[:, None], axis=1)[:, 0] > 0
    return found


def first_stage(net: HasWeights, acts: Tensors,
                won: Mapping[str, tuple[np.ndarray, np.ndarray]], slope: np.ndarray,
                constant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From U to the normalised input: slopes (n, frames, 96) and constant (n,).

    Rows of dead units go into the constant with the value that they have.

    Args:
        won: what `winners` gives.
    """
    u = acts["cnn_1/out"].astype(np.float64)
    count, frames, _ = slope.shape
    below = np.zeros((count, frames, acts["input/normalized"].shape[1]))
    for name, rows in family_slices().items():
        block = float64_weights(net, f"cnn_1/{name}")
        live = live_units(net, f"cnn_1/{name}")
        dead = np.setdiff1d(np.arange(rows.start, rows.stop), live + rows.start)
        constant = constant + np.einsum("ntr,tr->n", slope[..., dead], u[:, dead])
        place, on = won[name]
        above = slope[..., live + rows.start]
        through = above * block["gain"][live] * on
        constant = constant + (above @ block["offset"][live] + through @ block["bias"][live]).sum(1)
        lay = _lay_long if name.startswith("temporal") else _lay_tall
        lay(below, through, np.where(on, place, -1), block["kernel"][..., live])
    return below, constant


def _lay_tall(below: np.ndarray, through: np.ndarray, place: np.ndarray, kernels: np.ndarray
              ) -> None:
    """Add timbral kernels to `below`, (n, frames, 96), where they won; place -1 is nowhere.

    Args:
        through: slopes, shape (n, frames, units).
        place: lowest band, shape (frames, units).
        kernels: shape (7, bands, units).
    """
    length, bands, units = kernels.shape
    count, frames, width = below.shape
    before = (length - 1) // 2
    flat = kernels.transpose(2, 0, 1).reshape(units, -1)
    laid = np.zeros((length, count, frames, width))  # by weight of the kernel over time
    for low in np.unique(place[place >= 0]):
        won = place == low
        some = np.flatnonzero(won.any(axis=1))
        found = ((through[:, some] * won[some]) @ flat).reshape(count, -1, length, bands)
        laid[:, :, some, low : low + bands] += np.moveaxis(found, 2, 0)
    for k in range(length):  # the output at frame t meets the input at frame t + k - before
        moved = k - before
        to = slice(max(0, moved), frames + min(0, moved))
        of = slice(max(0, -moved), frames + min(0, -moved))
        below[:, to] += laid[k][:, of]


def _lay_long(below: np.ndarray, through: np.ndarray, place: np.ndarray, kernels: np.ndarray
              ) -> None:
    """The same for temporal units, whose kernels are one band high and many frames long."""
    length, frames = len(kernels), below.shape[1]
    padded = np.pad(kernels[:, 0].T, ((0, 0), (frames, frames)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, frames, axis=1)
    for band in np.unique(place[place >= 0]):
        won, unit = np.nonzero(place == band)
        # the output at frame t meets the input at frame s with weight k = s - t + before
        moved = windows[unit, frames + (length - 1) // 2 - won]
        below[:, :, band] += through[:, won, unit] @ moved


def through_cnn_2(net: HasWeights, above: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """What the rows of U contribute through CNN_2, summed over time, shape (n, 561).

    Each row is sent forward through its own part of the kernel, once for all tags.

    Args:
        above: slopes of the outputs of CNN_2 before its bias, shape (n, frames, 64).
        differences: of U from its remembered means, shape (frames, 561).
    """
    kernel = float64_weights(net, "cnn_2")["kernel"].transpose(1, 0, 2)  # (rows, 7, units)
    length = kernel.shape[1]
    before = (length - 1) // 2
    padded = np.pad(differences.T, ((0, 0), (before, length - 1 - before)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)
    flat = above.reshape(len(above), -1).T
    return np.concatenate([(windows[rows] @ kernel[rows]).reshape(-1, len(flat)) @ flat
                           for rows in np.split(np.arange(ROWS), 11)]).T
