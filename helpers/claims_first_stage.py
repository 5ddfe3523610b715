"""The articles' claims of parts 2 to 9: input and first stage.

Values are those of the articles, facts carried over; the sentences are ours. Shown on the page
"Claims ledger"; the chapters with the parts' numbers show each at length.
"""

import numpy as np

from helpers.claim import TOLERANCE, YOURS, claim, verdict
from helpers.layers import BLOCKS, FAMILIES, LAYERS, family_slices
from helpers.spectrogram import FRAME_SECONDS, PATCH_SECONDS
from helpers.units import constants, live_rows, row_unit


def _kernels(kind):
    """How many kernels of CNN_1 are of this kind, "temporal" or "timbral", in the weights."""
    return sum(BLOCKS[f"cnn_1/{name}"].kernel[-1] for name in FAMILIES if name.startswith(kind))


# Part 1 reviews the system; the recap at hand holds no figure of it.

# Part 2


@claim(2, "The network works on segments of 3 seconds", "3 s")
def _segments(context):
    frames = LAYERS["input/db_mel"].shape[0]
    return f"{frames} frames, {PATCH_SECONDS:.3f} s", verdict(abs(PATCH_SECONDS - 3) < 0.05)


# Part 3


@claim(3, "The input is a mel spectrogram in decibels", "dB mel spectrogram, by its name")
def _decibels(context):
    from helpers.probes import sine
    from helpers.spectrogram import db_mel

    loud = sine(1000).samples
    step = db_mel(loud).max() - db_mel(loud / np.float32(10**0.5)).max()
    return (f"sound that is 10 dB softer lowers its maximum by {step:.2f}: the unit is the bel, "
            "and 1 is added before the logarithm", verdict(abs(step - 10) < 0.5))


@claim(3, "Before the first layer the spectrogram is normalised", "normalised")
def _normalised(context):
    acts = context.msd.activations(context.patches, ["input/db_mel", "input/normalized"])
    w = context.msd.weights("input")
    difference = np.abs(acts["input/db_mel"] * w["gain"] + w["offset"]
                        - acts["input/normalized"]).max()
    return (f"one gain, {w['gain'].item():.3f}, and one offset, {w['offset'].item():.3f}, for all "
            f"frames and bands", verdict(difference < 1e-4))


# Parts 4 to 6


@claim(4, "The number of one-dimensional convolutions in CNN_1", "153")
def _temporal(context):
    count = _kernels("temporal")
    return str(count), verdict(count == 153)


@claim(5, "The number of two-dimensional convolutions in CNN_1", "408")
def _timbral(context):
    count = _kernels("timbral")
    return str(count), verdict(count == 408)


@claim(6, "The number of filtered versions of the input that CNN_1 makes", "561")
def _filtered(context):
    count = _kernels("")
    return str(count), verdict(count == 561)


# Part 7


@claim(7, "Normalisation comes just after CNN_1, bias and activation included", "the order")
def _order(context):
    names = ["cnn_1/timbral_38/relu", "cnn_1/timbral_38/norm"]
    relu, norm = context.msd.activations(context.patches[:1], names).values()
    w = context.msd.weights("cnn_1/timbral_38")
    difference = np.abs(relu * w["gain"] + w["offset"] - norm).max()
    return ("each output after ReLU times one gain plus one offset; largest difference "
            f"{difference:.0e}", verdict(difference < 1e-3))


# Part 8


@claim(8, "The dimensions of the one time series that leaves the first stage and enters the second",
       "561")
def _dimensions(context):
    given = context.u[0].shape[-1]
    taken = context.msd.weights("cnn_2")["kernel"].shape[1]
    return f"{given} rows leave it, {taken} enter CNN_2", verdict(given == taken == 561)


# Part 9


@claim(9, "The size of U for one segment", "561 × 187")
def _size(context):
    frames, rows = context.u[0].shape[1:]
    return f"{rows} × {frames}", verdict((rows, frames) == (561, 187))


@claim(9, "The step of U in time", "16 ms")
def _step(context):
    return f"{1000 * FRAME_SECONDS:g} ms", verdict(FRAME_SECONDS == 0.016)


