"""MusiCNN as a library: recordings, the network layer by layer, data sets, the drop-in.

It works without the book and without TensorFlow, which only the original graph needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what HOMES says, for those who check types
    from inside_musicnn.atlas import units as units
    from inside_musicnn.corpus import make_corpus as make_corpus
    from inside_musicnn.corpus import read_corpus as read_corpus
    from inside_musicnn.drop_in import extractor as extractor
    from inside_musicnn.drop_in import top_tags as top_tags
    from inside_musicnn.errors import InputError as InputError
    from inside_musicnn.errors import RunError as RunError
    from inside_musicnn.network.layers import BLOCKS as BLOCKS
    from inside_musicnn.network.layers import FAMILIES as FAMILIES
    from inside_musicnn.network.layers import LAYERS as LAYERS
    from inside_musicnn.network.musicnn import MusiCNN as MusiCNN
    from inside_musicnn.network.weights import MODELS as MODELS
    from inside_musicnn.sound.clips import Clip as Clip
    from inside_musicnn.sound.clips import clip_names as clip_names
    from inside_musicnn.sound.clips import load_clip as load_clip
    from inside_musicnn.tagger import Contributions as Contributions
    from inside_musicnn.tagger import Heard as Heard
    from inside_musicnn.tagger import Tagger as Tagger

# Name -> the module that has it. Nothing is imported before it is asked for: who needs the
# spectrogram alone does not wait for the rest.
HOMES = {
    "InputError": ".errors", "RunError": ".errors",
    "BLOCKS": ".network.layers", "FAMILIES": ".network.layers", "LAYERS": ".network.layers",
    "MODELS": ".network.weights", "MusiCNN": ".network.musicnn",
    "Clip": ".sound.clips", "clip_names": ".sound.clips", "load_clip": ".sound.clips",
    "Contributions": ".tagger", "Heard": ".tagger", "Tagger": ".tagger",
    "extractor": ".drop_in", "top_tags": ".drop_in",
    "make_corpus": ".corpus", "read_corpus": ".corpus", "units": ".atlas",
}

__all__ = sorted(HOMES)


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'inside_musicnn' has no attribute '{name}'")
    return getattr(import_module(HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
