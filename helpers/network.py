"""MusiCNN with its released weights: every named layer, tags, weights, replaced tensors.

The graph is built by the package's own `musicnn/models.py`. Explained in chapter 2.
"""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import psutil

from helpers.audio import Clip
from helpers.errors import BookError
from helpers.layers import BANDS, BLOCKS, FAMILIES, FRAMES, LAYERS
from helpers.quiet import quiet_stderr

MODELS = {"MSD_musicnn": "Million Song Dataset", "MTT_musicnn": "MagnaTagATune"}
EPSILON = 1e-3  # of batch normalisation, TensorFlow's default
BATCH = 8  # patches per run of the graph: larger ones are no faster on a processor


def _tensorflow():
    """TensorFlow, quiet, with the Keras that `musicnn.models` was written for."""
    if "tensorflow" not in sys.modules:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    elif os.environ.get("TF_USE_LEGACY_KERAS") not in ("1", "true", "True"):
        raise BookError("TensorFlow was imported before TF_USE_LEGACY_KERAS=1 was set; open "
                        "MusiCNN before importing TensorFlow, or set that variable first.")
    with quiet_stderr():  # its C++ code writes before its log level applies
        import tensorflow
    tensorflow.get_logger().setLevel("ERROR")
    return tensorflow


def check_model(name):
    """The model's name, or a BookError that lists the valid ones."""
    if name not in MODELS:
        raise BookError(f"There is no model '{name}'; choose one of {', '.join(MODELS)}.")
    return name


def check_layer(name):
    """The layer's name, or a BookError that lists the valid ones."""
    if name not in LAYERS:
        raise BookError(f"There is no layer '{name}'; choose one of {', '.join(LAYERS)}.")
    return name


