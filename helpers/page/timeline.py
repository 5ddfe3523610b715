"""A time-aligned view that people can play: a sound, pictures under it, one cursor over all.

Why no library: wavesurfer.js and peaks.js draw waveforms, or a spectrogram from a Fourier
transform of their own, never our tensors, and would weigh on every page; playplot needs a running
kernel. What is left is an <audio> element and four short handlers. They stand in `on...`
attributes, so a block needs no ids and no script that must find its place: it works alike in the
site, in JupyterLab and offline, any number of times on a page. Where JupyterLab does not trust a
notebook that was run elsewhere, it drops them and the style: sound and pictures remain.
"""

import base64
import html
import io
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from IPython.display import HTML, display
from PIL import Image

from helpers.page.players import LONGEST, encode
from helpers.page.plots import SERIES, SIGNED, SPECTROGRAM, over_time
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS, FRAMES
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, SAMPLE_RATE, band_edges

KINDS = {"db_mel": SPECTROGRAM, "series": SERIES, "signed": SIGNED, "line": ""}
WORDS = {SPECTROGRAM: "magma", SERIES: "viridis", SIGNED: "blue below zero, red above", "": ""}
HERTZ = {100: "100 Hz", 500: "500 Hz", 1000: "1 kHz", 2000: "2 kHz", 4000: "4 kHz", 7000: "7 kHz"}
INKS = ("#0072b2", "#d55e00", "#4d4d4d", "#009e73", "#aa4499", "#946200")  # of lines, on white
SLACK = 2  # frames by which strips and sound may differ in length
LIGHT = 25_000  # bytes of a picture: it has as many colours as fit
COLOURS = (255, 127, 63, 31, 23, 15)  # odd: zero on a scale with two signs is the neutral one
LABEL = 10  # pixels from one label in the gutter to the next


@dataclass(frozen=True, eq=False)
class Strip:
    """One picture over time.

    Attributes:
        title: what it shows, above it.
        values: shape (frames, rows), or patches side by side (n, frames, rows); for lines also
            (frames,). Row 0 is drawn at the bottom.
        kind: "db_mel" (magma, 96 mel bands), "series" (viridis), "signed" (blue and red, zero in
            the middle) or "line" (one line per row).
        rows: names of the rows; where there is no room for all, some are shown.
        low, high: ends of the scale of colours or values; those of the values if None.
        limit: for "signed": the scale goes from -limit to limit.
        height: pixels; 120 for "db_mel", 90 for others.
    """

    title: str
    values: Any
    kind: str = "db_mel"
    rows: Any = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    height: int | None = None


def timeline(title, samples, strips, *, start=0.0):
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


def timeline_html(title, samples, strips, *, start=0.0):
    """The block that `timeline` shows, as a string of HTML."""
    samples = _sound(title, samples)
    matrices = [_matrix(strip) for strip in _strips(title, strips)]
    lengths = [len(matrix) for matrix in matrices]
    for strip, frames in zip(strips, lengths, strict=True):
        _check_length(strip, frames, lengths[0], len(samples))
    frames = min(lengths)
    if not np.isfinite(start):
        raise InputError(f"The start of '{title}' is {start}; it must be a number of seconds.")
    seconds = round(frames * FRAME_SECONDS, 3)
    name = html.escape(str(title))
    source = base64.b64encode(encode(samples)).decode("ascii")
    drawn = "".join(_strip(strip, matrix[:frames], title)
                    for strip, matrix in zip(strips, matrices, strict=True))
    borders = "".join(f'<i style="left:{100 * border / frames:.3f}%"></i>'
                      for border in range(FRAMES, frames, FRAMES))
    return (
        f'<div class="timeline" role="group" aria-label="{name}"><style>{_STYLE}</style>'
        f'<div class="tl-name">{name}</div><div class="tl-sound">'
        f'<audio controls preload="metadata" aria-label="{name}" data-start="{start:.9g}" '
        f'data-seconds="{seconds:g}" {_handlers(_OF_SOUND)} '
        f'src="data:audio/mpeg;base64,{source}"></audio>'
        f'<span class="tl-now">{start:.2f} s</span></div>'
        f'<div class="tl-strips">{drawn}'
        '<div class="tl-ear" role="slider" tabindex="0" data-lm-suppress-shortcuts="true" '
        f'aria-label="Time in {name}: arrow keys move, Space plays and pauses" '
        f'aria-orientation="horizontal" aria-valuemin="{start:.9g}" '
        f'aria-valuemax="{start + seconds:.9g}" aria-valuenow="{start:.9g}" '
        f'aria-valuetext="{start:.2f} s" {_handlers(_OF_STRIPS)}>{borders}<b></b></div></div>'
        f'<div class="tl-seconds">{_ticks(start, seconds)}</div></div>')


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


