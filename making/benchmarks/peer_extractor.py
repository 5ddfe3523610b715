"""The package's own call, from audio file to taggram, on today's libraries.

Its scores are wrong on NumPy 2 (its input overflows, chapter 3); what is measured is its speed.
"""

import contextlib
import io
import warnings

from inside_musicnn.network.original import tensorflow


class Peer:
    """`musicnn.extractor.extractor(file, model, extract_features=False)`."""

    features = False

    def __init__(self, model, cores, files):
        tensorflow()  # quiet, and with the Keras that the package needs
        warnings.simplefilter("ignore")
        from musicnn.extractor import extractor

        self.extractor, self.model = extractor, model

    def taggram(self, path):
        with contextlib.redirect_stdout(io.StringIO()):
            return self.extractor(path, model=self.model, extract_features=self.features)[0]

    @staticmethod
    def versions():
        from importlib.metadata import version

        import numpy
        import tensorflow

        return {"musicnn": version("musicnn"), "NumPy": numpy.__version__,
                "TensorFlow": tensorflow.__version__}


class WithFeatures(Peer):
    """The same with `extract_features=True`, the package's default."""

    features = True
