"""Cards of the units of the first stage: kernel, numbers, and the moment that excites each most.

One picture of the spectrogram and one recording serve all cards of a gallery, so that a page
with two hundred of them stays light. Explained in chapter 9.
"""

import base64
import io
from dataclasses import dataclass
from html import escape

import matplotlib
import numpy as np
from IPython.display import HTML, display
from PIL import Image

from helpers.page.players import LONGEST, encode
from helpers.page.plots import SIGNED, SPECTROGRAM
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS, FAMILIES, FRAMES
from inside_musicnn.network.units import live_rows, row_unit
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS

MOST = int(LONGEST / PATCH_SECONDS)  # patches that one player holds
HEIGHT = 144  # pixels of a spectrogram: 1.5 for each band, for the kernels as well
MARK, LINE = "#25e8d0", "#5b8fc0"  # no colour of the spectrogram; legible in light and dark


@dataclass(frozen=True)
class Card:
    """What is known of one live unit of CNN_1.

    Attributes:
        row: its row of U.
        kernel: shape (frames, bands).
        gain, offset: of its normalisation.
        passes: share of frames and positions in frequency at which ReLU lets something through.
        patch, frame: where the unit was excited most, with its whole kernel inside the patch.
        position: lowest band of the place in frequency that decided the row there.
        effect, tag: the largest change of a tag when the row is held constant, and which tag;
            None and "" if not measured.
    """

    row: int
    kernel: np.ndarray
    gain: float
    offset: float
    passes: float
    patch: int
    frame: int
    position: int
    effect: float | None = None
    tag: str = ""

    @property
    def first(self):
        """The frame of its patch on which the kernel begins."""
        return self.frame - (len(self.kernel) - 1) // 2

    @property
    def relation(self):
        """What the row follows: a positive gain correlation, a negative one anti-correlation."""
        return "correlation" if self.gain > 0 else "anti-correlation"


def matches(kernel, picture, frame):
    """The kernel's match at each position in frequency, before bias, at one frame of a patch.

    Args:
        kernel: shape (frames, bands).
        picture: the normalised spectrogram of a patch, shape (frames, 96).
        frame: on which the kernel is centred, the first of two middle ones if its length is even.

    Returns:
        shape (97 - bands,).
    """
    length, bands = kernel.shape
    before = (length - 1) // 2
    padded = np.pad(picture, ((before, length - 1 - before), (0, 0)))[frame : frame + length]
    windows = np.lib.stride_tricks.sliding_window_view(padded, bands, axis=1)
    return np.einsum("tpb,tb->p", windows, kernel)


def make_cards(net, patches, effects=None):
    """A card for each live unit, by family, those with the largest effect first.

    Args:
        net: a MusiCNN.
        patches: shape (n, 187, 96); more than a player holds are left out.
        effects: mapping from row to (largest change of a tag, name of that tag), or None.
    """
    patches = patches[:MOST]
    relus = [f"cnn_1/{family}/relu" for family in FAMILIES]
    acts = net.activations(patches, ["input/normalized", "cnn_1/out", *relus])
    cards = [_card(net, int(row), acts, (effects or {}).get(int(row), (None, "")))
             for row in live_rows(net)]
    families = list(FAMILIES)
    return sorted(cards, key=lambda card: (families.index(row_unit(card.row)[0]),
                                           -(card.effect or 0), card.row))


def _card(net, row, acts, effect):
    family, unit = row_unit(row)
    weights = net.weights(f"cnn_1/{family}")
    kernel, gain = weights["kernel"][:, :, unit], float(weights["gain"][unit])
    sign = 1 if gain > 0 else -1
    before = (len(kernel) - 1) // 2
    inside = slice(before, FRAMES - (len(kernel) - 1 - before))  # the whole kernel lies within
    series = sign * acts["cnn_1/out"][:, inside, row]
    patch, frame = np.unravel_index(series.argmax(), series.shape)
    frame += before
    found = sign * matches(kernel, acts["input/normalized"][patch], frame)
    passes = (acts[f"cnn_1/{family}/relu"][..., unit] > 0).mean()
    return Card(row, kernel, gain, float(weights["offset"][unit]), float(passes), int(patch),
                int(frame), int(found.argmax()), *effect)


