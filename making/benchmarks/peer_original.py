"""The original TensorFlow graph, as the book opens it."""

from inside_musicnn import MusiCNN
from inside_musicnn.network import musicnn as network
from inside_musicnn.network import original as graph
from inside_musicnn.sound.recordings import open_recording


class Peer:
    """`MusiCNN(model)`; the answers it remembers are switched off."""

    def __init__(self, model, cores, files):
        network.REMEMBERED.limit = 0
        graph.tensorflow()
        self.net = MusiCNN(model)

    def tags(self, patches, batch):
        graph.BATCH = batch
        return self.net.tags(patches)

    def taggram(self, path):
        import numpy as np

        return np.concatenate([self.net.tags(patches)
                               for patches in open_recording(path).patch_batches()])

    @staticmethod
    def versions():
        import numpy
        import tensorflow

        return {"NumPy": numpy.__version__, "TensorFlow": tensorflow.__version__}
