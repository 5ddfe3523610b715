"""What a unit of CNN_1 would hear best, without a search.

Its answer is the largest match of its kernel with the sound over frequency. The best input of an
energy is the kernel itself, multiplied and cut (`Energy.reached`). A unit with a negative gain
falls with the smallest match over frequency: its best input must match the kernel everywhere at
once, which is a convex problem of one weight for each position.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from inside_musicnn.network.folding import Folded
from inside_musicnn.network.layers import BANDS, FAMILIES
from making.atlas import null_windows
from making.atlas.ascent import AFTER, BEFORE
from making.atlas.energy import Energy

TRIED = 24  # windows with the likest shape that are brought to the energy, for each unit
APART = 10  # of the windows that all units above see, those taken: they hardly overlap then
FACTORS = 600  # of a kernel, tried between nothing and all that the bounds allow
PLACED = 3  # frames between the moments of a window at which short kernels are tried


@dataclass(frozen=True, eq=False)
class Kernel:
    """A live unit of CNN_1, as it hears distances from the remembered mean.

    Attributes:
        weights: of the distances, (frames, bands).
        rest: its match with the remembered mean, with the bias.
        gain, offset: of the normalisation.
        late: frames from the beginning of the window that the longest kernels see to its own.
    """

    weights: np.ndarray
    rest: float
    gain: float
    offset: float

    @property
    def rises(self) -> bool:
        return self.gain > 0

    @property
    def frames(self) -> int:
        return len(self.weights)

    @property
    def late(self) -> int:
        return BEFORE - (self.frames - 1) // 2

    @property
    def bands(self) -> int:
        """Of the window that it is compared on: of its own if any place will do, else all."""
        return self.weights.shape[1] if self.rises else BANDS

    def told(self, match: np.ndarray) -> np.ndarray:
        """The unit's value."""
        return self.gain * np.maximum(match + self.rest, 0) + self.offset

    def matches(self, inputs: np.ndarray) -> np.ndarray:
        """The match of windows, (n, frames, bands): with its own place, or the smallest of all."""
        seen = np.lib.stride_tricks.sliding_window_view(inputs, self.weights.shape[1], axis=2)
        return np.einsum("nfpb,fb->np", seen, self.weights, optimize=True).min(axis=1)


def kernels(folded: Folded, energy: Energy) -> list[Kernel]:
    """All live units of CNN_1, in the order of the rows."""
    found = []
    for name in FAMILIES:
        family = folded.families[name]
        for unit in range(len(family.live)):
            weights = family.kernel[..., unit] * family.sign[unit]
            found.append(Kernel(weights, float(family.bias[unit] + energy.mean * weights.sum()),
                                float(family.gain[unit]), float(family.offset[unit])))
    return found


def best_place(kernel: Kernel, energy: Energy, won: np.ndarray) -> int:
    """Where in frequency the kernel has most of what there can be; of equal places the one where
    it wins most often.

    Args:
        won: how often it does at each place.
    """
    reached = np.array([kernel.matches(energy.reached(kernel.weights[None], place))[0]
                        for place in range(len(won))])
    return int(np.where(reached > reached.max() - 1e-6 * abs(reached.max()), won, -1).argmax())


def best_input(kernel: Kernel, energy: Energy, place: int) -> tuple[np.ndarray, float]:
    """The window that drives the unit furthest, (frames, bands), and by what part of the match an
    even better one could be better at most: 0 where the form is closed.

    Args:
        place: of its lowest band, for a unit that rises.
    """
    if kernel.rises:
        return energy.reached(kernel.weights[None], place)[0], 0.0
    if kernel.weights.shape[1] == 1:
        return in_all_bands(kernel.weights[:, 0], energy), 0.0
    count, bands = BANDS - kernel.weights.shape[1] + 1, kernel.weights.shape[1]
    laid = np.zeros((count, kernel.frames, BANDS))
    for position in range(count):
        laid[position, :, position : position + bands] = kernel.weights
    flat = laid.reshape(count, -1)

    def together(shares: np.ndarray) -> tuple[float, np.ndarray]:
        """The most that the shares of all matches come to, and each match."""
        matches = flat @ mixed(shares).ravel()
        return float(shares @ matches), matches

    def mixed(shares: np.ndarray) -> np.ndarray:
        return energy.reached(np.tensordot(shares, laid, 1)[None])[0]

    shares = optimize.minimize(
        together, np.full(count, 1 / count), jac=True, method="SLSQP", bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda each: each.sum() - 1,
                     "jac": lambda each: np.ones(count)}, options={"maxiter": 300}).x
    shares = np.maximum(shares, 0) / np.maximum(shares, 0).sum()
    most, matches = together(shares)
    return mixed(shares), float(1 - matches.min() / most)


