"""The original graph in ONNX Runtime, behind the book's own decoding and spectrogram."""

import numpy as np
import onnxruntime

from inside_musicnn.sound.recordings import open_recording

TOGETHER = 16  # patches of a recording that are computed at once


def session(file, cores):
    """A session on the processor, on `cores` threads that do not spin when there is no work."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = cores, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


class Peer:
    """The graph that `making.benchmarks.onnx_export` wrote."""

    def __init__(self, model, cores, files):
        self.session = session(files / f"{model}.onnx", cores)

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