def _matrix(strip):
    """Values over time, shape (frames, rows), checked."""
    name = f"The strip '{strip.title}'"
    if strip.kind not in KINDS:
        raise InputError(f"{name} is of kind '{strip.kind}'; choose one of {', '.join(KINDS)}.")
    matrix = np.asarray(strip.values)
    shape = matrix.shape
    if matrix.ndim == 1 and strip.kind == "line":
        matrix = matrix[:, None]
    matrix = over_time(matrix) if matrix.ndim == 3 else matrix
    if matrix.ndim != 2 or not matrix.size:
        raise InputError(f"{name} has shape {shape}; it must be (frames, rows) or (patches, "
                         "frames, rows), for a line also (frames,).")
    if not np.isfinite(matrix).all():
        raise InputError(f"{name} has values that are not a number or infinite; replace them "
                         "first.")
    count = matrix.shape[1]
    if strip.kind == "db_mel" and count != BANDS:
        raise InputError(f"{name} has {count} rows; a dB mel spectrogram has {BANDS}, and other "
                         "matrices are of kind 'series' or 'signed'.")
    if strip.kind == "line" and count > len(INKS):
        raise InputError(f"{name} has {count} lines; more than {len(INKS)} cannot be told apart, "
                         "so show fewer, or all as kind 'series'.")
    if strip.rows is not None and len(strip.rows) != count:
        raise InputError(f"{name} has {count} rows and {len(strip.rows)} names for them; give one "
                         "name for each.")
    if strip.limit is not None and not strip.limit > 0:
        raise InputError(f"{name} has the limit {strip.limit}; it must be above 0.")
    low, high = _ends(strip, matrix)
    if low > high or (low == high and matrix.min() < matrix.max()):
        raise InputError(f"{name} has a scale from {low:g} to {high:g}; its low end must be below "
                         "its high end.")
    return matrix


def _check_length(strip, frames, others, samples):
    if abs(frames - others) > SLACK:
        raise InputError(f"The strip '{strip.title}' has {frames} frames and the first strip "
                         f"{others}; strips of one view must have the same number.")
    sound = samples / SAMPLE_RATE / FRAME_SECONDS
    if abs(frames - sound) > SLACK:
        raise InputError(f"The strip '{strip.title}' has {frames} frames, which last "
                         f"{frames * FRAME_SECONDS:.2f} s, and the sound lasts "
                         f"{samples / SAMPLE_RATE:.2f} s; give the sound of just these frames.")


def _ends(strip, matrix):
    """Lowest and highest value of the scale."""
    low, high = float(matrix.min()), float(matrix.max())
    if strip.kind == "signed":
        high = float(strip.limit or max(-low, high) or 1)
        return -high, high
    if strip.kind == "db_mel":
        low = min(low, 0.0)
    return (low if strip.low is None else float(strip.low),
            high if strip.high is None else float(strip.high))


def _number(value):
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _strip(strip, matrix, title):
    low, high = _ends(strip, matrix)
    height = int(strip.height or (120 if strip.kind == "db_mel" else 90))
    scale = f"{_number(low)} to {_number(high)}"
    if (matrix < low).any() or (matrix > high).any():
        scale += f" (values {_number(matrix.min())} to {_number(matrix.max())})"
    words = ", ".join(filter(None, [WORDS[KINDS[strip.kind]], scale]))
    told = html.escape(f"{strip.title}, over the time of: {title}. {words}")
    if strip.kind == "line":
        key = _key(strip)
        picture = _lines(matrix, low, high, told)
        labels = [(0, _number(low)), (1, _number(high))] if high > low else [(0.5, _number(low))]
    else:
        key = f'<span class="tl-bar" style="background:{_gradient(KINDS[strip.kind])}"></span>'
        source = base64.b64encode(_png(matrix, low, high, KINDS[strip.kind], height)).decode()
        picture = f'<img alt="{told}" src="data:image/png;base64,{source}">'
        labels = _row_names(strip, matrix.shape[1])
    return (f'<div class="tl-title"><span>{html.escape(str(strip.title))}</span> '
            f'<span class="tl-scale">{key}{html.escape(words)}</span></div>'
            f'<div class="tl-picture" style="height:{height}px">{picture}'
            f"{_gutter(labels, height)}</div>")