def in_all_bands(weights: np.ndarray, energy: Energy) -> np.ndarray:
    """The window whose match with a kernel of one band is as large as can be in that band in which
    it is smallest, (frames, 96).

    Each band alone would have its match at least energy by the kernel, multiplied and cut; so all
    bands have the same match, as large as the energy, or the band with the narrowest bounds,
    allows.
    """
    factors = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, FACTORS)]) / np.abs(weights).max()
    cut = np.clip(factors[:, None, None] * weights[:, None], energy.lowest, energy.highest)
    matches = np.einsum("nfb,f->nb", cut, weights)

    def laid(match: float) -> np.ndarray:
        each = [np.interp(match, column, factors) for column in matches.T]
        return np.clip(weights[:, None] * each, energy.lowest, energy.highest)

    low, high = 0.0, float(matches[-1].min())
    for _ in range(40):
        middle = (low + high) / 2
        enough = (laid(middle)**2).mean() <= energy.size**2
        low, high = (middle, high) if enough else (low, middle)
    return energy.reached(laid(low)[None])[0]


@dataclass(frozen=True, eq=False)
class Compared:
    """How the windows of music, or of nothing, do.

    Attributes:
        highest: the strongest match of each unit, (units,).
        middle: the median match over some windows, (units,).
        where: number of the window, first frame inside it and lowest band, (units, 3).
        count: how many windows were looked at, (units,).
    """

    highest: np.ndarray
    middle: np.ndarray
    where: np.ndarray
    count: np.ndarray


def compare(units: list[Kernel], energy: Energy, lot: bool) -> Compared:
    """The strongest windows for all units.

    All are ranked by their match at equal energy before any cut; those that lead are then brought
    to the energy exactly. Both are done on windows of 128 frames, in which a unit with a short
    kernel looks at several moments.

    Args:
        lot: whether phases are dealt by lot.
    """
    frames = BEFORE + AFTER + 1
    total = len(null_windows.places(frames))
    best: list[list[tuple[float, int, int, int]]] = [[] for _ in units]
    middles: list[list[float]] = [[] for _ in units]
    counts = np.zeros(len(units), int)
    for number in range(0, total, APART):
        raw = null_windows.distances(energy, frames, [number], lot)[0]
        for group in _groups(units):
            ranks = _ranked([units[each] for each in group], raw)
            for each, rank in zip(group, ranks, strict=True):
                counts[each] += rank.size
                frame, band = divmod(int(rank.argmax()), rank.shape[1])
                best[each].append((float(rank[frame, band]), number, frame, band))
                middles[each].append(float(np.median(rank)))
    highest, where = np.zeros(len(units)), np.zeros((len(units), 3), int)
    for each, unit in enumerate(units):
        lead = sorted(best[each], reverse=True)[:TRIED]
        cut = energy.reached_each([(window(unit, energy, at[1:], lot), at[3]) for at in lead])
        matches = unit.matches(cut)
        highest[each] = matches.max()
        where[each] = lead[int(matches.argmax())][1:]
        where[each, 1] *= step(unit)
    middle = np.array([np.median(each) for each in middles]) * energy.size * np.sqrt(
        [unit.frames * unit.bands for unit in units])
    return Compared(highest, middle, where, counts)


def step(unit: Kernel) -> int:
    return PLACED if unit.frames < BEFORE + AFTER + 1 else 1


def window(unit: Kernel, energy: Energy, at: tuple[int, int, int], lot: bool) -> np.ndarray:
    """One window as it is, (frames, bands)."""
    number, frame, band = at
    raw = null_windows.distances(energy, BEFORE + AFTER + 1, [number], lot)[0]
    first = frame * step(unit)
    return raw[first : first + unit.frames, band : band + unit.bands]


def _groups(units: list[Kernel]) -> list[list[int]]:
    """Units with kernels of one shape and one sense."""
    found: dict[tuple, list[int]] = {}
    for number, unit in enumerate(units):
        found.setdefault((unit.weights.shape, unit.rises), []).append(number)
    return list(found.values())


def _ranked(units: list[Kernel], raw: np.ndarray) -> np.ndarray:
    """Match over size of all windows inside one, (units, moments, positions)."""
    first = units[0]
    length, bands = first.weights.shape
    seen = np.lib.stride_tricks.sliding_window_view(raw, (length, bands))[:: step(first)]
    flat = np.array([unit.weights for unit in units]).reshape(len(units), -1)
    rows = np.ascontiguousarray(seen, np.float32).reshape(-1, length * bands)
    found = (rows @ flat.T.astype(np.float32)).T.reshape(len(units), *seen.shape[:2])
    square = np.einsum("nr,nr->n", rows, rows).reshape(seen.shape[:2])
    if not first.rises:
        found = found.min(axis=2, keepdims=True)
        tall = np.lib.stride_tricks.sliding_window_view(raw, (length, BANDS))[:: step(first)]
        square = np.einsum("npfb,npfb->np", tall, tall)
    return found / np.sqrt(np.maximum(square, 1e-9))
