"""ONNX Runtime with the same weights; decoding and spectrogram are the book's."""

import numpy as np
import onnxruntime

from inside_musicnn.sound.recordings import open_recording
from making.benchmarks.peers import SPINNING

TOGETHER = 16  # patches of a recording that are computed at once


def session(file, cores, spinning):
    """A session on the processor, on `cores` threads, with every optimisation of its graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = cores, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


class Peer:
    """The original network, as `making.benchmarks.onnx_export` wrote it."""

    graph = "{}.onnx"

    def __init__(self, model, cores, files):
        self.file, self.cores = files / self.graph.format(model), cores
        self.use(SPINNING[0])

    def use(self, setting):
        """Open a session in which threads spin, or rest, while they wait for work."""
        self.session = session(self.file, self.cores, setting == SPINNING[0])

    def tags(self, patches, batch):
        return np.concatenate([
            self.session.run(["tags"], {"patches": patches[first : first + batch]})[0]
            for first in range(0, len(patches), batch)])

    def taggram(self, path):
        return np.concatenate([self.tags(patches, TOGETHER)
                               for patches in open_recording(path).patch_batches(TOGETHER)])

    @staticmethod
    def versions():
        return {"ONNX Runtime": onnxruntime.__version__, "NumPy": np.__version__}


class Pruned(Peer):
    """The live units alone, as the compact network has them."""

    graph = "{}-pruned.onnx"
