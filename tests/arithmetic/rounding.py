"""Steps of the network in float64, each with a bound for what float32 makes of it.

**The bound.** One operation in float32 changes its result by at most u = 2^-24 of it. A sum of n
products p has n roundings of products and n of partial sums, and no partial sum is larger than
S = sum |p|. If roundings were all of one sign, the error would be n u S; they are not, and then it
grows with the root of n (Higham and Mary, A New Approach to Probabilistic Rounding Error Analysis,
SIAM Journal on Scientific Computing 41, 2019, DOI 10.1137/18M1226312). n counts the products that
weigh anything: (sum |p|)^2 / sum p^2, which is n for equal ones and 1 for a single one; at least a
sixteenth of all, as small ones are rounded, too.

Errors of what goes in are inherited: through a weight w as w times the error, added as independent
quantities, root of the sum of squares, but in CNN_1 by their sizes, as equal inputs have equal
errors; through ReLU only where the unit may be on; through a maximum only from places that may
win; through normalisation times the gain.

`SAFETY` times such an error is the bound. The worst case, n u S and errors added up, is of no use
here: after four layers, with gains up to 78, it is as large as the values themselves, so that a
wrong network would pass. What the factor has to cover: roundings that do not look random (the same
term added over and over, as in silence, gives the same rounding each time, up to n u S / 2 if the
partial sums grow evenly: 16 u S for the 32 frames of a temporal kernel, against 4 sqrt(n) u S = 22
here), and errors of two units that come from the same error below. How much of the bound is used,
layer by layer, is shown by `python tests/arithmetic/ratios.py`.

**Any arrangement.** `size` is how large a value is before anything in it cancels: a normalisation
gives |gain| (|x| + |mean|) + |beta|. Sums are bounded by sizes and not by values, so that the
bound holds for the original graph and for a network whose normalisations are folded into its
kernels alike, and for any order of any sum.
"""

from dataclasses import dataclass

import numpy as np

from inside_musicnn.network.weights import EPSILON

U = 2.0**-24  # unit roundoff of float32
TINY = 2.0**-126  # the smallest normal number of float32; below it a product may become zero
SAFETY = 4.0
FLOAT64 = 2.0**-53 * 2**20  # what is left of a sum of a million products in float64, in any order


@dataclass(frozen=True)
class Rounded:
    """An array in float64, and how far float32 may be from it.

    Attributes:
        value: the truth.
        size: how large it is before anything in it cancels; float32 is enough for it.
        error: a likely error; `SAFETY` times this is the bound.
    """

    value: np.ndarray
    size: np.ndarray
    error: np.ndarray

    @property
    def bound(self) -> np.ndarray:
        return SAFETY * self.error

    def map(self, change) -> "Rounded":
        """The same with its axes or its places changed by `change`."""
        return Rounded(change(self.value), change(self.size), change(self.error))


def given(values, uncertain=0.0) -> Rounded:
    """Numbers to begin with, float32 or known to lie within `uncertain` of these."""
    value = np.asarray(values, np.float64)
    size = np.abs(value).astype(np.float32)
    return Rounded(value, size, np.zeros_like(size) + np.float32(uncertain / SAFETY))


def together(parts, axis) -> Rounded:
    """Arrays side by side."""
    return Rounded(*(np.concatenate([getattr(part, name) for part in parts], axis)
                     for name in ("value", "size", "error")))


def plus(x, other) -> Rounded:
    """A bias, or another tensor, added."""
    if not isinstance(other, Rounded):
        other = given(other)
    value = x.value + other.value
    rounding = U * np.abs(value).astype(np.float32)
    return Rounded(value, x.size + other.size, _both(_both(x.error, other.error), rounding))


def rectify(x) -> Rounded:
    """ReLU. Where the unit is off, and off by more than the bound, it is zero for everyone."""
    value = np.maximum(x.value, 0)
    on = x.value > -x.bound
    return Rounded(value, value.astype(np.float32), np.where(on, x.error, np.float32(0)))


def normalise(x, weights) -> Rounded:
    """Batch normalisation by its four parameters. Up to eight roundings, the root among them."""
    gain = weights["gamma"] / np.sqrt(weights["variance"] + EPSILON)
    value = gain * (x.value - weights["mean"]) + weights["beta"]
    slope, middle, end = (np.abs(part).astype(np.float32)
                          for part in (gain, weights["mean"], weights["beta"]))
    size = slope * (x.size + middle) + end
    return Rounded(value, size, _both(slope * x.error, 8 / SAFETY * U * size))


