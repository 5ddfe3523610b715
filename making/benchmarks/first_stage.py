"""Engines for the first stage of the compact network: the same folded kernels three times.

Each `tags(patches, batch)` answers the live rows of U before gain and offset, shape
(patches, rows, frames), so that the engines are measured as peers are.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from inside_musicnn.network.compact import CHUNK, Compact
from inside_musicnn.network.folding import fold
from inside_musicnn.network.layers import BANDS
from inside_musicnn.network.weights import Weights
from making.benchmarks.peers import SPINNING


class Products:
    """NumPy matrix products, as `inside_musicnn.network.compact` has them."""

    def __init__(self, model, cores, files):
        self.compact, self.cores = Compact(Weights(model), threads=cores), cores

    def tags(self, patches, batch):  # its own size of a batch fits the cache
        chunks = [patches[first : first + CHUNK] for first in range(0, len(patches), CHUNK)]
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(self.cores) as pool:
            parts = list(pool.map(self._rows, chunks))
        return np.concatenate(parts)

    def _rows(self, patches):
        bands = np.ascontiguousarray(patches.transpose(2, 0, 1))
        families = self.compact._families.values()
        rows = np.concatenate([family(bands, self.compact.folded.silence) for family in families])
        return rows.transpose(1, 0, 2)

    @staticmethod
    def versions():
        return {"NumPy": np.__version__}


class TensorFlow:
    """TensorFlow's conv2d in one compiled function."""

    def __init__(self, model, cores, files):
        from inside_musicnn.network.original import tensorflow

        tf = self.tf = tensorflow()
        folded = fold(Weights(model))
        families = [family for family in folded.families.values() if len(family.live)]

        def rows(patches):
            parts = []
            for family in families:
                frames, (sign, bias) = len(family.kernel), (
                    values.astype(np.float32) for values in (family.sign, family.bias))
                before = (frames - 1) // 2
                padded = tf.pad(patches, [[0, 0], [before, frames - 1 - before], [0, 0]],
                                constant_values=folded.silence)
                kernel = family.kernel.astype(np.float32)[:, :, None]
                found = tf.nn.conv2d(padded[..., None], kernel, 1, "VALID")
                parts.append(tf.nn.relu(tf.reduce_max(found, axis=2) * sign + bias))
            return tf.concat(parts, axis=2)

        shape = tf.TensorSpec([None, None, BANDS], tf.float32)
        self.rows = tf.function(rows, input_signature=[shape])

    def tags(self, patches, batch):
        parts = [self.rows(self.tf.constant(patches[first : first + batch])).numpy()
                 for first in range(0, len(patches), batch)]
        return np.concatenate(parts).transpose(0, 2, 1)

    def versions(self):
        return {"TensorFlow": self.tf.__version__}


class OnnxRuntime:
    """ONNX Runtime's Conv, from the graph that `making.benchmarks.onnx_export` wrote."""

    def __init__(self, model, cores, files):
        from making.benchmarks.peer_onnx import session

        self.open, self.cores = session, cores
        self.file = files / f"{model}-first-stage.onnx"
        self.use(SPINNING[0])

    def use(self, setting):
        self.session = self.open(self.file, self.cores, setting == SPINNING[0])

    def tags(self, patches, batch):
        return np.concatenate([
            self.session.run(["rows"], {"patches": patches[first : first + batch]})[0]
            for first in range(0, len(patches), batch)])

    @staticmethod
    def versions():
        import onnxruntime

        return {"ONNX Runtime": onnxruntime.__version__}
