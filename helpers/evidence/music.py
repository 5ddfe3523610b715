"""The music that comes with the book, as single kernels of the first stage hear it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from helpers.evidence.basis import Basis
from helpers.evidence.sound_features import flux
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.sound.clips import Clip, load_clip
from inside_musicnn.sound.shipped import RECORDING, SYNTHESISED, clip_facts, clip_names
from inside_musicnn.sound.spectrogram import FRAME_SECONDS

FEWEST = 10  # recordings; where fewer are at hand, the synthesised clips join them
SECONDS = 18.0  # of each clip: enough for a tempo
TEMPI = 40, 240  # beats per minute: what counts as a tempo


@dataclass(frozen=True, eq=False)
class Moment:
    """Where in the music a kernel found something.

    Attributes:
        clip: which one.
        frame, position: the first frame and the lowest band under the kernel.
        value: its output there, before bias and ReLU.
        cosine: the angle's cosine between the kernel and what lies under it.
    """

    clip: Clip
    frame: int
    position: int
    value: float
    cosine: float


@cache
def music() -> tuple[Clip, ...]:
    """The first 18 s of each recording that comes with the book; of the synthesised clips too where
    there are fewer than ten."""
    names = list(clip_names(RECORDING))
    if len(names) < FEWEST:
        names += clip_names(SYNTHESISED)
    return tuple(load_clip(name, duration=SECONDS) for name in names)


def source(clip: Clip) -> str:
    """Whose a clip is: the cluster for intervals."""
    return clip_facts(clip.name).get("source", clip.name)


def basis(clips: Sequence[Clip]) -> Basis:
    """What a number rests on that was measured on these clips."""
    kind = RECORDING if all(clip.kind == RECORDING for clip in clips) else SYNTHESISED
    return Basis(len(clips), len(set(map(source, clips))), kind=kind)


def outputs(kernels: np.ndarray, spectrogram: np.ndarray) -> Iterator[np.ndarray]:
    """What kernels make of a spectrogram, where they lie within it: blocks of frames.

    Args:
        kernels: of one size, shape (frames, bands, kernels).
        spectrogram: normalised, shape (any number of frames, 96).

    Yields:
        shape (up to 187 frames, positions, kernels), block after block.
    """
    size, flat = kernels.shape[:2], kernels.reshape(-1, kernels.shape[2]).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(spectrogram.astype(np.float32), size)
    for first in range(0, len(windows), FRAMES):
        part = windows[first : first + FRAMES]
        yield (part.reshape(-1, len(flat)) @ flat).reshape(*part.shape[:2], -1)


def best_moments(kernels: np.ndarray, normal: Mapping[str, np.ndarray],
                 clips: Sequence[Clip] | None = None) -> list[list[Moment]]:
    """For each kernel its best match in each clip, the best of all first.

    Args:
        kernels: of one size, shape (frames, bands, kernels).
        normal: parameters of the first normalisation, `net.weights("input")`.
        clips: where to look; all that `music` has if None.
    """
    found: list[list[Moment]] = [[] for _ in range(kernels.shape[2])]
    frames, bands = kernels.shape[:2]
    for clip in music() if clips is None else clips:
        sound = normal["gain"] * clip.db_mel + normal["offset"]
        answers = np.concatenate(list(outputs(kernels, sound)))
        for number, best in enumerate(answers.reshape(-1, kernels.shape[2]).argmax(axis=0)):
            frame, low = divmod(int(best), answers.shape[1])
            under, kernel = sound[frame : frame + frames, low : low + bands], kernels[..., number]
            size = np.linalg.norm(kernel) * np.linalg.norm(under)
            found[number].append(Moment(clip, frame, low, float(answers[frame, low, number]),
                                        float((kernel * under).sum() / max(size, 1e-12))))
    return [sorted(each, key=lambda moment: -round(moment.value, 5)) for each in found]


def different(moments: Sequence[Moment], count: int) -> list[Moment]:
    """The first moments, no two of them from one author."""
    kept: dict[str, Moment] = {}
    for moment in moments:
        kept.setdefault(source(moment.clip), moment)
    return list(kept.values())[:count]


def measured_tempo(clip: Clip) -> tuple[float, float]:
    """Tempo of a clip in beats per minute, and how clear it is, from 0 to 1.

    The flux of the spectrogram is laid on itself, one to four beats later: the tempo is the delay
    at which it is most like itself, and the clarity is how much. Half and double tempi are often
    as good an answer.
    """
    pulse = flux(clip.db_mel)
    pulse = pulse - pulse.mean()
    size = 2 * len(pulse)
    curve = np.fft.irfft(np.abs(np.fft.rfft(pulse, size)) ** 2)[: len(pulse)]
    curve /= max(curve[0], 1e-12)
    tempi = np.geomspace(*TEMPI, 600)
    beats = np.arange(1, 5)[:, None] * 60 / tempi / FRAME_SECONDS
    clarity = np.interp(beats, np.arange(len(curve)), curve).mean(axis=0)
    best = int(clarity.argmax())
    return float(tempi[best]), float(max(clarity[best], 0))
