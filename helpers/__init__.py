"""Inside MusiCNN: thin helpers that the chapters share."""

from helpers.audio import Clip, clip_names, load_clip
from helpers.errors import BookError
from helpers.layers import BLOCKS, FAMILIES, LAYERS

__all__ = ["BLOCKS", "FAMILIES", "LAYERS", "MODELS", "BookError", "Clip", "MusiCNN", "clip_names",
           "extractor", "load_clip", "top_tags"]


def __getattr__(name):
    # TensorFlow takes seconds to import: only who opens a network waits for it.
    if name in ("MusiCNN", "MODELS"):
        from helpers import network

        return getattr(network, name)
    if name in ("extractor", "top_tags"):
        from helpers import drop_in

        return getattr(drop_in, name)
    raise AttributeError(f"module 'helpers' has no attribute '{name}'")
