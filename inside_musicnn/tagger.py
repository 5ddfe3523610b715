"""MusiCNN for programs: tags, features and their reasons, from files, arrays and streams.

    from inside_musicnn import Tagger

    tagger = Tagger("MSD_musicnn")
    tagger.tags("song.mp3")                      # {"rock": 0.41, ...}, most likely first

It needs NumPy, soundfile and soxr. The network is the compact one, whose scores agree with the
original's to 1e-4. The page *Use it* has examples; chapter 17 tells why it is exact.
"""

import math
import os
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from inside_musicnn.cores import count_cores
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import visible
from inside_musicnn.network.decomposition import LEVELS, check_tag, decompose
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.musicnn import MusiCNN
from inside_musicnn.sound.clips import Clip
from inside_musicnn.sound.levels import Levels
from inside_musicnn.sound.patching import PATCHES_AT_ONCE, patch_batches
from inside_musicnn.sound.recordings import open_recording
from inside_musicnn.sound.samples import ARRAY, STREAM, array_blocks, stream_blocks
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS

Sound: TypeAlias = str | os.PathLike[str] | Clip | ArrayLike
Given = TypeVar("Given")


class Pooled(NamedTuple):
    """Maximum and mean over time of the 753 series, each float32, shape (patches, 753)."""

    max: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True)
class Heard:
    """One patch of a stream.

    Attributes:
        start, end: seconds from the beginning of the stream.
        labels: names of the tags.
        scores: between 0 and 1, float32, shape (50,), in the order of the labels.
        embedding: float32, shape (200,).
    """

    start: float
    end: float
    labels: Sequence[str] = field(repr=False)
    scores: np.ndarray = field(repr=False)
    embedding: np.ndarray = field(repr=False)

    @property
    def tags(self) -> dict[str, float]:
        """The scores by tag, most likely first."""
        return _ranked(self.labels, self.scores)


@dataclass(frozen=True)
class Contributions:
    """A tag's logit as an exact sum, for each patch: `values` and `constants` add up to `logits`.

    Attributes:
        tag: its name.
        of: what the parts are: "series", "structures" or "bins".
        values: float64: series, (patches, 753, 2), of maximum and mean; structures, (patches, 187,
            561), of frames and rows of U; bins, (patches, 187, 96), of frames and mel bands.
        constants: what does not depend on the sound of the patch at this level, (patches,).
        logits: before the sigmoid, (patches,).
    """

    tag: str
    of: str
    values: np.ndarray = field(repr=False)
    constants: np.ndarray = field(repr=False)
    logits: np.ndarray = field(repr=False)


