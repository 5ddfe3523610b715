"""Audio players for a page: compressed, labelled, several in a row."""

import io
from collections.abc import Mapping

import numpy as np
import soundfile
from IPython.display import HTML, display

from helpers.page.markup import data_uri, fill
from inside_musicnn.errors import InputError
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

LONGEST = 12.5  # seconds: four patches; longer players make pages heavy
SMALLER = 0.8  # of libsndfile's compression, from 0 to 1


def encode(samples: np.ndarray, sample_rate: int = SAMPLE_RATE, smaller: bool = False) -> bytes:
    """Mono samples between -1 and 1 as an MP3 file; louder ones are held at the limits.

    Args:
        smaller: about a quarter smaller, for pages with very many players.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), sample_rate, format="MP3",
                    subtype="MPEG_LAYER_III", compression_level=SMALLER if smaller else None)
    return buffer.getvalue()


def player(label: str, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> str:
    """One labelled player as HTML; the label is shown as it is, never as markup.

    Raises:
        InputError: more than 12.5 s.
    """
    return fill("player.html", label=label, sound=_sound(label, samples, sample_rate))


def players(sounds: Mapping[str, np.ndarray], sample_rate: int = SAMPLE_RATE,
            smaller: bool = False) -> None:
    """Show players side by side.

    Args:
        sounds: from label to mono samples, up to 12.5 s each.
        sample_rate: Hz.
        smaller: as in `encode`.

    Raises:
        InputError: more than 12.5 s.
    """
    sources = [(label, _sound(label, samples, sample_rate, smaller))
               for label, samples in sounds.items()]
    display(HTML(fill("players.html", sounds=sources)))


def _sound(label: str, samples: np.ndarray, sample_rate: int, smaller: bool = False) -> str:
    if len(samples) > LONGEST * sample_rate:
        raise InputError(f"The excerpt for '{label}' lasts {len(samples) / sample_rate:.1f} s; "
                         f"players take up to {LONGEST} s, to keep pages light.")
    return data_uri("audio/mpeg", encode(samples, sample_rate, smaller))
