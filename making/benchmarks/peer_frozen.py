"""The original graph with its weights as constants, optimised by TensorFlow as it likes."""

import numpy as np

from inside_musicnn.network.original import tensorflow


class Peer:
    """One session on the frozen graph that `making.benchmarks.freeze` wrote."""

    def __init__(self, model, cores, files):
        tf = tensorflow()
        definition = tf.compat.v1.GraphDef()
        definition.ParseFromString((files / f"{model}.pb").read_bytes())
        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(definition, name="")
            self.session = tf.compat.v1.Session()

    def tags(self, patches, batch):
        return np.concatenate([
            self.session.run("model/Sigmoid:0",
                             {"model/Placeholder:0": patches[first : first + batch]})
            for first in range(0, len(patches), batch)])

    @staticmethod
    def versions():
        import tensorflow

        return {"TensorFlow": tensorflow.__version__}