@claim(9, "The bands of U from bottom to top", "38 × 7, 67 × 7, 1 × 128, 1 × 64, 1 × 32")
def _bands(context):
    names = [f"cnn_1/{family}/max" for family in FAMILIES]
    acts = context.msd.activations(context.patches[:1], ["cnn_1/out", *names])
    found = [f"{FAMILIES[family][1]} × {FAMILIES[family][0]}"
             for family, rows in family_slices().items()
             if np.array_equal(acts["cnn_1/out"][..., rows], acts[f"cnn_1/{family}/max"])]
    shown = ", ".join(found)
    return shown, verdict(shown == "38 × 7, 67 × 7, 1 × 128, 1 × 64, 1 × 32")


@claim(9, "A row of U is made by normalising and then taking the maximum over frequency",
       "normalise, then maximum")
def _maximum(context):
    names = ["cnn_1/temporal_32/norm", "cnn_1/temporal_32/max"]
    norm, out = context.msd.activations(context.patches[:1], names).values()
    equal = norm.max(axis=2) == out
    return f"equal in {equal.mean():.0%} of the values", verdict(equal.all())


@claim(9, "MSD: rows of U that have to do with the input", "62")
def _live(context):
    count = int((~context.dead).sum())
    return f"{count} kernels have a norm above 0.01", verdict(count == 62)


@claim(9, "MSD: the first live unit, counting from 0", "unit 12")
def _first(context):
    row = int(live_rows(context.msd)[0])
    family, unit = row_unit(row)
    return f"row {row}: unit {unit} of {family}", verdict(row == 12)


@claim(9, "MSD: rows of U that have nothing to do with the input", "499", "clip")
def _nothing(context):
    u, dead = context.u[0], context.dead
    moving = np.abs(u - constants(context.msd)).max(axis=(0, 1))[dead] > 1e-6
    return (f"{dead.sum()} rows are dead; {(~moving).sum()} are constant to a millionth, "
            f"{moving.sum()} still follow the input faintly",
            verdict(dead.sum() == 499 and not moving.any()))


@claim(9, "MSD: the other 499 rows are effectively zero", "effectively zero", "clip")
def _zero(context):
    u, dead = context.u[0], context.dead
    largest, of_live = np.abs(u[..., dead]).max(), np.abs(u[..., ~dead]).max()
    return (f"at most {largest:.2g} in size; live rows reach {of_live:.0f}",
            verdict(largest < 1e-3 * of_live))


def _unchanged(context, net, u, tags, dead):
    """Largest change of a tag when dead rows are replaced by constants from the weights alone."""
    edited = np.where(dead, constants(net), u)
    after = net.activations(context.patches, ["tags/sigmoid"], replace={"cnn_1/out": edited})
    return float(np.abs(after["tags/sigmoid"] - tags).max())


@claim(9, "MSD: the tags come from only 62 structures in time and time-frequency", "62", "clip")
def _end_to_end(context):
    change = _unchanged(context, context.msd, *context.u, context.dead)
    count = int((~context.dead).sum())
    return (f"{count}: with all other rows replaced by constants no tag moves by more than "
            f"{change:.0e}", verdict(change < TOLERANCE and count == 62))


@claim(9, "MSD: what counts are maximum correlations and anti-correlations with the structures",
       "both, not counted")
def _anti(context):
    gains = np.concatenate([context.msd.weights(f"cnn_1/{family}")["gain"] for family in FAMILIES])
    positive, negative = (int((sign * gains[live_rows(context.msd)] > 0).sum()) for sign in (1, -1))
    return (f"{positive} correlations and {negative} anti-correlation{'s' * (negative != 1)} "
            "(negative gain); weighted sums, not coefficients between −1 and 1",
            verdict(positive and negative))


@claim(9, "MSD: the pictures of U and of its row 12 for a segment of Disco Duck", "pictures",
       "GTZAN")
def _pictures(context):
    row = context.u[0][..., 12]
    return (f"row 12 lies between {row.min():.1f} and {row.max():.1f}; the pictures give no "
            "numbers to compare with", YOURS)