def _png(matrix, low, high, scale, height):
    """A PNG with a pixel per frame; rows are repeated, so that few rows keep sharp edges."""
    share = np.clip((matrix.T[::-1] - low) / ((high - low) or 1), 0, 1)
    share = np.repeat(share, max(1, height // share.shape[0]), axis=0)
    for colours in COLOURS:
        palette = matplotlib.colormaps[scale](np.linspace(0, 1, colours), bytes=True)[:, :3]
        image = Image.fromarray(np.rint(share * (colours - 1)).astype(np.uint8), "P")
        image.putpalette(palette.tobytes())
        buffer = io.BytesIO()
        image.save(buffer, "png", optimize=True)
        if buffer.tell() <= LIGHT:
            break
    return buffer.getvalue()


def _gradient(scale):
    stops = matplotlib.colormaps[scale](np.linspace(0, 1, 9))
    return f"linear-gradient(90deg,{','.join(map(matplotlib.colors.to_hex, stops))})"


def _lines(matrix, low, high, told):
    """Lines as SVG, stretched to the strip; heights in thousandths, each point from the last."""
    frames, steps = len(matrix), 1000
    share = (np.clip(matrix, low, high) - low) / ((high - low) or 1) if high > low else 0.5
    down = np.rint((1 - share) * steps * np.ones_like(matrix)).astype(int)
    paths = []
    if low < 0 < high:
        zero = steps * high / (high - low)
        paths.append(f'<path d="M0 {zero:.0f}h{frames}" stroke="#8a98a5" stroke-width="1"/>')
    for ink, points in zip(INKS, down.T, strict=False):
        moves = " ".join(f"1 {move}" for move in np.diff(points))
        paths.append(f'<path d="M.5 {points[0]}{"l" * bool(moves)}{moves}" stroke="{ink}"/>')
    return (f'<svg role="img" aria-label="{told}" viewBox="0 -20 {frames} {steps + 40}" '
            f'preserveAspectRatio="none">{"".join(paths)}</svg>')


def _key(strip):
    """The names of lines in their colours."""
    names = strip.rows if strip.rows is not None else ()
    return "".join(f'<span class="tl-line"><i style="background:{ink}"></i>'
                   f"{html.escape(str(name))}</span>"
                   for ink, name in zip(INKS, names, strict=False))


def _row_names(strip, count):
    """Labels of the rows as (height between 0 and 1, words)."""
    if strip.kind == "db_mel" and strip.rows is None:
        places = np.interp(list(HERTZ), band_edges()[:, 1], np.arange(BANDS))
        return list(zip((places + 0.5) / BANDS, HERTZ.values(), strict=True))
    if strip.rows is not None:
        return [((row + 0.5) / count, str(name)) for row, name in enumerate(strip.rows)]
    return [((row + 0.5) / count, str(row)) for row in sorted({0, count - 1})]


def _gutter(labels, height):
    """Labels left of a picture, from the lowest up; those that would touch another are left out."""
    parts, last = [], np.inf
    for share, words in labels:
        top = min(max((1 - share) * height, 6), height - 6)
        if last - top >= LABEL:
            words = html.escape(words)
            parts.append(f'<span class="tl-row" style="top:{top:.1f}px">{words}</span>')
            last = top
    return " ".join(parts)


def _ticks(start, seconds):
    step = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5) if seconds / step <= 7)
    numbers = np.arange(np.ceil(start / step - 1e-9), (start + seconds) / step + 1e-9)
    return " ".join(f'<span style="left:{100 * (number * step - start) / seconds:.3f}%">'
                    f"{number * step + 0:g} s</span>" for number in numbers)  # + 0: never -0


