"""Matrices as pictures that lie in the page itself, one pixel for each value."""

import io

import matplotlib
import numpy as np
from PIL import Image

from helpers.page.markup import data_uri

ALL = (256,)
FEWER = (255, 127, 63, 31, 23, 15)  # odd: zero on a scale with two signs is the neutral one


def matrix_uri(matrix: np.ndarray, scale: str, low: float, high: float, *, height: int = 0,
               light: int | None = None) -> str:
    """A matrix over time as a PNG, as an address that holds it.

    Args:
        matrix: shape (frames, rows); the lowest row is drawn at the bottom.
        scale: one of matplotlib's scales of colours.
        low, high: values at the ends of the scale; what lies beyond has the colour of the end.
        height: pixels of the page that the picture fills. Rows are repeated up to it, so that few
            rows keep sharp edges; by default each row is one pixel high.
        light: bytes; then the picture has as many colours as fit, at least 15.
    """
    share = np.clip((matrix.T[::-1] - low) / ((high - low) or 1), 0, 1)
    share = np.repeat(share, max(1, height // len(share)), axis=0)
    for count in ALL if light is None else FEWER:
        palette = matplotlib.colormaps[scale](np.linspace(0, 1, count), bytes=True)[:, :3]
        image = Image.fromarray(np.rint(share * (count - 1)).astype(np.uint8), "P")
        image.putpalette(palette.tobytes())
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        if light is None or buffer.tell() <= light:
            break
    return data_uri("image/png", buffer.getvalue())
