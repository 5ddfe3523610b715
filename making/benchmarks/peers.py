"""Who is compared: names, titles, where their code is, what they can be asked.

A peer is a class `Peer(model, cores, files)` in a module of this folder, or in a file of yours,
with one or both of `tags(patches, batch)` and `taggram(path)`; see README.md.
"""

from dataclasses import dataclass
from pathlib import Path

from inside_musicnn.errors import InputError

SAME = 1e-4  # largest difference of any score between networks that are meant to be the same
OWN_SPECTROGRAM = 0.15  # the same, of each tag's mean over the recording: see README.md
SPINNING = ("threads spin", "threads rest")  # what ONNX Runtime's do when there is no work
REQUIREMENTS = "making/benchmarks/requirements-bench.txt"


@dataclass(frozen=True)
class Peer:
    """One competitor.

    Attributes:
        name: as in `--peers` and in the results.
        title: as in reports.
        code: "module:Class", or "file.py:Class".
        optional: whether it needs the environment of requirements-bench.txt.
        sizes: numbers of patches per call that are tried; none: it takes files alone.
        settings: names of further settings that are tried, each with every size; the best of
            all is used from there on.
        files: whether it is timed from file to taggram.
        tolerance: largest difference from the original of a file's taggram; None: its answer is
            known to be wrong, and only its size is checked.
        mean: whether that tolerance is for each tag's mean over the recording.
        depends: whether its speed depends on the model (the others' networks have one size).
    """

    name: str
    title: str
    code: str
    optional: bool = False
    sizes: tuple = (1, 4, 16, 64)
    settings: tuple = ("",)
    files: bool = True
    tolerance: float | None = SAME
    mean: bool = False
    depends: bool = False


PEERS = {peer.name: peer for peer in (
    Peer("original", "original graph", "making.benchmarks.peer_original:Peer"),
    Peer("compact", "compact network", "making.benchmarks.peer_compact:Peer", depends=True),
    Peer("frozen", "original graph, optimised by TensorFlow",
         "making.benchmarks.peer_frozen:Peer"),
    Peer("extractor", "musicnn.extractor, tags alone",
         "making.benchmarks.peer_extractor:Peer", sizes=(), tolerance=None),
    Peer("extractor_features", "musicnn.extractor, with features",
         "making.benchmarks.peer_extractor:WithFeatures", sizes=(), tolerance=None),
    Peer("onnx", "ONNX Runtime, original network", "making.benchmarks.peer_onnx:Peer",
         optional=True, settings=SPINNING),
    Peer("onnx_pruned", "ONNX Runtime, pruned network", "making.benchmarks.peer_onnx:Pruned",
         optional=True, settings=SPINNING, depends=True),
    Peer("essentia", "Essentia", "making.benchmarks.peer_essentia:Peer", optional=True,
         tolerance=OWN_SPECTROGRAM, mean=True),
)}

FIRST_STAGE = {peer.name: peer for peer in (
    Peer("first_numpy", "NumPy matrix products",
         "making.benchmarks.first_stage:Products", sizes=(16,)),
    Peer("first_tensorflow", "TensorFlow conv2d",
         "making.benchmarks.first_stage:TensorFlow", sizes=(1, 4, 16)),
    Peer("first_onnx", "ONNX Runtime Conv",
         "making.benchmarks.first_stage:OnnxRuntime", optional=True,
         sizes=(1, 4, 16), settings=SPINNING),
)}


def choose(wanted):
    """The peers to measure: all, or those that `wanted` lists, with commas between.

    A name that ends in .py is a file of yours with a class `Peer`. The original is always there:
    answers are checked against it, and ratios refer to it.

    Raises:
        InputError: an unknown name.
    """
    if not wanted:
        return dict(PEERS)
    chosen = {"original": PEERS["original"]}
    for name in filter(None, (part.strip() for part in wanted.split(","))):
        if name.endswith(".py") and Path(name).is_file():
            stem = Path(name).stem
            chosen[stem] = Peer(stem, stem, f"{Path(name).resolve()}:Peer", depends=True,
                                files=False)
        elif name in PEERS:
            chosen[name] = PEERS[name]
        else:
            raise InputError(f"There is no peer '{name}' to measure; choose from "
                             f"{', '.join(PEERS)}, or give a Python file.")
    return chosen