class MusiCNN:
    """One of the two released networks, opened once: graph, weights, session.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        memory_limit: bytes that one answer may take; half of the free memory if None.

    Attributes:
        name: the model's name.
        labels: its 50 tags, in the order of the last layer (`musicnn/configuration.py`).

    Raises:
        BookError: unknown model.
    """

    def __init__(self, model="MSD_musicnn", memory_limit=None):
        self.name = check_model(model)
        self.memory_limit = memory_limit
        tf = _tensorflow()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tf.layers is deprecated; the package is of its time
            from musicnn import configuration, models

            self.labels = list(
                configuration.MTT_LABELS if "MTT" in model else configuration.MSD_LABELS
            )
            self._graph = tf.Graph()
            with self._graph.as_default(), quiet_stderr():
                patches = tf.compat.v1.placeholder(tf.float32, [None, None, BANDS], name="input")
                # A Python False, not a tensor, gives a graph without control flow.
                logits, *_ = models.define_model(patches, False, model, len(self.labels))
                tf.nn.sigmoid(logits)
                saver = tf.compat.v1.train.Saver()
                # Rewriting is off: a tensor has the same value whatever else is asked for.
                settings = tf.compat.v1.ConfigProto()
                settings.graph_options.rewrite_options.disable_meta_optimizer = True
                self._session = tf.compat.v1.Session(config=settings)
                self.folder = Path(models.__file__).parent / model
                saver.restore(self._session, f"{self.folder}/")
        self._weights = {}

    def __repr__(self):
        return f"MusiCNN('{self.name}')"

    def activations(self, audio, layers=None, replace=None):
        """Named tensors of the network.

        Args:
            audio: a Clip (its patches side by side), or patches of shape (n, frames, 96).
            layers: names from LAYERS; all of them if None. One patch of all layers takes about
                100 MB, so ask for what you show.
            replace: mapping from layer name to an array of that layer's shape, patch axis first:
                the network goes on from there. An array with one patch serves for all.

        Returns:
            dict from name to float32 array, shape (n, ...): LAYERS[name].shape per patch.

        Raises:
            BookError: unknown layer, a wrong shape, or more than `memory_limit` bytes.
        """
        patches = _as_patches(audio)
        names = list(LAYERS) if layers is None else [layers] if isinstance(layers, str) else layers
        names = list(dict.fromkeys(check_layer(name) for name in names))
        replaced = self._check_replaced(replace or {}, *patches.shape[:2])
        self._check_size(names, *patches.shape[:2])
        results = {name: np.empty((len(patches), *shape_of(name, patches.shape[1])), np.float32)
                   for name in names}
        tensors = [self._tensor(name) for name in names]
        for first in range(0, len(patches), BATCH):
            part = slice(first, first + BATCH)
            feed = {self._tensor("input/db_mel"): patches[part]}
            for name, values in replaced.items():
                feed[self._tensor(name)] = self._graph_shaped(name, values[part])
            for name, values in zip(names, self._session.run(tensors, feed), strict=True):
                results[name][part] = values.reshape(results[name][part].shape)
        return results

    def tags(self, audio):
        """The taggram: scores between 0 and 1, shape (patches, 50), columns as `labels`."""
        return self.activations(audio, ["tags/sigmoid"])["tags/sigmoid"]

    def weights(self, block):
        """The learned parameters of one block, float32.

        Args:
            block: a name from BLOCKS, such as "input", "cnn_1/timbral_38", "cnn_2" or "tags".

        Returns:
            dict with those of these that the block has: kernel, shape (frames, rows, units) for
            convolutions, with rows the mel bands or the rows below, and (inputs, units) for dense
            layers; bias; gamma, beta, mean, variance of batch normalisation; and gain and offset,
            the same normalisation as one multiplication and one addition, gain x + offset.

        Raises:
            BookError: unknown block.
        """
        if block not in BLOCKS:
            raise BookError(f"There are no weights '{block}'; choose one of {', '.join(BLOCKS)}.")
        if block not in self._weights:
            self._weights[block] = self._read_weights(BLOCKS[block])
        return dict(self._weights[block])

    def _read_weights(self, block):
        names = {}
        if block.layer:
            names = {"kernel": f"{block.layer}/kernel", "bias": f"{block.layer}/bias"}
        if block.normalization:
            variables = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean",
                         "variance": "moving_variance"}
            names |= {key: f"{block.normalization}/{name}" for key, name in variables.items()}
        reads = [self._graph.get_tensor_by_name(f"{name}/Read/ReadVariableOp:0")
                 for name in names.values()]
        found = dict(zip(names, self._session.run(reads), strict=True))
        if block.layer:
            found["kernel"] = found["kernel"].reshape(block.kernel)
        if block.normalization:
            wide = {key: found[key].astype(np.float64) for key in ("gamma", "beta", "mean",
                                                                   "variance")}
            gain = wide["gamma"] / np.sqrt(wide["variance"] + EPSILON)
            found["gain"] = gain.astype(np.float32)
            found["offset"] = (wide["beta"] - wide["mean"] * gain).astype(np.float32)
        for values in found.values():
            values.flags.writeable = False  # shared by all who ask
        return found

    def _tensor(self, name):
        return self._graph.get_tensor_by_name(LAYERS[name].tensor)

    def _graph_shaped(self, name, values):
        """`values` with the axes of length 1 that the graph's tensor has and our shape has not."""
        shape = self._tensor(name).shape.as_list()
        sizes = iter(values.shape)
        return values.reshape([1 if size == 1 else next(sizes) for size in shape])

    def _check_replaced(self, replace, count, frames):
        checked = {}
        for name, values in replace.items():
            shape = shape_of(check_layer(name), frames)
            values = np.asarray(values, np.float32)
            if values.shape[1:] != shape or len(values) not in (1, count):
                raise BookError(f"The replacement for '{name}' has shape {values.shape}; it must "
                                f"be {(count, *shape)}, or {(1, *shape)} to serve for all patches.")
            checked[name] = np.broadcast_to(values, (count, *shape))
        return checked

    def _check_size(self, names, count, frames):
        one = 4 * sum(LAYERS[name].values(frames) for name in names)
        limit = self.memory_limit or psutil.virtual_memory().available // 2
        if one * count > limit:
            fitting = int(limit // one)
            fewer = f", or for {fitting} patches at a time" if fitting else ""
            raise BookError(
                f"{len(names)} layers of {count} patches would take {one * count / 1e9:.2f} GB, "
                f"more than the {limit / 1e9:.2f} GB allowed; ask for fewer layers{fewer}.")


def shape_of(name, frames=FRAMES):
    """The shape of a named layer for one patch of `frames` frames."""
    layer = LAYERS[name]
    return tuple(frames if axis == "frame" else size
                 for size, axis in zip(layer.shape, layer.axes, strict=True))


def _as_patches(audio):
    """Patches (n, frames, 96) of a Clip, or of an array that already is that."""
    if isinstance(audio, Clip):
        return audio.patches()
    patches = np.asarray(audio, np.float32)
    if patches.ndim != 3 or patches.shape[2] != BANDS or not patches.shape[1]:
        raise BookError(f"The patches have shape {patches.shape}; they must be (patches, frames, "
                        f"{BANDS}).")
    return patches


def family_slices():
    """Rows of U that each family of CNN_1 fills: name -> slice."""
    slices, first = {}, 0
    for name, (_, _, units, _) in FAMILIES.items():
        slices[name] = slice(first, first + units)
        first += units
    return slices
