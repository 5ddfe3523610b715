"""Measures of the articles' claims of parts 2 to 9: input and first stage.

The chapters with the parts' numbers show each at length.
"""

import numpy as np

from helpers.evidence.ledger import YOURS, holds, measures, told
from helpers.evidence.margins import Answer, below, same_but_for_rounding
from inside_musicnn.network.layers import FAMILIES, LAYERS, family_slices
from inside_musicnn.network.units import THRESHOLD, constants, live_rows, row_unit
from inside_musicnn.sound.probes import sine
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS, db_mel

MOVING = 1e-5  # dead rows move by much less than this, or by much more: tests/test_margins.py
SAME_TAGS = 1e-4  # how far a tag may move for the tags to count as unchanged
SIZES = "38 × 7, 67 × 7, 1 × 128, 1 × 64, 1 × 32"


def _kernels(context):
    """Frames and bands of every kernel of CNN_1, from the weights, shape (561, 2)."""
    shapes = [context.msd.weights(f"cnn_1/{family}")["kernel"].shape for family in FAMILIES]
    return np.concatenate([np.tile(shape[:2], (shape[2], 1)) for shape in shapes])


@measures
def segments(context):
    frames = LAYERS["input/db_mel"].shape[0]
    return holds(abs(PATCH_SECONDS - 3) < 0.05), {"frames": frames, "seconds": PATCH_SECONDS}


@measures
def decibels(context):
    loud = sine(1000).samples
    step = db_mel(loud).max() - db_mel(loud / np.float32(10**0.5)).max()
    return holds(abs(step - 10) < 0.5, abs(step - 1) < 0.05), {"step": float(step)}


@measures
def normalised_input(context):
    acts = context.msd.activations(context.patches, ["input/db_mel", "input/normalized"])
    w, given = context.msd.weights("input"), acts["input/db_mel"]
    same = same_but_for_rounding(given * w["gain"] + w["offset"], acts["input/normalized"],
                                 np.abs(given * w["gain"]) + np.abs(w["offset"]))
    return holds(same), {"gain": w["gain"].item(), "offset": w["offset"].item()}


@measures
def temporal_kernels(context):
    frames, bands = _kernels(context).T
    count = int(((frames > 1) & (bands == 1)).sum())
    return holds(count == 153), {"count": count}


@measures
def timbral_kernels(context):
    frames, bands = _kernels(context).T
    count = int(((frames > 1) & (bands > 1)).sum())
    return holds(count == 408), {"count": count}


@measures
def filtered_versions(context):
    count = len(_kernels(context))
    return holds(count == 561), {"count": count}


@measures
def order_of_normalisation(context):
    names = ["cnn_1/timbral_38/relu", "cnn_1/timbral_38/norm"]
    relu, norm = context.msd.activations(context.patches[:1], names).values()
    w = context.msd.weights("cnn_1/timbral_38")
    size = np.abs(w["gain"]) * (relu + np.abs(w["mean"])) + np.abs(w["beta"])
    found = relu * w["gain"] + w["offset"]
    return holds(same_but_for_rounding(found, norm, size)), {
        "difference": float(np.abs(found - norm).max())}


@measures
def rows_between_stages(context):
    given = context.u[0].shape[-1]
    taken = context.msd.weights("cnn_2")["kernel"].shape[1]
    return holds(given == taken == 561), {"leave": given, "enter": taken}


@measures
def size_of_u(context):
    frames, rows = context.u[0].shape[1:]
    return holds((rows, frames) == (561, 187)), {"rows": rows, "frames": frames}


@measures
def step_of_u(context):
    return holds(FRAME_SECONDS == 0.016), {"milliseconds": 1000 * FRAME_SECONDS}


@measures
def bands_of_u(context):
    names = [f"cnn_1/{family}/max" for family in FAMILIES]
    acts = context.msd.activations(context.patches[:1], ["cnn_1/out", *names])
    found = ", ".join(
        f"{FAMILIES[family][1]} × {FAMILIES[family][0]}"
        for family, rows in family_slices().items()
        if np.array_equal(acts["cnn_1/out"][..., rows], acts[f"cnn_1/{family}/max"]))
    return holds(found == SIZES), {"sizes": found}


@measures
def normalise_then_maximum(context):
    names = ["cnn_1/temporal_32/norm", "cnn_1/temporal_32/max"]
    norm, out = context.msd.activations(context.patches[:1], names).values()
    equal = norm.max(axis=2) == out
    return holds(equal.all()), {"equal": equal.mean()}


@measures
def live_rows_of_msd(context):
    count = int((~context.dead).sum())
    return holds(count == 62), {"count": count, "threshold": THRESHOLD}


@measures
def first_live_unit(context):
    row = int(live_rows(context.msd)[0])
    family, unit = row_unit(row)
    return holds(row == 12), {"row": row, "unit": unit, "family": family}


@measures
def nothing_to_do_with_the_input(context):
    u, dead = context.u[0], context.dead
    moving = np.abs(u - constants(context.msd)).max(axis=(0, 1))[dead] > MOVING
    return holds(dead.sum() == 499 and not moving.any(), dead.sum() == 499), {
        "dead": int(dead.sum()), "constant": int((~moving).sum()), "moving": int(moving.sum())}


@measures
def effectively_zero(context):
    u, dead = context.u[0], context.dead
    largest, of_live = float(np.abs(u[..., dead]).max()), float(np.abs(u[..., ~dead]).max())
    return told(below(largest, 1e-3 * of_live), {"largest": largest, "live": of_live})


@measures
def only_62_structures(context):
    u, tags = context.u
    edited = np.where(context.dead, constants(context.msd), u)
    after = context.msd.activations(context.patches, ["tags/sigmoid"],
                                    replace={"cnn_1/out": edited})
    change = float(np.abs(after["tags/sigmoid"] - tags).max())
    count = int((~context.dead).sum())
    same = below(change, SAME_TAGS, SAME_TAGS / 10)
    return told(same if count == 62 else Answer.NO, {
        "count": count, "change": change, "tolerance": SAME_TAGS})


@measures
def anti_correlations(context):
    gains = np.concatenate([context.msd.weights(f"cnn_1/{family}")["gain"] for family in FAMILIES])
    positive, negative = (int((sign * gains[live_rows(context.msd)] > 0).sum()) for sign in (1, -1))
    return holds(positive > 0 and negative > 0), {"positive": positive, "negative": negative}


@measures
def pictures_of_u(context):
    row = context.u[0][..., 12]
    return YOURS, {"low": float(row.min()), "high": float(row.max())}