def gallery(cards, patches, samples, title, start=0.0):
    """The cards as one piece of HTML, with one player and one picture for all of them.

    Args:
        cards: from `make_cards`.
        patches: the patches that the cards were made from, shape (n, 187, 96).
        samples: the sound of these patches, mono, 16 kHz.
        title: what the recording is called; shown as it is, never as markup.
        start: time of the first patch in seconds.

    Raises:
        InputError: more patches or sound than one player holds.
    """
    if len(patches) > MOST or len(samples) > LONGEST * 16000:
        raise InputError(f"A gallery holds up to {MOST} patches and {LONGEST} s of sound; give it "
                         "no more than that.")
    data = base64.b64encode(encode(samples)).decode("ascii")
    name = escape(f"{title}, {start:.1f} to {start + len(patches) * PATCH_SECONDS:.1f} s")
    parts = [f'<div class="unit-cards">{_STYLE}{_shared_picture(patches)}<figure class="sound">'
             f'<figcaption>{name}</figcaption><audio controls preload="metadata" '
             f'aria-label="{name}" src="data:audio/mpeg;base64,{data}"></audio></figure>']
    for family in FAMILIES:
        mine = [card for card in cards if row_unit(card.row)[0] == family]
        if mine:
            count = f"{len(mine)} unit" + "s" * (len(mine) > 1)
            parts.append(f'<p class="family"><strong>{_family(family)}</strong>: {count}</p>'
                         '<div class="grid">')
            parts += [_card_html(card, family, len(patches), start) for card in mine]
            parts.append("</div>")
    return "".join(parts) + f"<script>{_SCRIPT}</script></div>"


def show_gallery(*args, **kwargs):
    """Show the gallery on the page; arguments as `gallery`."""
    display(HTML(gallery(*args, **kwargs)))


def _family(family):
    frames, bands, *_ = FAMILIES[family]
    kind = family.split("_")[0].capitalize()
    return f"{kind}, {bands} band{'s' * (bands > 1)} × {frames} frames"


