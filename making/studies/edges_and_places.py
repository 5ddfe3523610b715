"""Where in a patch the rows of U are largest, where in frequency their units win, and how strong
the rows of the second stage are.

For every live unit of CNN_1: in which frame of the patch its row of U has its maximum, and at
which position in frequency it was found, frame by frame. Beside the frames of the maxima stand two
nulls: the same kernels reversed in time, and kernels of white noise with the norms of the true
ones. A row that is constant over a patch, as rectified ones may be, has no maximum there and does
not count. For the second stage: mean and mean square of each row of the three normalised outputs.
"""

from dataclasses import replace

import numpy as np

from inside_musicnn.network.compact import Compact
from inside_musicnn.network.folding import OverBands
from inside_musicnn.network.layers import BANDS, FAMILIES, FRAMES, UNITS
from making.studies.subject import Subject

MEANINGS = {
    "frames": "counts (live rows of U, 187): in how many patches the row was largest in that frame",
    "positions": "counts (all positions of all live units, one unit after the other): in how many "
                 "frames of all patches the unit's kernel was found there; temporal units have 96 "
                 "positions, timbral ones 59 (38 bands) or 30 (67 bands)",
    "frames_reversed": "counts (5 families, 187): as `frames`, summed over the rows of a family, "
                       "with the kernels reversed in time",
    "frames_noise": "counts (5 families, 187): the same with kernels of white noise",
    "means": "mean over frames and patches of each row of V-hat 1, 2 and 3, (3, 64)",
    "squares": "mean square, likewise",
}
DTYPES = {"frames": "uint8", "positions": "uint16", "frames_reversed": "uint16",
          "frames_noise": "uint16", "means": "float32", "squares": "float32"}
TOGETHER = 4  # patches
OUTPUTS = ("cnn_2/norm", "cnn_3/norm", "cnn_4/norm")


def measure(subject: Subject) -> dict[str, np.ndarray]:
    """One recording: see MEANINGS."""
    parts = [_counts(subject.engine, subject.patches[first : first + TOGETHER])
             for first in range(0, len(subject.patches), TOGETHER)]
    found = subject.net.activations(subject.patches, OUTPUTS)
    rows = np.stack([found[name].astype(np.float64).reshape(-1, UNITS) for name in OUTPUTS])
    return {name: sum(part[name] for part in parts) for name in parts[0]} | {
        "means": rows.mean(axis=1), "squares": (rows**2).mean(axis=1)}


def _counts(engine: Compact, patches: np.ndarray) -> dict[str, np.ndarray]:
    """The counts of a few patches, which the processor's cache can hold."""
    frames, positions, reverse, noise = [], [], [], []
    silence = engine.folded.silence
    for name, family in engine.folded.families.items():
        varying, places = engine.winners(name, patches)
        frames.append(histogram(rows_of(family, varying)))
        positions.append(counted(places, family_positions(name)))
        flipped = replace(family, kernel=family.kernel[::-1].copy())
        for counts, instead in ((reverse, flipped), (noise, noisy(family, name, silence))):
            varying = engine.family(name, patches, instead)
            counts.append(histogram(rows_of(family, varying)).sum(axis=0))
    return {"frames": np.concatenate(frames), "positions": np.concatenate(positions),
            "frames_reversed": np.array(reverse), "frames_noise": np.array(noise)}


def family_positions(name: str) -> int:
    """How many positions in frequency the kernels of a family have."""
    return BANDS - FAMILIES[name][1] + 1


def rows_of(family: OverBands, varying: np.ndarray) -> np.ndarray:
    """Normalised rows of U but for a constant, from what varies, (live, patches, frames)."""
    return varying * family.gain[:, None, None].astype(np.float32)


def histogram(rows: np.ndarray) -> np.ndarray:
    """In how many patches each row is largest in each frame, (rows, 187); the first of equals."""
    counts = np.zeros((len(rows), FRAMES), np.int64)
    if not len(rows):
        return counts
    moves = rows.max(axis=2) > rows.min(axis=2)
    unit, patch = np.nonzero(moves)
    np.add.at(counts, (unit, rows.argmax(axis=2)[unit, patch]), 1)
    return counts


def counted(places: np.ndarray, positions: int) -> np.ndarray:
    """How often each unit won at each position, one unit after the other: (live x positions,)."""
    flat = places.reshape(len(places), -1).astype(np.int64)
    numbered = flat + positions * np.arange(len(flat))[:, None]
    return np.bincount(numbered.ravel(), minlength=len(flat) * positions)


def noisy(family: OverBands, name: str, silence: float) -> OverBands:
    """The same units with kernels of white noise, each of its own kernel's norm.

    Args:
        silence: `Folded.silence`. The folded bias holds what a kernel makes of it.
    """
    random = np.random.default_rng([*name.encode()])  # the same kernels for every recording
    kernel = random.standard_normal(family.kernel.shape)
    norms = [np.sqrt((each**2).sum(axis=(0, 1), keepdims=True)) for each in (family.kernel, kernel)]
    kernel *= norms[0] / norms[1]
    moved = silence * family.sign * (family.kernel - kernel).sum(axis=(0, 1))
    return replace(family, kernel=kernel, bias=family.bias + moved)
