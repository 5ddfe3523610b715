"""The compact network, as the book opens it, and as the command `tags` asks it."""

import numpy as np

from inside_musicnn import MusiCNN
from inside_musicnn.commands.tags import scores_of
from inside_musicnn.sound.recordings import open_recording


class Peer:
    """`MusiCNN(model, compact=True)`."""

    def __init__(self, model, cores, files):
        self.model = model
        self.net = MusiCNN(model, compact=True, threads=cores)

    def tags(self, patches, batch):
        return np.concatenate([self.net.tags(patches[first : first + batch])
                               for first in range(0, len(patches), batch)])

    def taggram(self, path):
        return np.concatenate(list(scores_of(open_recording(path), self.model)))

    @staticmethod
    def versions():
        return {"NumPy": np.__version__}