def largest(x, axis) -> Rounded:
    """Maximum along an axis; the error of a place counts if it may win."""
    floor = (x.value - x.bound).max(axis, keepdims=True)
    may_win = x.value + x.bound >= floor
    error = np.where(may_win, x.error, np.float32(0)).max(axis)
    return Rounded(x.value.max(axis), x.size.max(axis), error)


def mean(x, axis) -> Rounded:
    """Mean along an axis; errors along it may be the same everywhere."""
    count = x.value.shape[axis]
    total = x.size.sum(axis, dtype=np.float32)
    rounding = U * total * np.sqrt(_weighty(count, total, (x.size**2).sum(axis)))
    return Rounded(x.value.mean(axis), x.size.mean(axis),
                   _both(x.error.mean(axis), rounding / count))


def weighted(x, kernel, least=0.0, alike=False) -> Rounded:
    """Sums of the last axis with weights: a matrix product.

    Args:
        x: shape (..., inputs).
        kernel: shape (inputs, units).
        least: a kernel of this norm or less is left out; its norm times that of what lies under it
            is the most that this can change, and becomes the error.
        alike: whether equal inputs have equal errors, which then add up.
    """
    norms, largest_weight = np.sqrt((kernel**2).sum(0)), np.abs(kernel).max(0)
    live = np.flatnonzero(norms > least)
    # Relative to the largest weight, so that squares of dead kernels do not vanish in float32.
    scale = largest_weight[live].astype(np.float32)
    absolute = (np.abs(kernel[:, live]) / largest_weight[live]).astype(np.float32)
    size = x.size @ absolute
    rounding = U * size * np.sqrt(_weighty(len(kernel), size, x.size**2 @ absolute**2))
    inherited = x.error @ absolute if alike else np.sqrt(x.error**2 @ absolute**2)
    error = _both(rounding, inherited) * scale + np.float32(len(kernel) * TINY)
    found = x.value @ kernel[:, live], size * scale, error
    if len(live) < len(norms):
        most = np.sqrt((x.size**2).sum(-1, keepdims=True)) * norms.astype(np.float32)
        whole = np.zeros(most.shape), most, most.copy()
        for all_units, part in zip(whole, found, strict=True):
            all_units[..., live] = part
        found = whole
    return Rounded(*found)


def _both(one, other):
    """Of two independent errors together."""
    return np.sqrt(one * one + other * other)


def _weighty(count, total, squares):
    """How many equal terms would have this sum and this sum of squares."""
    equal = np.divide(total**2, squares, out=np.full_like(total, count), where=squares > 0)
    return np.clip(equal, count / 16, count)


def correlate(x, kernel, least=0.0, alike=False, beyond=0.0) -> Rounded:
    """Cross-correlation, with zeros before and after in time as TensorFlow's "same" padding.

    Args:
        x: shape (frames, rows).
        kernel: shape (k, bands, units).
        least, alike: as `weighted`.
        beyond: size of what a folded network has in place of the zeros.

    Returns:
        shape (frames, rows - bands + 1, units); the middle axis is dropped where it is 1.
    """
    length, bands, units = kernel.shape
    before = (length - 1) // 2

    def windows(values, fill=0.0):
        padded = np.pad(values, ((before, length - 1 - before), (0, 0)), constant_values=fill)
        seen = np.lib.stride_tricks.sliding_window_view(padded, (length, bands))
        return seen.reshape(*seen.shape[:2], length * bands)

    under = Rounded(windows(x.value), windows(x.size, beyond), windows(x.error))
    found = weighted(under, kernel.reshape(-1, units), least, alike)
    return found.map(lambda values: values[:, 0]) if found.value.shape[1] == 1 else found


def sigmoid(x) -> Rounded:
    """The logistic function, whose slope is at most 1/4."""
    value = 1 / (1 + np.exp(-x.value))
    slope = np.minimum(0.25, value * (1 - value) * np.exp(x.bound))
    return Rounded(value, value, _both(slope * x.error, 8 / SAFETY * U * value))


def same(found, expected) -> bool:
    """Whether two computations in float64 agree, relative to the largest number."""
    scale = max(1.0, float(np.abs(expected).max()))
    return bool(np.abs(np.asarray(found, np.float64) - expected).max() <= FLOAT64 * scale)
