"""The original TensorFlow graph with its released weights, in one session.

Built by the package's own `musicnn/models.py`. Explained in chapter 2.
"""

import os
import sys
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs
from inside_musicnn.network.layers import BANDS, LAYERS
from inside_musicnn.network.weights import Weights
from inside_musicnn.quiet import quiet_stderr

BATCH = 8  # patches per run of the graph: larger ones are no faster on a processor
FETCHED = 2**27  # bytes fetched by one run; more do not fit any cache and double the memory


def tensorflow() -> Any:
    """TensorFlow, quiet, with the Keras that `musicnn.models` was written for."""
    if "tensorflow" not in sys.modules:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    elif os.environ.get("TF_USE_LEGACY_KERAS") not in ("1", "true", "True"):
        raise InputError("TensorFlow was imported before TF_USE_LEGACY_KERAS=1 was set; open "
                         "MusiCNN before importing TensorFlow, or set that variable first.")
    with quiet_stderr(), needs("original", "The original network"):
        import tensorflow  # its C++ code writes before its log level applies
    tensorflow.get_logger().setLevel("ERROR")
    return tensorflow


@cache
def build(model: str, tags: int) -> tuple[Any, Any]:
    """The graph of one network and its saver; no session yet, so that a process may fork after it.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        tags: how many.
    """
    tf = tensorflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf.layers is deprecated; the package is of its time
        from musicnn import models

        graph = tf.Graph()
        with graph.as_default(), quiet_stderr():
            patches = tf.compat.v1.placeholder(tf.float32, [None, None, BANDS], name="input")
            # A Python False, not a tensor, gives a graph without control flow.
            logits, *_ = models.define_model(patches, False, model, tags)
            tf.nn.sigmoid(logits)
            return graph, tf.compat.v1.train.Saver()


class Graph:
    """One network's graph and session.

    Args:
        weights: its learned parameters; here only where they are, and the tags.
    """

    def __init__(self, weights: Weights) -> None:
        tf = tensorflow()
        self._graph, saver = build(weights.model, len(weights.labels))
        # Rewriting is off: a tensor has the same value whatever else is asked for.
        settings = tf.compat.v1.ConfigProto()
        settings.graph_options.rewrite_options.disable_meta_optimizer = True
        with self._graph.as_default(), quiet_stderr():
            self._session = tf.compat.v1.Session(config=settings)
            saver.restore(self._session, f"{weights.folder}/")

    def run(self, patches: np.ndarray, results: dict[str, np.ndarray],
            replaced: Mapping[str, np.ndarray]) -> None:
        """Fill `results`, layer -> array with the patch axis first, batch by batch.

        Args:
            patches: shape (n, frames, 96).
            replaced: layer -> values to go on from, patch axis first.
        """
        tensors = [self._tensor(name) for name in results]
        one = sum(values[:1].nbytes for values in results.values())
        batch = max(1, min(BATCH, FETCHED // max(one, 1)))
        for first in range(0, len(patches), batch):
            part = slice(first, first + batch)
            feed = {self._tensor("input/db_mel"): patches[part]}
            for name, values in replaced.items():
                feed[self._tensor(name)] = self._graph_shaped(name, values[part])
            for whole, values in zip(results.values(), self._session.run(tensors, feed),
                                     strict=True):
                whole[part] = values.reshape(whole[part].shape)

    def _tensor(self, name: str) -> Any:
        return self._graph.get_tensor_by_name(LAYERS[name].tensor)

    def _graph_shaped(self, name: str, values: np.ndarray) -> np.ndarray:
        """`values` with the axes of length 1 that the graph's tensor has and our shape has not."""
        shape = self._tensor(name).shape.as_list()
        sizes = iter(values.shape)
        return values.reshape([1 if size == 1 else next(sizes) for size in shape])
