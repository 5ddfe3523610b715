"""The original graph with its weights as constants, optimised by TensorFlow as it likes."""

import numpy as np

from inside_musicnn.network.original import tensorflow
from inside_musicnn.sound.recordings import open_recording

TOGETHER = 16  # patches of a recording that are computed at once
OPTIMISERS = ("constant_folding", "remapping", "arithmetic_optimization", "layout_optimizer",
              "dependency_optimization", "function_optimization", "loop_optimization")


class Peer:
    """One session on the frozen graph that `making.benchmarks.freeze` wrote."""

    def __init__(self, model, cores, files):
        tf = tensorflow()
        definition = tf.compat.v1.GraphDef()
        definition.ParseFromString((files / f"{model}.pb").read_bytes())
        settings = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=cores, inter_op_parallelism_threads=cores)
        rewriting = settings.graph_options.rewrite_options
        for optimiser in OPTIMISERS:
            setattr(rewriting, optimiser, rewriting.ON)
        graph = tf.Graph()
        with graph.as_default():
            tf.import_graph_def(definition, name="")
            self.session = tf.compat.v1.Session(config=settings)

    def tags(self, patches, batch):
        return np.concatenate([
            self.session.run("model/Sigmoid:0",
                             {"model/Placeholder:0": patches[first : first + batch]})
            for first in range(0, len(patches), batch)])

    def taggram(self, path):
        return np.concatenate([self.tags(patches, TOGETHER)
                               for patches in open_recording(path).patch_batches(TOGETHER)])

    @staticmethod
    def versions():
        import tensorflow

        return {"TensorFlow": tensorflow.__version__}
