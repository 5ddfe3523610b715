"""Figures that several chapters draw. Time is in seconds, frequency in Hz, scales are named.

Each function takes an optional axis and returns figure, axis and artist. Matrices have time
first, as the network's tensors do.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from matplotlib_inline.config import InlineBackend

from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS, band_edges

WIDTH = 8.0  # inches: the width of a page
SPECTROGRAM = "magma"  # colour scales of this book, by what they show
SERIES = "viridis"
SIGNED = "RdBu_r"
MSD, MTT = "#44749d", "#d98b1f"  # the two networks
NETWORKS = {"MSD_musicnn": MSD, "MTT_musicnn": MTT}
FIRST, SECOND = MSD, MTT  # two things that are compared
THREE = ("#2b3a67", "#c8443c", "#d99a2b")  # three families side by side
WARM = ("#7a3b00", "#b35900", "#e08214", "#fdc07a")  # four parts of one thing, dark to light
COOL = ("#08306b", "#2a6099", "#5b93c5", "#a9cbe6")  # and of another
FIVE = ("#22577a", "#57a0c9", "#7a4a12", "#c98a3a", "#f0c987")  # families: timbral, temporal
BELOW, ABOVE = "#2166ac", "#b2182b"  # signs of single values, as SIGNED has them
DEAD = "#a0a0a0"  # units that do not live, beside live ones
OUTLINE = "#35e0ff"  # a place on a spectrogram
NULL = "#8a9199"  # what chance gives, beside what was found
HERE = "#c8443c"  # what a figure points at
VERDICTS = {"confirmed": "#44749d", "qualified": "#8fb0c9", "refuted": "#c8443c",
            "proposed": "#d99a2b", "needs your own audio": "#b9c2ca"}
BETWEEN = "#d5d8dc"  # between pictures whose own zero is white
GAP = 2  # frames between them

plt.rcParams.update({
    "figure.dpi": 120,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "image.interpolation": "nearest",
    "legend.frameon": False,
})


def _draw_once():
    """In a notebook, draw each figure once: not to crop it, and not before it is shown."""
    shell = get_ipython()
    if shell is not None:
        uncropped: dict[str, Any] = {"bbox_inches": None}
        InlineBackend.instance(parent=shell).print_figure_kwargs = uncropped
        plt.uninstall_repl_displayhook()


_draw_once()


def figure(height=3.0, rows=1, columns=1, **kwargs):
    """A new figure of page width and its axes, as `plt.subplots` gives them."""
    return plt.subplots(rows, columns, figsize=(WIDTH, height), **kwargs)


def _axis(ax, height):
    if ax is None:
        return figure(height)
    return ax.figure, ax


def over_time(patches):
    """Patches side by side (n, frames, rows) as one matrix over time (n frames, rows)."""
    return patches.reshape(-1, patches.shape[-1])


def plot_matrix(matrix, ax=None, *, start=0.0, rows="row", values="", cmap=SERIES, vmin=None,
                vmax=None, title="", height=3.0, first_row=0):
    """A matrix over time as a picture.

    Args:
        matrix: shape (frames, rows); or patches side by side, shape (n, frames, rows).
        start: time of the first frame in seconds.
        rows, values: what the vertical axis and the colours show.
        first_row: number of the lowest row.
    """
    matrix = over_time(matrix) if matrix.ndim == 3 else matrix
    fig, ax = _axis(ax, height)
    frames, count = matrix.shape
    extent = (start, start + frames * FRAME_SECONDS, first_row - 0.5, first_row + count - 0.5)
    image = ax.imshow(matrix.T, origin="lower", aspect="auto", extent=extent, cmap=cmap,
                      vmin=vmin, vmax=vmax)
    ax.set(xlabel="time (s)", ylabel=rows, title=title)
    fig.colorbar(image, ax=ax, label=values, pad=0.01)
    return fig, ax, image


def plot_signed(matrix, ax=None, **kwargs):
    """`plot_matrix` with a colour scale centred on zero: blue below, red above."""
    limit = kwargs.pop("limit", None) or float(np.abs(matrix).max()) or 1.0
    return plot_matrix(matrix, ax, cmap=SIGNED, vmin=-limit, vmax=limit, **kwargs)


def plot_db_mel(db_mel, ax=None, *, start=0.0, title="", vmin=0.0, vmax=None, height=3.0,
                values="log$_{10}$(10000 x + 1)"):
    """The dB mel spectrogram over time, its bands labelled in Hz; shape (frames, 96)."""
    fig, ax, image = plot_matrix(db_mel, ax, start=start, cmap=SPECTROGRAM, vmin=vmin, vmax=vmax,
                                 title=title, height=height, values=values)
    hertz_axis(ax)
    return fig, ax, image


def hertz_axis(ax, axis="y", frequencies=(100, 500, 1000, 2000, 4000, 7000), label=True):
    """Label an axis that counts mel bands in Hz, at the bands' centres."""
    centres = band_edges()[:, 1]
    low, high = sorted(getattr(ax, f"get_{axis}lim")())
    places = np.interp(frequencies, centres, np.arange(BANDS))
    ticks = {place: f"{hertz:g}" for place, hertz in zip(places, frequencies, strict=True)
             if low <= place <= high}  # a tick outside would widen the axis
    getattr(ax, f"set_{axis}ticks")(list(ticks), list(ticks.values()))
    if label:
        getattr(ax, f"set_{axis}label")("frequency (Hz)")


