"""MusiCNN as a library: recordings, the network layer by layer, data sets, the drop-in.

It works without the book and without TensorFlow, which only the original graph needs.
"""

from importlib import import_module

# Name -> the module that has it. Nothing is imported before it is asked for: who needs the
# spectrogram alone does not wait for the rest.
HOMES = {
    "InputError": ".errors", "RunError": ".errors",
    "BLOCKS": ".network.layers", "FAMILIES": ".network.layers", "LAYERS": ".network.layers",
    "MODELS": ".network.weights", "MusiCNN": ".network.musicnn",
    "Clip": ".sound.clips", "clip_names": ".sound.clips", "load_clip": ".sound.clips",
    "extractor": ".drop_in", "top_tags": ".drop_in",
    "make_corpus": ".corpus", "read_corpus": ".corpus",
}

__all__ = sorted(HOMES)


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module 'inside_musicnn' has no attribute '{name}'")
    return getattr(import_module(HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