class Tagger:
    """One of the two networks, ready to answer.

    A sound is the path of an audio file, a `Clip`, or samples with their rate: an array of any
    real type, of shape (n,), (n, channels) or (channels, n). It is mixed down, resampled to 16 kHz
    as librosa does it, and cut into patches of 187 frames, 2.992 s, side by side; a rest shorter
    than a patch is left out. With `hop` patches begin every so many seconds instead, rounded to
    frames of 16 ms.

    An object may be used by many threads at once, goes through `pickle`, and answers in processes
    that were forked. All arrays that it returns are the caller's own.

    What is doubtful about a file or an array, such as silence, is told by `warnings`; a `Clip`
    has its own `notes`, and of a stream nothing is told.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        threads: cores for one answer; all if None.

    Attributes:
        model: the network's name.
        labels: its 50 tags, in the order of the columns.

    Raises:
        InputError: unknown model. Methods: one sentence on what is wrong with a sound, a file or
            an argument.
    """

    patch_seconds = PATCH_SECONDS

    def __init__(self, model: str = "MSD_musicnn", *, threads: int | None = None) -> None:
        _check_threads(threads)
        self._net = MusiCNN(model, compact=True, threads=threads)
        self._net.engine  # noqa: B018  (made now, so that no two threads make it)
        self.model, self.labels = model, tuple(self._net.labels)
        self._threads = threads

    def __repr__(self) -> str:
        return f"Tagger('{self.model}')"

    def __reduce__(self) -> tuple[Any, ...]:
        return _tagger, (self.model, self._threads)

    def tags(self, sound: Sound, rate: float | None = None, *, top: int | None = None
             ) -> dict[str, float]:
        """Mean score of each tag over the patches, most likely first.

        Args:
            sound, rate: see the class; the rate is for samples alone.
            top: how many tags; all 50 if None.
        """
        if top is not None and not 1 <= top <= len(self.labels):
            raise InputError(f"The number of tags is {top}; it must be 1 to {len(self.labels)}.")
        mean = self.taggram(sound, rate).mean(axis=0)
        return dict(list(_ranked(self.labels, mean).items())[:top])

    def taggram(self, sound: Sound, rate: float | None = None, *, hop: float | None = None
                ) -> np.ndarray:
        """Scores between 0 and 1, float32, shape (patches, 50), columns as `labels`."""
        return self._layer(sound, rate, hop, "tags/sigmoid")

    def embedding(self, sound: Sound, rate: float | None = None, *, hop: float | None = None
                  ) -> np.ndarray:
        """The layer before the tags, float32, shape (patches, 200).

        After ReLU and normalisation, as the package's `penultimate`; Essentia's 200 numbers are
        the layer "dense/bias", before both.
        """
        return self._layer(sound, rate, hop, "dense/norm")

    def pooled(self, sound: Sound, rate: float | None = None, *, hop: float | None = None
               ) -> Pooled:
        """Maximum and mean over each patch of the 753 series that leave the second stage."""
        found = self.layers(sound, ["pool/max", "pool/mean"], rate, hop=hop)
        return Pooled(found["pool/max"], found["pool/mean"])

    def layers(self, sound: Sound, names: str | Sequence[str], rate: float | None = None, *,
               hop: float | None = None) -> dict[str, np.ndarray]:
        """Named layers of the compact network, float32, patch axis first.

        Args:
            names: such as "cnn_1/out", (patches, 187, 561), or "stage_2/out", (patches, 187, 753);
                a wrong one is answered with all that there are. Rows of units that do not live are
                at the constants that they are.
        """
        names = [names] if isinstance(names, str) else list(names)
        self._net.check_given(names)
        parts = [self._net.activations(patches, names)
                 for patches in _batches(sound, rate, _frames(hop))]
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def contributions(self, sound: Sound, tag: str, rate: float | None = None, *,
                      of: str = "structures", hop: float | None = None) -> Contributions:
        """What each part of a sound adds to a tag's logit, or takes from it: exact sums.

        Values are relative to what the network remembers as usual, so that parts as usual add
        nothing. Explained in chapter 15.

        Args:
            tag: one of `labels`.
            of: the parts: "series" that are pooled, "structures" at each moment, or "bins" of the
                spectrogram; each costs more than the one before. A patch of the last two takes 0.8
                and 0.1 MB.
        """
        check_tag(self._net, tag)
        if of not in LEVELS:
            raise InputError(f"There are no contributions of '{of}'; choose one of "
                             f"{', '.join(LEVELS)}.")
        parts = [decompose(self._net, patch, tag, down_to=of)
                 for patches in _batches(sound, rate, _frames(hop)) for patch in patches]
        return Contributions(tag, of, np.stack([getattr(part, of)[0] for part in parts]),
                             np.array([part.constants[of][0] for part in parts]),
                             np.array([part.logit[0] for part in parts]))

    def stream(self, blocks: Iterable[ArrayLike], rate: float, *, hop: float | None = None
               ) -> Iterator[Heard]:
        """Answers to sound that is still coming: each patch as soon as it is complete.

        A patch is 2.992 s; its answer comes with the block that ends it, some hundredths of a
        second later. Memory does not grow.

        Args:
            blocks: arrays of shape (n,) or (n, channels), of any length, that follow one another.
            rate: samples in a second.
            hop: seconds from the start of one patch to the start of the next.

        Raises:
            InputError: where a block is wrong, or at the end if there was less than one patch.
        """
        frames, levels = _frames(hop), Levels()
        samples = stream_blocks(blocks, rate, levels)
        for number, patches in enumerate(patch_batches(samples, STREAM, 1, hop=frames)):
            found = self._net.activations(patches, ["tags/sigmoid", "dense/norm"])
            start = number * frames * FRAME_SECONDS
            yield Heard(start, start + PATCH_SECONDS, self.labels, found["tags/sigmoid"][0],
                        found["dense/norm"][0])

    def each(self, sounds: Iterable[Given], rate: float | None = None, *,
             threads: int | None = None) -> Iterator[tuple[Given, dict[str, float] | InputError]]:
        """Tags of many sounds, read and heard side by side.

        Args:
            sounds: any number of them; they are asked for as the work goes on.
            rate: of all that are samples.
            threads: how many at once; one for each core if None.

        Yields:
            each sound with its tags as `tags` gives them, in order; in place of the tags of one
            that cannot be read, the InputError.
        """
        _check_threads(threads)
        count = threads or count_cores()
        waiting: deque[tuple[Given, Future[dict[str, float] | InputError]]] = deque()
        with ThreadPoolExecutor(count) as pool:
            try:
                for sound in sounds:
                    waiting.append((sound, pool.submit(self._answer, sound, rate)))
                    if len(waiting) > 2 * count:
                        first, answer = waiting.popleft()
                        yield first, answer.result()
                while waiting:
                    first, answer = waiting.popleft()
                    yield first, answer.result()
            finally:
                for _, answer in waiting:
                    answer.cancel()

    def _answer(self, sound: Any, rate: float | None) -> dict[str, float] | InputError:
        try:
            return self.tags(sound, rate)
        except InputError as error:
            return error

    def _layer(self, sound: Sound, rate: float | None, hop: float | None, name: str) -> np.ndarray:
        return self.layers(sound, name, rate, hop=hop)[name]


