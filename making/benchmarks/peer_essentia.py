"""Essentia with the same weights: its own decoder, resampler and spectrogram before the network.

Patches go to its `TensorflowPredict`; files through `MonoLoader`, set as Essentia's page on this
model does, and `TensorflowPredictMusiCNN`, with patches side by side as MusiCNN's own.
"""

import essentia
import essentia.standard as es
import numpy as np

PATCH = 187  # frames from one patch to the next: side by side
TOGETHER = 16  # patches of a recording that are computed at once


class Peer:
    """The frozen graph that `making.benchmarks.freeze` wrote, in Essentia's own TensorFlow."""

    def __init__(self, model, cores, files):
        essentia.log.infoActive = essentia.log.warningActive = False
        graph = str(files / f"{model}.pb")
        self.network = es.TensorflowPredict(
            graphFilename=graph, inputs=["model/Placeholder"], outputs=["model/Sigmoid"])
        self.musicnn = es.TensorflowPredictMusiCNN(
            graphFilename=graph, patchHopSize=PATCH, batchSize=TOGETHER)

    def tags(self, patches, batch):
        parts = []
        for first in range(0, len(patches), batch):
            pool = essentia.Pool()
            pool.set("model/Placeholder", patches[first : first + batch, None])
            answer = np.array(self.network(pool)["model/Sigmoid"])
            parts.append(answer.reshape(-1, answer.shape[-1]))
        return np.concatenate(parts)

    def taggram(self, path):
        samples = es.MonoLoader(filename=str(path), sampleRate=16000, resampleQuality=4)()
        return np.array(self.musicnn(samples))

    @staticmethod
    def versions():
        return {"Essentia": essentia.__version__, "NumPy": np.__version__}
