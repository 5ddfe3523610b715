"""A kernel, the place of the spectrogram that it lies on, and the product of the two."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.page import plots
from inside_musicnn.network.layers import BANDS
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, band_edges

HERTZ = (100, 200, 500, 1000, 2000, 4000, 7000)


def plot_kernel_on_sound(patch: np.ndarray, kernel: np.ndarray, excerpt: np.ndarray, frame: int,
                         position: int, start: float = 0.0):
    """Frame the excerpt in the dB mel spectrogram; below it, draw kernel, excerpt and product.

    Args:
        patch: dB mel spectrogram, shape (frames, 96).
        kernel, excerpt: shape (frames, bands); the excerpt is of the normalised spectrogram.
        frame: on which the kernel is centred, the first of two middle ones if its length is even.
        position: lowest band that it lies on.
        start: time of the first frame in seconds.

    Returns:
        figure and axes by name: "map", "kernel", "excerpt", "product".
    """
    frames, bands = kernel.shape
    before, low = (frames - 1) // 2, position - 0.5
    fig, axes = plt.subplot_mosaic([["map"] * 3, ["kernel", "excerpt", "product"]],
                                   figsize=(plots.WIDTH, 5.4), height_ratios=[1, 1.35])
    plots.plot_db_mel(patch, axes["map"], start=start, values="dB mel")
    corner = start + (frame - before) * FRAME_SECONDS, low
    axes["map"].add_patch(plt.Rectangle(corner, frames * FRAME_SECONDS, bands, fill=False,
                                        color=plots.OUTLINE, linewidth=1.8))
    for name, values in {"kernel": kernel, "excerpt": excerpt, "product": kernel * excerpt}.items():
        ax = axes[name]
        if bands == 1:
            ax.plot((np.arange(frames) - before) * FRAME_SECONDS, values, linewidth=1.2,
                    color=plots.FIRST)
            ax.axhline(0, color="black", linewidth=0.8)
        else:
            limit, edge = float(np.abs(values).max()), (-0.5 - before) * FRAME_SECONDS
            image = ax.imshow(values.T, origin="lower", aspect="auto", cmap=plots.SIGNED,
                              vmin=-limit, vmax=limit,
                              extent=(edge, edge + frames * FRAME_SECONDS, low, low + bands))
            fig.colorbar(image, ax=ax, pad=0.02)
            places = np.interp(HERTZ, band_edges()[:, 1], np.arange(BANDS))
            seen = (low < places) & (places < low + bands)
            ax.set_yticks(places[seen], np.array(HERTZ)[seen])
        ax.set(xlabel="time from the frame (s)", title=name)
    axes["product"].set_title(f"product, sum {(kernel * excerpt).sum():+.3f}")
    axes["kernel"].set_ylabel("weight" if bands == 1 else "frequency (Hz)")
    return fig, axes
