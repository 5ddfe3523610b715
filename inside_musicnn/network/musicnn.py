"""MusiCNN with its released weights: every named layer, tags, weights, replaced tensors.

Explained in chapter 2; the compact network in chapter 17.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs
from inside_musicnn.network.answer_cache import AnswerCache
from inside_musicnn.network.layers import BANDS, LAYERS, check_layer, shape_of
from inside_musicnn.network.live_weights import LiveWeights, stored_weights
from inside_musicnn.network.units import THRESHOLD
from inside_musicnn.network.weights import MODELS, Weights, package_is_there

REMEMBERED = AnswerCache(2**28)  # answers of the original graph, shared by both networks

__all__ = ["MODELS", "HasPatches", "MusiCNN"]


@runtime_checkable
class HasPatches(Protocol):
    """Sound that can be cut into patches, such as a Clip."""

    def patches(self) -> np.ndarray:
        """dB mel spectrograms, shape (n, frames, 96)."""


class MusiCNN:
    """One of the two released networks, opened once.

    TensorFlow is imported and the original graph built when the first tensor is asked for. The
    compact network needs no TensorFlow: it has the units that live alone, gives the same tags to
    1e-4, knows U, the normalised outputs of the second stage and the layers from the pooling on,
    and goes on from replaced ones up to `stage_2/out` (`inside_musicnn.network.between`).

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        memory_limit: bytes that one answer may take; half of the free memory if None.
        compact: answer from the compact network of chapter 17.
        threshold: compact only: kernel norm up to which a unit counts as a constant; 0 is exact.
            Another than the usual one needs the package musicnn, which has all weights.
        threads: compact only: cores to use; all if None.

    Attributes:
        name: the model's name.
        labels: its 50 tags, in the order of the last layer (`musicnn/configuration.py`).
        compact: whether it is the compact network.

    Raises:
        InputError: unknown model; or the package musicnn is needed and not installed.
    """

    def __init__(self, model: str = "MSD_musicnn", memory_limit: float | None = None, *,
                 compact: bool = False, threshold: float = THRESHOLD,
                 threads: int | None = None) -> None:
        stored = compact and threshold == THRESHOLD
        self._weights: Weights | LiveWeights = stored_weights(model) if stored else Weights(model)
        self.name, self.labels = model, list(self._weights.labels)
        self.memory_limit, self.compact = memory_limit, compact
        self._options: dict[str, Any] = {"threshold": threshold, "threads": threads}
        self._opened: Any = None

    def __repr__(self) -> str:
        return f"MusiCNN('{self.name}'{', compact=True' if self.compact else ''})"

    @cached_property
    def _released(self) -> Weights:
        """All weights, in the package musicnn."""
        return self._weights if isinstance(self._weights, Weights) else Weights(self.name)

    @property
    def folder(self) -> Path:
        """Where the package musicnn keeps the weights; InputError if it is not installed."""
        return self._released.folder

    def activations(self, audio: HasPatches | ArrayLike,
                    layers: str | Sequence[str] | None = None,
                    replace: Mapping[str, ArrayLike] | None = None) -> dict[str, np.ndarray]:
        """Named tensors of the network.

        Args:
            audio: what has `patches()`, such as a Clip, whose patches lie side by side; or patches
                of shape (n, frames, 96).
            layers: names from LAYERS; all that the network has if None. One patch of all layers
                of the original takes about 100 MB, so ask for what you show.
            replace: mapping from layer name to an array of that layer's shape, patch axis first:
                the network goes on from there. An array with one patch serves for all.

        Returns:
            dict from name to float32 array, shape (n, ...): LAYERS[name].shape per patch.

        Raises:
            InputError: unknown layer, a wrong shape, more than `memory_limit` bytes, or what the
                compact network cannot answer.
        """
        patches = _as_patches(audio)
        names = [layers] if isinstance(layers, str) else layers
        if names is not None:
            names = list(dict.fromkeys(check_layer(name) for name in names))
        if self.compact:
            return self._from_compact(patches, names, replace)
        names = names or list(LAYERS)
        replaced = self._check_replaced(replace or {}, *patches.shape[:2])
        self._check_size(names, *patches.shape[:2])
        if replaced:
            return self._from_graph(patches, names, replaced)
        key = (self.name, patches.shape, AnswerCache.digest(patches))
        known = {name: values for name in names
                 if (values := REMEMBERED.get((*key, name))) is not None}
        missing = [name for name in names if name not in known]
        if missing:
            found = self._from_graph(patches, missing, {})
            REMEMBERED.put({(*key, name): values for name, values in found.items()})
            known |= found
        return {name: known[name] for name in names}

    def tags(self, audio: HasPatches | ArrayLike) -> np.ndarray:
        """The taggram: scores between 0 and 1, shape (patches, 50), columns as `labels`."""
        return self.activations(audio, ["tags/sigmoid"])["tags/sigmoid"]

    def embedding(self, audio: HasPatches | ArrayLike) -> np.ndarray:
        """The penultimate layer, normalised, shape (patches, 200).

        It is what the package calls `penultimate`; Essentia's embedding is the layer "dense/bias".
        """
        return self.activations(audio, ["dense/norm"])["dense/norm"]

    def weights(self, block: str) -> dict[str, np.ndarray]:
        """The learned parameters of one block, float32.

        Args:
            block: a name from BLOCKS, such as "input", "cnn_1/timbral_38", "cnn_2" or "tags".

        Returns:
            dict with those of these that the block has: kernel, shape (frames, rows, units) for
            convolutions, with rows the mel bands or the rows below, and (inputs, units) for dense
            layers; bias; gamma, beta, mean, variance of batch normalisation; and gain and offset,
            the same normalisation as one multiplication and one addition, gain x + offset. The
            compact network has no kernels of its own to show where the package musicnn, which
            holds those of units that are constants, is not installed.

        Raises:
            InputError: unknown block; or, from the dict, a kernel that is not there.
        """
        if isinstance(self._weights, LiveWeights) and not package_is_there():
            return self._weights.block(block)
        return self._released.block(block)

    @property
    def engine(self) -> Any:
        """The original graph or the compact network, made now if it has not been asked yet."""
        return self._engine()

    def _engine(self) -> Any:
        """The original graph or the compact network, opened at the first question."""
        if self._opened is None:
            if self.compact:
                from inside_musicnn.network.compact import Compact

                self._opened = Compact(self._weights, **self._options)
            else:
                from inside_musicnn.network.original import Graph

                self._opened = Graph(self._released)
        return self._opened

    def _from_graph(self, patches: np.ndarray, names: Sequence[str],
                    replaced: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        results = {name: np.empty((len(patches), *shape_of(name, patches.shape[1])), np.float32)
                   for name in names}
        self._engine().run(patches, results, replaced)
        return results

    def _from_compact(self, patches: np.ndarray, names: Sequence[str] | None,
                      replace: Mapping[str, ArrayLike] | None) -> dict[str, np.ndarray]:
        from inside_musicnn.network.between import LAYERS_BETWEEN
        from inside_musicnn.network.compact import LAYERS_OF_COMPACT

        names = names or list(LAYERS_OF_COMPACT)
        self.check_given(names)
        self._check_known(replace or {}, LAYERS_BETWEEN, "cannot go on from")
        return self._engine().run(patches, names,
                                  self._check_replaced(replace or {}, *patches.shape[:2]))

    def check_given(self, layers: Iterable[str]) -> None:
        """Raise InputError for a layer that this network does not have."""
        from inside_musicnn.network.between import GIVEN
        from inside_musicnn.network.compact import LAYERS_OF_COMPACT

        for name in layers:
            check_layer(name)
        if self.compact:
            self._check_known(layers, (*GIVEN, *LAYERS_OF_COMPACT), "has no layer")

    def _check_known(self, layers: Iterable[str], known: Sequence[str], what: str) -> None:
        unknown = [name for name in layers if name not in known]
        if unknown:
            raise InputError(f"The compact network {what} '{unknown[0]}', only "
                             f"{', '.join(known)}; open MusiCNN('{self.name}') for the rest.")

    def _check_replaced(self, replace: Mapping[str, ArrayLike], count: int, frames: int
                        ) -> dict[str, np.ndarray]:
        checked = {}
        for name, values in replace.items():
            shape = shape_of(check_layer(name), frames)
            values = np.asarray(values, np.float32)
            if values.shape[1:] != shape or len(values) not in (1, count):
                raise InputError(f"The replacement for '{name}' has shape {values.shape}; it must "
                                 f"be {(count, *shape)}, or {(1, *shape)} to serve for all "
                                 "patches.")
            checked[name] = np.broadcast_to(values, (count, *shape))
        return checked

    def _check_size(self, names: Sequence[str], count: int, frames: int) -> None:
        one = 4 * sum(LAYERS[name].values(frames) for name in names)
        limit = self.memory_limit or _half_of_free_memory()
        if one * count > limit:
            fitting = int(limit // one)
            fewer = f", or for {fitting} patches at a time" if fitting else ""
            raise InputError(
                f"{len(names)} layers of {count} patches would take {one * count / 1e9:.2f} GB, "
                f"more than the {limit / 1e9:.2f} GB allowed; ask for fewer layers{fewer}.")


def _as_patches(audio: HasPatches | ArrayLike) -> np.ndarray:
    """Patches (n, frames, 96) of a clip, or of an array that already is that."""
    if isinstance(audio, HasPatches):
        return audio.patches()
    patches = np.asarray(audio, np.float32)
    if patches.ndim != 3 or patches.shape[2] != BANDS or not patches.shape[1]:
        raise InputError(f"The patches have shape {patches.shape}; they must be (patches, frames, "
                         f"{BANDS}).")
    return patches


def _half_of_free_memory() -> float:
    with needs("original", "The original network"):
        import psutil

    return psutil.virtual_memory().available / 2