# Handlers: `this` is the element that has the attribute; `start` and `seconds` are on <audio>.
_OF_SOUND = {
    "ontimeupdate": """
        const block = this.closest('.timeline'), at = Math.min(this.currentTime,
          this.dataset.seconds);
        block.querySelector('.tl-ear b').style.left = 100 * at / this.dataset.seconds + '%';
        block.querySelector('.tl-now').textContent = (+this.dataset.start + at).toFixed(2) + ' s';
        """,
    # Screen readers hear the time when it was chosen, not sixty times a second.
    "onseeked": """
        const block = this.closest('.timeline'), ear = block.querySelector('.tl-ear');
        this.ontimeupdate();
        const now = block.querySelector('.tl-now').textContent;
        ear.setAttribute('aria-valuetext', now);
        ear.setAttribute('aria-valuenow', parseFloat(now));
        """,
    "onpause": "this.onseeked()",
    "onplay": """
        document.querySelectorAll('audio').forEach(other => other === this || other.pause());
        cancelAnimationFrame(this.drawing);
        const draw = () => {
          this.ontimeupdate();
          if (!this.paused) this.drawing = requestAnimationFrame(draw);
        };
        draw();
        """,
}
_OF_STRIPS = {
    "onclick": """
        const audio = this.closest('.timeline').querySelector('audio');
        const box = this.getBoundingClientRect();
        const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
        audio.currentTime = share * audio.dataset.seconds;
        audio.ontimeupdate();
        """,
    "onpointerdown": "this.setPointerCapture(event.pointerId)",
    "onpointermove": "if (event.buttons === 1) this.onclick(event)",
    "onfocus": "this.closest('.timeline').querySelector('audio').onseeked()",
    "onkeydown": """
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        const audio = this.closest('.timeline').querySelector('audio');
        const step = event.shiftKey ? FRAME : 1, end = +audio.dataset.seconds;
        const to = {ArrowLeft: audio.currentTime - step, ArrowRight: audio.currentTime + step,
          Home: 0, End: end}[event.key];
        if (to !== undefined) {
          audio.currentTime = Math.min(Math.max(to, 0), end);
          audio.ontimeupdate();
        } else if (event.key === ' ' || event.key === 'Enter') {
          if (audio.paused) audio.play().catch(() => {}); else audio.pause();
        } else return;
        event.preventDefault();
        event.stopPropagation();
        """.replace("FRAME", f"{FRAME_SECONDS:g}"),
}


def _handlers(handlers):
    """Handlers as attributes."""
    return " ".join(f'{name}="{html.escape(" ".join(code.split()))}"'
                    for name, code in handlers.items())


# What moves a picture off the time axis, such as a theme's padding of pictures in the dark, is
# overruled.
_STYLE = " ".join("""
.timeline{background:#fff;color:#26323c;color-scheme:light;border:1px solid #d5dbe0;
  border-radius:9px;padding:10px 16px 8px 62px;margin:.75rem 0;text-align:left;
  font:13px/1.35 Helvetica,Arial,sans-serif}
.timeline .tl-name{font-weight:bold;font-size:14px;margin:0 0 6px -50px}
.timeline .tl-sound{display:flex;align-items:center;gap:12px;margin:0 0 8px -50px}
.timeline audio{flex:1 1 0;min-width:0;width:100%;max-width:26rem;height:40px}
.timeline .tl-now{font-variant-numeric:tabular-nums;white-space:nowrap;font-size:14px}
.timeline .tl-strips{position:relative}
.timeline .tl-title{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px;
  position:relative;z-index:2;pointer-events:none;background:#fff;margin:0 -2px;padding:7px 2px 2px;
  overflow-wrap:anywhere}
.timeline .tl-title>:first-child{font-weight:bold}
.timeline .tl-scale{color:#4a5864}
.timeline .tl-bar{display:inline-block;width:48px;height:9px;margin-right:6px}
.timeline .tl-line{display:inline-block;margin-right:12px}
.timeline .tl-line i{display:inline-block;width:14px;height:3px;margin:0 5px 3px 0}
.timeline .tl-picture{position:relative}
.timeline .tl-picture img,.timeline .tl-picture svg{display:block;width:100%!important;
  height:100%!important;max-width:none!important;margin:0!important;padding:0!important;
  border:0!important;border-radius:0!important;filter:none!important}
.timeline svg{background:#f5f7f8}
.timeline svg path{fill:none;stroke-width:1.4;vector-effect:non-scaling-stroke;
  stroke-linejoin:round}
.timeline .tl-row{position:absolute;right:calc(100% + 7px);transform:translateY(-50%);
  max-width:54px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:11px;
  line-height:12px}
.timeline .tl-ear{position:absolute;inset:0;z-index:1;cursor:pointer;touch-action:pan-y;
  user-select:none}
.timeline .tl-ear:focus{outline:none}
.timeline .tl-ear:focus-visible{outline:3px solid #1565c0;outline-offset:3px}
.timeline .tl-ear i{position:absolute;top:0;bottom:0;width:1px;
  background:repeating-linear-gradient(#fff 0 4px,#4a5864 4px 8px)}
.timeline .tl-ear b{position:absolute;left:0;top:2px;bottom:1px;width:2px;margin-left:-1px;
  background:#fff;box-shadow:0 0 0 1px #111}
.timeline .tl-seconds{position:relative;height:20px;font-size:11px}
.timeline .tl-seconds span{position:absolute;top:5px;transform:translateX(-50%);
  white-space:nowrap}
""".split())