def mark_patches(ax, count, start=0.0, color="white"):
    """Dashed lines where one patch of 187 frames ends and the next begins."""
    for number in range(1, count):
        ax.axvline(start + number * PATCH_SECONDS, color=color, linestyle="--", linewidth=1)


def plot_series(series, ax=None, *, start=0.0, values="", title="", height=2.4, **kwargs):
    """One or several time series: shape (frames,) or (frames, n)."""
    fig, ax = _axis(ax, height)
    times = start + np.arange(len(series)) * FRAME_SECONDS
    lines = ax.plot(times, series, linewidth=1.2, **kwargs)
    ax.set(xlabel="time (s)", ylabel=values, title=title, xlim=(times[0], times[-1]))
    return fig, ax, lines


def plot_distribution(values, ax=None, *, label="", title="", bins=40, height=2.6, **kwargs):
    """A histogram with each value as a tick below it; `values` of any shape."""
    values = np.ravel(values)
    fig, ax = _axis(ax, height)
    _, _, bars = ax.hist(values, bins=bins, color=kwargs.pop("color", FIRST), **kwargs)
    if len(values) <= 2 * FRAMES * 4:
        ax.plot(values, np.full(len(values), -0.02), "|", color="black", alpha=0.4, markersize=6,
                transform=ax.get_xaxis_transform(), clip_on=False)
    ax.set(xlabel=label, ylabel="count", title=title)
    ax.tick_params(axis="x", pad=7)
    return fig, ax, bars


def plot_kernels(kernels, *, names=None, columns=8, cell=(0.95, 1.25), limit=None, title="",
                 rows="mel band", values="weight"):
    """Kernels as small pictures on one common colour scale, blue below zero and red above.

    Each line of pictures is one image: an axis for each kernel would take seconds to draw.

    Args:
        kernels: shape (frames, rows, n), as `MusiCNN.weights` gives them.
        names: a title for each.
        columns: pictures in a line.
        cell: width and height of a picture in inches; wide lines are scaled to the page.
        rows, values: what the vertical axis and the colours show.
    """
    frames, bands, count = kernels.shape
    columns = min(columns, count)
    lines, step = -(-count // columns), frames + GAP
    limit = limit or float(np.abs(kernels).max()) or 1.0
    size = min(WIDTH, cell[0] * columns + 1.2), cell[1] * lines + 0.6
    fig, axes = plt.subplots(lines, squeeze=False, sharex=True, sharey=True, figsize=size)
    for ax, first in zip(axes.flat, range(0, count, columns), strict=True):
        line = range(first, min(first + columns, count))
        picture = np.full((bands, step * columns - GAP), np.nan)
        for place, number in enumerate(line):
            picture[:, step * place : step * place + frames] = kernels[..., number].T
        image = ax.imshow(picture, origin="lower", aspect="auto", cmap=SIGNED, vmin=-limit,
                          vmax=limit)
        ax.set_facecolor(BETWEEN)
        end = step * columns - GAP - 0.5
        ax.axvspan(min(step * len(line) - GAP - 0.5, end), end, color="white", linewidth=0)
        ax.set_xlim(-0.5, end)
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(bottom=False, labelbottom=False)
        for place, number in enumerate(line if names is not None else ()):
            ax.text(step * place + (frames - 1) / 2, bands, str(names[number]), fontsize=9,
                    ha="center", va="bottom")
    fig.supxlabel(f"{frames} frames each" if count > 1 else f"{frames} frames", fontsize=10)
    fig.supylabel(rows, fontsize=10)
    fig.colorbar(image, ax=axes, label=values, pad=0.01, shrink=min(1, 2 / lines + 0.3))
    if title:
        fig.suptitle(title, fontsize=11)
    return fig, axes, image


def plot_tags(scores, labels, ax=None, *, top=10, title="", height=None, color=FIRST):
    """The highest scores as bars, the highest on top; `scores` of shape (50,)."""
    order = np.argsort(scores)[::-1][:top][::-1]
    fig, ax = _axis(ax, height or 0.28 * top + 0.9)
    bars = ax.barh([labels[i] for i in order], scores[order], color=color)
    ax.set(xlabel="score", xlim=(0, 1), title=title)
    return fig, ax, bars


def plot_taggram(taggram, labels, ax=None, *, top=None, start=0.0, hop=FRAMES, title="",
                 height=None):
    """Tags over time as a picture; the `top` tags by mean score, the highest on top.

    Args:
        taggram: shape (patches, 50).
        hop: frames from one patch to the next.
    """
    order = np.argsort(taggram.mean(axis=0))[::-1][:top][::-1]
    fig, ax = _axis(ax, height or 0.2 * len(order) + 1.1)
    end = start + len(taggram) * hop * FRAME_SECONDS
    image = ax.imshow(taggram[:, order].T, origin="lower", aspect="auto", cmap=SERIES, vmin=0,
                      vmax=1, extent=(start, end, -0.5, len(order) - 0.5))
    ax.set_yticks(range(len(order)), [labels[i] for i in order], fontsize=9)
    ax.set(xlabel="time (s)", title=title)
    fig.colorbar(image, ax=ax, label="score", pad=0.01)
    return fig, ax, image
