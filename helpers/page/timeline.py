"""A time-aligned view that people can play: a sound, pictures under it, one cursor over all.

Why no library: wavesurfer.js and peaks.js draw waveforms, or a spectrogram from a Fourier
transform of their own, never our tensors, and would weigh on every page; playplot needs a running
kernel. What is left is an <audio> element and a few short handlers. They stand in `on...`
attributes of the template, so a block needs no ids and no script that must find its place: it works
alike in the site, in JupyterLab and offline, any number of times on a page. Where JupyterLab does
not trust a notebook that was run elsewhere, it drops them and the style: sound and pictures remain.
"""

from collections.abc import Sequence

import numpy as np
from IPython.display import HTML, display

from helpers.page.markup import data_uri, fill, static
from helpers.page.players import LONGEST, encode
from helpers.page.strips import INKS, Strip, drawn, matrix_of
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, SAMPLE_RATE

SLACK = 2  # frames by which strips and sound may differ in length

__all__ = ["INKS", "Strip", "timeline", "timeline_html"]


def timeline(title: str, samples: np.ndarray, strips: Sequence[Strip], *,
             start: float = 0.0) -> None:
    """Show a sound with strips under it, aligned in time, and a cursor that follows the sound.

    A click on a strip seeks. With the keyboard on the strips: arrows move by one second, with
    Shift by one frame; Home and End; Space or Enter play and pause.

    Args:
        title: what one hears.
        samples: mono, 16 kHz, up to 12.5 s.
        strips: a list of `Strip`, each with as many frames as the sound has; up to two more or
            fewer are forgiven: all are shown up to the end of the shortest.
        start: time of the first frame in seconds.

    Raises:
        InputError: one sentence, if the sound or a strip cannot be shown.
    """
    display(HTML(timeline_html(title, samples, strips, start=start)))


def timeline_html(title: str, samples: np.ndarray, strips: Sequence[Strip], *,
                  start: float = 0.0) -> str:
    """The block that `timeline` shows, as a string of HTML."""
    samples = _sound(title, samples)
    matrices = [matrix_of(strip) for strip in _strips(title, strips)]
    lengths = [len(matrix) for matrix in matrices]
    for strip, frames in zip(strips, lengths, strict=True):
        _check_length(strip, frames, lengths[0], len(samples))
    frames = min(lengths)
    if not np.isfinite(start):
        raise InputError(f"The start of '{title}' is {start}; it must be a number of seconds.")
    seconds = round(frames * FRAME_SECONDS, 3)
    return fill(
        "timeline.html", title=title, style=static("timeline.css"), frame=f"{FRAME_SECONDS:g}",
        start=f"{start:.9g}", end=f"{start + seconds:.9g}", seconds=f"{seconds:g}",
        begin=f"{start:.2f} s", sound=data_uri("audio/mpeg", encode(samples)),
        strips=[drawn(strip, matrix[:frames], title)
                for strip, matrix in zip(strips, matrices, strict=True)],
        borders=[f"{100 * border / frames:.3f}" for border in range(FRAMES, frames, FRAMES)],
        ticks=_ticks(start, seconds))


def _sound(title, samples):
    samples = np.asarray(samples)
    if samples.ndim != 1 or not len(samples):
        raise InputError(f"The sound of '{title}' has shape {samples.shape}; it must be mono "
                         "samples, shape (n,).")
    if not np.isfinite(samples).all():
        raise InputError(f"The sound of '{title}' has samples that are not a number or infinite; "
                         "repair it first.")
    if len(samples) > LONGEST * SAMPLE_RATE:
        raise InputError(f"The sound of '{title}' lasts {len(samples) / SAMPLE_RATE:.1f} s; "
                         f"players take up to {LONGEST} s, to keep pages light.")
    return samples


def _strips(title, strips):
    if not isinstance(strips, list | tuple) or not strips or not all(
            isinstance(strip, Strip) for strip in strips):
        raise InputError(f"The view of '{title}' needs a list of at least one Strip to show.")
    return strips


def _check_length(strip, frames, others, samples):
    if abs(frames - others) > SLACK:
        raise InputError(f"The strip '{strip.title}' has {frames} frames and the first strip "
                         f"{others}; strips of one view must have the same number.")
    sound = samples / SAMPLE_RATE / FRAME_SECONDS
    if abs(frames - sound) > SLACK:
        raise InputError(f"The strip '{strip.title}' has {frames} frames, which last "
                         f"{frames * FRAME_SECONDS:.2f} s, and the sound lasts "
                         f"{samples / SAMPLE_RATE:.2f} s; give the sound of just these frames.")


def _ticks(start, seconds):
    """Numbers under the strips as (per cent from the left, words)."""
    step = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5) if seconds / step <= 7)
    numbers = np.arange(np.ceil(start / step - 1e-9), (start + seconds) / step + 1e-9)
    return [(f"{100 * (number * step - start) / seconds:.3f}", f"{number * step + 0:g} s")
            for number in numbers]  # + 0: never -0
