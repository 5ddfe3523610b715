"""Writes the original graph, weights inside, as one TensorFlow file.

The nodes have the names that Essentia's `TensorflowPredictMusiCNN` expects.
python -m making.benchmarks.freeze MODEL FILE
"""

import sys
import warnings
from pathlib import Path

from inside_musicnn.network.layers import BANDS
from inside_musicnn.network.original import tensorflow
from inside_musicnn.network.weights import Weights
from inside_musicnn.quiet import quiet_stderr


def freeze(model, file):
    """Write the graph of one model; input model/Placeholder, output model/Sigmoid."""
    weights, tf = Weights(model), tensorflow()
    warnings.simplefilter("ignore")  # what the package calls is deprecated
    from musicnn import models

    with tf.Graph().as_default() as graph, quiet_stderr():
        with tf.name_scope("model"):
            patches = tf.compat.v1.placeholder(tf.float32, [None, None, BANDS])
            logits, *_ = models.define_model(patches, False, model, len(weights.labels))
            tf.nn.sigmoid(logits)
        with tf.compat.v1.Session() as session:
            tf.compat.v1.train.Saver().restore(session, f"{weights.folder}/")
            frozen = tf.compat.v1.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), ["model/Sigmoid"])
    Path(file).write_bytes(frozen.SerializeToString())


if __name__ == "__main__":
    freeze(*sys.argv[1:])
