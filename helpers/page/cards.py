"""Cards of the units of the first stage: kernel, numbers, and the moment that excites each most.

One picture of the spectrogram and one recording serve all cards of a gallery, so that a page
with two hundred of them stays light. Explained in chapter 9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from IPython.display import HTML, display
from markupsafe import Markup

from helpers.page.markup import data_uri, fill
from helpers.page.pictures import matrix_uri
from helpers.page.players import LONGEST, encode
from helpers.page.plots import SIGNED, SPECTROGRAM
from helpers.page.unit_links import of_atlas
from helpers.page.values import Markdown
from inside_musicnn.errors import InputError
from inside_musicnn.network.layers import BANDS, FAMILIES, FRAMES
from inside_musicnn.network.musicnn import MusiCNN
from inside_musicnn.network.units import live_rows, row_unit
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS, SAMPLE_RATE

MOST = int(LONGEST / PATCH_SECONDS)  # patches that one player holds
HEIGHT = 144  # pixels of a spectrogram: 1.5 for each band, for the kernels as well
MOVES = 1e-4  # change of a tag that counts


@dataclass(frozen=True)
class Card:
    """What is known of one live unit of CNN_1.

    Attributes:
        model, row: the network, and its row of U.
        kernel: shape (frames, bands).
        gain, offset: of its normalisation.
        passes: share of frames and positions in frequency at which ReLU lets something through.
        patch, frame: where the unit was excited most, with its whole kernel inside the patch.
        position: lowest band of the place in frequency that decided the row there.
        effect, tag: the largest change of a tag when the row is held constant, and which tag;
            None and "" if not measured.
    """

    model: str
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
    def first(self) -> int:
        """The frame of its patch on which the kernel begins."""
        return self.frame - (len(self.kernel) - 1) // 2

    @property
    def relation(self) -> str:
        """What the row follows: a positive gain correlation, a negative one anti-correlation."""
        return "correlation" if self.gain > 0 else "anti-correlation"


def matches(kernel: np.ndarray, picture: np.ndarray, frame: int) -> np.ndarray:
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


def make_cards(net: MusiCNN, patches: np.ndarray,
               effects: Mapping[int, tuple[float, str]] | None = None) -> list[Card]:
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


def _card(net: MusiCNN, row: int, acts: dict[str, np.ndarray],
          effect: tuple[float | None, str]) -> Card:
    family, unit = row_unit(row)
    weights = net.weights(f"cnn_1/{family}")
    kernel, gain = weights["kernel"][:, :, unit], float(weights["gain"][unit])
    sign = 1 if gain > 0 else -1
    before = (len(kernel) - 1) // 2
    inside = slice(before, FRAMES - (len(kernel) - 1 - before))  # the whole kernel lies within
    series = sign * acts["cnn_1/out"][:, inside, row]
    patch, late = np.unravel_index(series.argmax(), series.shape)
    frame = before + int(late)
    found = sign * matches(kernel, acts["input/normalized"][patch], frame)
    passes = (acts[f"cnn_1/{family}/relu"][..., unit] > 0).mean()
    return Card(net.name, row, kernel, gain, float(weights["offset"][unit]), float(passes),
                int(patch), frame, int(found.argmax()), *effect)


def gallery(cards: Sequence[Card], patches: np.ndarray, samples: np.ndarray, title: str,
            start: float = 0.0) -> str:
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
    if len(patches) > MOST or len(samples) > LONGEST * SAMPLE_RATE:
        raise InputError(f"A gallery holds up to {MOST} patches and {LONGEST} s of sound; give it "
                         "no more than that.")
    picture = patches.reshape(-1, BANDS)
    groups = [(family, [card for card in cards if row_unit(card.row)[0] == family])
              for family in FAMILIES]
    return fill(
        "cards.html", height=HEIGHT, bands=BANDS, frames=len(picture),
        title=f"{title}, {start:.1f} to {start + len(patches) * PATCH_SECONDS:.1f} s",
        spectrogram=matrix_uri(picture, SPECTROGRAM, 0, float(picture.max())),
        sound=data_uri("audio/mpeg", encode(samples)),
        families=[{"name": _family(family), "count": f"{len(mine)} unit" + "s" * (len(mine) > 1),
                   "cards": [_view(card, len(patches), start) for card in mine]}
                  for family, mine in groups if mine])


def show_gallery(*args: Any, **kwargs: Any) -> None:
    """Show the gallery on the page; arguments as `gallery`."""
    display(HTML(gallery(*args, **kwargs)))


def _family(family: str) -> str:
    frames, bands, *_ = FAMILIES[family]
    kind = family.split("_")[0].capitalize()
    return f"{kind}, {bands} band{'s' * (bands > 1)} × {frames} frames"


def _view(card: Card, count: int, start: float) -> dict[str, Any]:
    """What the template shows of a card, beside `count` patches from `start` on."""
    length, bands = card.kernel.shape
    width = max(63, length + 32)  # frames that are shown, and heard
    begin = card.patch * FRAMES + card.first  # of the kernel, in frames of the whole picture
    left = int(np.clip(begin - (width - length) // 2, 0, count * FRAMES - width))
    moment, band = start + begin * FRAME_SECONDS, HEIGHT / BANDS
    name = Markdown(f"<strong>Row {card.row}</strong> unit {row_unit(card.row)[1]}")
    view = {
        "row": card.row, "link": Markup(of_atlas(card.row, "cnn_1/out", card.model, name)),
        "relation": card.relation,
        "gain": _signed(card.gain), "offset": _signed(card.offset), "passes": _share(card.passes),
        "tag": card.tag if (card.effect or 0) >= MOVES else "",
        "effect": None if card.effect is None else f"{card.effect:.2g}",
        "left": left, "width": width, "begin": begin, "top": BANDS - card.position - bands,
        "length": length, "bands": bands, "moment": f"{moment:.2f}", "about": f"{moment:.1f}",
        "seconds": f"{width * FRAME_SECONDS:.1f}", "from": f"{left * FRAME_SECONDS:.3f}",
        "for": f"{width * FRAME_SECONDS:.3f}"}
    limit = float(np.abs(card.kernel).max())
    if bands == 1:
        return view | {"points": _points(card.kernel[:, 0], begin - left, limit or 1.0)}
    return view | {  # at the height in frequency where it won
        "kernel": matrix_uri(card.kernel, SIGNED, -limit, limit),
        "tall": f"{band * bands:.1f}", "lifted": f"{band * card.position:.1f}"}


def _points(kernel: np.ndarray, first: int, limit: float) -> str:
    """A temporal kernel as a line, on the same time axis as the spectrogram below it."""
    return " ".join(f"{first + frame + 0.5:g},{round(20 - 18 * value / limit, 1):g}"
                    for frame, value in enumerate(kernel))


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")


def _share(share: float) -> str:
    return f"{share:.0%}" if share == 0 or share >= 0.01 else "under 1%"