def png(values, cmap, low, high):
    """A matrix (time, rows) as a data URI of a PNG, one pixel per value, low rows at the bottom."""
    scaled = np.clip((values.T[::-1] - low) / ((high - low) or 1), 0, 1)
    pixels = np.round(scaled * 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    colours = matplotlib.colormaps[cmap](np.arange(256), bytes=True)[:, :3]
    image.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _shared_picture(patches):
    """The spectrogram once, as an image that every card shows a part of."""
    picture = patches.reshape(-1, BANDS)
    source = png(picture, SPECTROGRAM, 0, float(picture.max()))
    return ('<svg aria-hidden="true" style="position:absolute;width:0;height:0"><defs>'
            f'<image id="heard" width="{len(picture)}" height="{BANDS}" href="{source}" '
            'preserveAspectRatio="none" style="image-rendering:pixelated"/></defs></svg>')


def _card_html(card, family, count, start):
    unit = row_unit(card.row)[1]
    length, bands = card.kernel.shape
    width = max(63, length + 32)  # frames that are shown, and heard
    begin = card.patch * FRAMES + card.first  # of the kernel, in frames of the whole picture
    left = int(np.clip(begin - (width - length) // 2, 0, count * FRAMES - width))
    moment = start + begin * FRAME_SECONDS
    name = f"row {card.row}"
    crop = (f'<svg class="moment" role="img" aria-label="spectrogram around {moment:.2f} s; '
            f'outlined: where {name} won" viewBox="{left} 0 {width} {BANDS}" '
            'preserveAspectRatio="none"><use href="#heard"/>'
            f'<rect x="{begin}" y="{BANDS - card.position - bands}" width="{length}" '
            f'height="{bands}"/></svg>')
    picture = (f'<div class="pair">{_kernel_image(card, name)}{crop}</div>' if bands > 1
               else _kernel_line(card.kernel[:, 0], begin - left, width, name) + crop)
    label = f"Play {width * FRAME_SECONDS:.1f} seconds around {moment:.1f} s for {name}"
    effect = "" if card.effect is None else f"<br>{_effect(card)}"
    return (f'<div class="card-unit" id="row-{card.row}"><strong>Row {card.row}</strong> '
            f'<small>unit {unit}</small>{picture}<button type="button" aria-label="{label}" '
            f'data-from="{left * FRAME_SECONDS:.3f}" data-for="{width * FRAME_SECONDS:.3f}">'
            f'▶ at {moment:.1f} s</button><small>gain {_signed(card.gain)}, offset '
            f'{_signed(card.offset)}<br>{card.relation}<br>ReLU passes {_percent(card.passes)}'
            f'{effect}</small></div>')


def _signed(value):
    return f"{value:+.3g}".replace("-", "−")


def _percent(share):
    return f"{share:.0%}" if share == 0 or share >= 0.01 else "under 1%"


def _effect(card):
    if card.effect < 1e-4:
        return "moves no tag"
    return f"moves <em>{escape(card.tag)}</em> by {card.effect:.2g}"


def _kernel_image(card, name):
    """A timbral kernel as a picture, at the height in frequency where it won."""
    limit, band = float(np.abs(card.kernel).max()), HEIGHT / BANDS
    return (f'<img class="kernel dark-light" alt="kernel of {name}" style="height:'
            f'{band * card.kernel.shape[1]:.1f}px;padding:0;border-radius:0;'
            f'margin:0 0 {band * card.position:.1f}px" '
            f'src="{png(card.kernel, SIGNED, -limit, limit)}">')


def _kernel_line(kernel, first, width, name):
    """A temporal kernel as a line, on the same time axis as the spectrogram below it."""
    limit = float(np.abs(kernel).max()) or 1.0
    points = " ".join(f"{first + frame + 0.5:g},{round(20 - 18 * value / limit, 1):g}"
                      for frame, value in enumerate(kernel))
    return (f'<svg class="kernel-line" role="img" aria-label="kernel of {name} over time" '
            f'viewBox="0 0 {width} 40" preserveAspectRatio="none">'
            f'<path d="M0 20H{width}" stroke="#8a98a5"/><polyline points="{points}" '
            f'stroke="{LINE}"/></svg>')


_STYLE = f"""<style>
.unit-cards .grid {{display: grid; gap: 0.6rem;
  grid-template-columns: repeat(auto-fill, minmax(min(10.5rem, 46%), 1fr))}}
.unit-cards .card-unit {{border: 1px solid rgba(128, 128, 128, 0.45); border-radius: 6px;
  padding: 0.45rem; line-height: 1.35; min-width: 0; scroll-margin-top: 1rem}}
.unit-cards .card-unit:target {{outline: 3px solid {LINE}}}
.unit-cards .pair {{display: flex; gap: 5px; align-items: flex-end}}
.unit-cards img.kernel {{width: 35px; flex: none; padding: 0; image-rendering: pixelated;
  border: 1px solid rgba(128, 128, 128, 0.6)}}
.unit-cards svg.moment {{width: 100%; height: {HEIGHT}px; flex: 1 1 0; min-width: 0;
  display: block; margin: 2px 0}}
.unit-cards svg.moment rect {{fill: none; stroke: {MARK}; stroke-width: 2;
  vector-effect: non-scaling-stroke}}
.unit-cards svg.kernel-line {{width: 100%; height: 44px; display: block}}
.unit-cards .kernel-line path, .unit-cards .kernel-line polyline {{fill: none; stroke-width: 1.3;
  vector-effect: non-scaling-stroke}}
.unit-cards button {{display: block; width: 100%; margin: 0.4rem 0 0.3rem; padding: 0.3rem;
  min-height: 2rem; font: inherit; font-size: 0.85em; color: inherit; cursor: pointer;
  background: rgba(91, 143, 192, 0.18); border: 1px solid {LINE}; border-radius: 4px}}
.unit-cards button:hover {{background: rgba(91, 143, 192, 0.35)}}
.unit-cards button:focus-visible {{outline: 3px solid {LINE}; outline-offset: 1px}}
.unit-cards button.plays {{background: {LINE}; color: #fff}}
.unit-cards small {{display: inline-block; font-size: 0.8em; overflow-wrap: anywhere}}
.unit-cards figure.sound {{margin: 0 0 0.5rem; max-width: 26rem}}
.unit-cards figcaption {{color: inherit; font-weight: inherit; text-align: left}}
.unit-cards audio {{width: 100%}}
.unit-cards p.family {{margin: 1.2rem 0 0.5rem}}
</style>""".replace("\n  ", " ").replace("\n", "")

# Plays a card's moment: seek, play, stop. Each gallery finds its own player.
_SCRIPT = """
document.querySelectorAll(".unit-cards:not([data-ready])").forEach(box => {
  box.dataset.ready = "";
  const audio = box.querySelector("audio");
  let timer, button;
  const stop = () => { clearTimeout(timer); audio.pause();
    if (button) button.classList.remove("plays"); button = null; };
  box.addEventListener("click", event => {
    const pressed = event.target.closest("button[data-from]");
    if (!pressed) return;
    const same = pressed === button;
    stop();
    if (same) return;
    button = pressed;
    button.classList.add("plays");
    audio.currentTime = +pressed.dataset.from;
    audio.play().then(() => {
      if (button === pressed) timer = setTimeout(stop, 1000 * pressed.dataset.for);
    }, () => button === pressed && stop());
  });
});
"""
