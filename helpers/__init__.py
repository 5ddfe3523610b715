"""What chapters draw, say and judge with; and, handed on, what they need of the library."""

import warnings

from helpers.page import magics  # noqa: F401
from inside_musicnn import (
    BLOCKS,
    FAMILIES,
    LAYERS,
    MODELS,
    Clip,
    InputError,
    MusiCNN,
    clip_names,
    load_clip,
)

__all__ = ["BLOCKS", "FAMILIES", "LAYERS", "MODELS", "Clip", "InputError", "MusiCNN", "clip_names",
           "load_clip"]

# tqdm, which librosa imports, asks for notebook widgets that no chapter has.
warnings.filterwarnings("ignore", message="IProgress not found")