def _tagger(model: str, threads: int | None) -> Tagger:
    """What `pickle` calls."""
    return Tagger(model, threads=threads)


def _check_threads(threads: int | None) -> None:
    if threads is not None and (int(threads) != threads or threads < 1):
        raise InputError(f"The number of threads is {threads!r}; it must be a whole number, at "
                         "least 1.")


def _ranked(labels: Sequence[str], scores: np.ndarray) -> dict[str, float]:
    return {labels[i]: float(scores[i]) for i in np.argsort(-scores, kind="stable")}


def _frames(hop: float | None) -> int:
    """Frames from one patch to the next."""
    if hop is None:
        return FRAMES
    try:
        frames = round(hop / FRAME_SECONDS) if math.isfinite(hop) else 0
    except TypeError:
        frames = 0
    if frames < 1:
        raise InputError(f"The hop is {hop!r}; it must be a number of seconds, at least "
                         f"{FRAME_SECONDS:g}.")
    return frames


def _batches(sound: Sound, rate: float | None, hop: int) -> Iterator[np.ndarray]:
    """Patches of a sound, some at a time; what is doubtful is told at the end."""
    if isinstance(sound, str | os.PathLike | Clip):
        if rate is not None:
            raise InputError("A rate is given together with a file or clip, which has its own; "
                             "leave it out.")
        if isinstance(sound, Clip):
            patches = sound.patches(hop)
            yield from np.split(patches, range(PATCHES_AT_ONCE, len(patches), PATCHES_AT_ONCE))
            return
        recording = open_recording(sound)
        yield from recording.patch_batches(hop=hop)
        notes: Iterable[str] = recording.notes
    else:
        if rate is None:
            raise InputError("Samples are given without their rate; add it, such as 44100.")
        levels = Levels()
        yield from patch_batches(array_blocks(sound, rate, levels), ARRAY, hop=hop)
        notes = levels.notes(ARRAY)
    for note in notes:
        warnings.warn(visible(note), stacklevel=4)
