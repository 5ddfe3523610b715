"""The sentences on what is wrong or doubtful with a file; `shown` is how the reader called it."""

from collections.abc import Sequence

from inside_musicnn.network.layers import FRAMES
from inside_musicnn.sound.condition import Damage
from inside_musicnn.sound.spectrogram import HOP, SAMPLE_RATE

_PLACES = 3  # that are told


def unreadable(shown: str) -> str:
    """No decoder understands it."""
    return (f"The file {shown} cannot be read as audio; give WAV, FLAC, OGG, MP3, M4A or another "
            "format that players play, complete and playable.")


def without_decoder(shown: str) -> str:
    """libsndfile does not understand it, and there is no other decoder."""
    return (f"The file {shown} cannot be read as audio; give WAV, FLAC, OGG or MP3, or install "
            "the package `av`, which reads more formats.")


def without_samples(shown: str) -> str:
    """There is a header and nothing else."""
    return f"The audio file {shown} holds no samples; give one with sound in it."


def not_finite(shown: str) -> str:
    """Samples are NaN or infinite."""
    return (f"The audio in {shown} has samples that are not a number or infinite; repair it or "
            "export it again.")


def too_large(shown: str, largest: float) -> str:
    """Samples are so large that nothing can be computed of them."""
    return (f"The audio in {shown} has samples as large as {largest:.0e}, which are meant to stay "
            "within -1 to 1; repair it or export it again.")


def beyond_the_end(shown: str, offset: float, length: float) -> str:
    """The start lies after the audio's end; both in seconds."""
    return (f"The offset of {offset:g} s is beyond the end of {shown}, which lasts {length:.2f} s; "
            "choose a smaller one.")


def too_short(shown: str, samples: int, frames: int = FRAMES) -> str:
    """Its `samples` samples do not fill a patch of `frames` frames."""
    return (f"The audio in {shown} is too short: {samples / SAMPLE_RATE:.2f} s from the offset on, "
            f"and one patch of {frames} frames needs {(frames - 1) * HOP / SAMPLE_RATE:.2f} s.")


def damaged(shown: str, damages: Sequence[Damage]) -> str:
    """It is refused, as sound is lost."""
    return (f"The audio file {shown} {_what(damages)}; get a complete copy, or read what is left "
            "with --damaged (in Python, damaged=True).")


def read_although(shown: str, damages: Sequence[Damage]) -> str:
    """It is read, although sound is lost."""
    return f"The audio file {shown} {_what(damages, ' and read as silence')}."


def doubtful(shown: str) -> str:
    """Nothing tells whether more was to come."""
    return (f"Whether {shown} is whole cannot be told: it states no length and has no mark at its "
            "end; all that is there was read.")


def _what(damages: Sequence[Damage], instead: str = "") -> str:
    """What is wrong with it, and where; what stands there instead."""
    cut = [damage for damage in damages if damage.at_end]
    gaps = [damage for damage in damages if not damage.at_end]
    parts = []
    if gaps:
        places = [f"{_extent(each.seconds)} from {each.start:.2f} s on" for each in gaps[:_PLACES]]
        if len(gaps) > _PLACES:
            places.append(f"more in {len(gaps) - _PLACES} other places")
        parts.append("is damaged: " + _listed(places) + (
            " is lost" if len(gaps) == 1 else " are lost") + instead)
    if cut:
        missing = cut[0].seconds
        rest = "in the middle of a page or frame" if missing is None else (
            f"{missing:.2f} s before its header says")
        parts.append(f"is truncated: it ends after {cut[0].start:.2f} s, {rest}")
    return ", and it ".join(parts)


def _extent(seconds: float | None) -> str:
    return "an unknown length" if seconds is None else f"{seconds:.2f} s"


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else items[0]
