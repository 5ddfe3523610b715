"""How often a timbral kernel wins at the lowest or the highest position in frequency that it has.

The maximum over frequency has to be somewhere, and at the ends of the range fewer rivals stand
beside a position than in its middle: even kernels of noise win there more often than by the number
of positions. So the true kernels stand beside others of the same norm: reversed in time, reversed
in frequency, noise as smooth as they are, and white noise. A frame in which ReLU lets nothing
through has no winner and does not count. Only the excerpts are measured, two patches of each.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from helpers.evidence.corpus import EXCERPT
from helpers.evidence.nulls import smooth_noise
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.folding import OverBands
from inside_musicnn.network.layers import BANDS
from inside_musicnn.network.layers import FAMILIES as LAYOUT
from making.studies.runner import Row
from making.studies.subject import Subject

FAMILIES = ("timbral_38", "timbral_67")
KERNELS = ("true", "reversed in time", "reversed in frequency", "smooth noise", "white noise")
PATCHES = 2
MEANINGS = {
    "at_the_ends": f"share of the frames with a winner that one of the two outermost positions "
                   f"wins, for {', '.join(FAMILIES)} (first axis) and kernels {', '.join(KERNELS)} "
                   f"(second axis), over all live units and {PATCHES} patches",
    "with_winner": "share of frames that have a winner, likewise",
}
DTYPES = {"at_the_ends": "float32", "with_winner": "float32"}


def takes(rows: Sequence[Row]) -> list[Row]:
    """The excerpts."""
    return [row for row in rows if row.group == EXCERPT]


def measure(subject: Subject) -> dict[str, np.ndarray]:
    """One recording: see MEANINGS."""
    patches = subject.patches[:PATCHES]
    found = np.array([[_shares(subject.engine, name, patches, instead)
                       for instead in instead_of(subject.engine, name)] for name in FAMILIES])
    return {"at_the_ends": found[..., 0], "with_winner": found[..., 1]}


def instead_of(engine: Compact, name: str) -> list[OverBands]:
    """The units of a family with each kind of KERNELS."""
    family = engine.folded.families[name]
    kernel = family.kernel
    random = np.random.default_rng([*name.encode()])  # the same kernels for every recording
    white = random.standard_normal(kernel.shape)
    white *= np.linalg.norm(kernel, axis=(0, 1)) / np.linalg.norm(white, axis=(0, 1))
    smooth = np.stack([smooth_noise(each, repeats=1, seed=unit)[0]
                       for unit, each in enumerate(np.moveaxis(kernel, 2, 0))], axis=2)
    kernels = (kernel, kernel[::-1].copy(), kernel[:, ::-1].copy(), smooth, white)
    return [with_kernel(family, each, engine.folded.silence) for each in kernels]


def with_kernel(family: OverBands, kernel: np.ndarray, silence: float) -> OverBands:
    """The same units with other kernels; the folded bias holds what a kernel makes of silence."""
    moved = silence * family.sign * (family.kernel - kernel).sum(axis=(0, 1))
    return replace(family, kernel=kernel, bias=family.bias + moved)


def _shares(engine: Compact, name: str, patches: np.ndarray, units: OverBands
            ) -> tuple[float, float]:
    varying, places = engine.winners(name, patches, units)
    won = varying > 0
    at_an_end = ((places == 0) | (places == BANDS - LAYOUT[name][1])) & won
    return float(at_an_end.sum() / max(won.sum(), 1)), float(won.mean())
