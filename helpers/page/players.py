"""Audio players for a page: compressed, labelled, several in a row."""

import base64
import html
import io

import numpy as np
import soundfile
from IPython.display import HTML, display

from inside_musicnn.errors import InputError
from inside_musicnn.sound.spectrogram import SAMPLE_RATE

LONGEST = 12.5  # seconds: four patches; longer players make pages heavy

_STYLE = (
    "display:flex;flex-wrap:wrap;gap:0.75rem 1.5rem;margin:0.5rem 0",
    "margin:0;flex:1 1 15rem;max-width:26rem",
)


def encode(samples, sample_rate=SAMPLE_RATE):
    """Mono samples between -1 and 1 as an MP3 file, bytes; louder ones are held at the limits."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), sample_rate, format="MP3",
                    subtype="MPEG_LAYER_III")
    return buffer.getvalue()


def player(label, samples, sample_rate=SAMPLE_RATE):
    """One labelled player as HTML; the label is shown as it is, never as markup."""
    if len(samples) > LONGEST * sample_rate:
        raise InputError(f"The excerpt for '{label}' lasts {len(samples) / sample_rate:.1f} s; "
                         f"players take up to {LONGEST} s, to keep pages light.")
    data = base64.b64encode(encode(samples, sample_rate)).decode("ascii")
    name = html.escape(str(label))
    return (f'<figure style="{_STYLE[1]}"><figcaption>{name}</figcaption>'
            f'<audio controls preload="metadata" style="width:100%" aria-label="{name}" '
            f'src="data:audio/mpeg;base64,{data}"></audio></figure>')


def players(sounds, sample_rate=SAMPLE_RATE):
    """Show players side by side.

    Args:
        sounds: mapping from label to mono samples, up to 12.5 s each.
        sample_rate: Hz.
    """
    figures = "".join(player(label, samples, sample_rate) for label, samples in sounds.items())
    display(HTML(f'<div class="players" style="{_STYLE[0]}">{figures}</div>'))
