"""The corpus of numbers: what both networks answer, for all recordings, and a sample to keep.

`musicnn-book corpus` computes everything, into the folder of the packages; it goes on where it was
stopped. From that, `data/corpus/` gets a seeded sample of patches: see `helpers.evidence.corpus`.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.evidence.corpus import EXCERPT, FACTS, FOLDER, VECTORS, WHOLE, vectors, write_parts
from inside_musicnn import MusiCNN, load_clip
from inside_musicnn.corpus import make_corpus, read_corpus
from inside_musicnn.errors import InputError
from inside_musicnn.network.folding import fold
from inside_musicnn.network.weights import MODELS, Weights, checksums_of_weights
from inside_musicnn.sound.spectrogram import PATCH_SECONDS
from inside_musicnn.versions import everything
from making.recordings.catalogue import SEED, Work
from making.recordings.excerpts import ROOT, listed
from making.recordings.packages import PLACE
from making.recordings.sound import file_name, listen_folder

MOST_PATCHES = 24  # of one recording
LAYERS = {"scores": "tags/sigmoid", "dense": "dense/bias", "maximum": "pool/max",
          "mean": "pool/mean"}

def compute(works: Sequence[Work], place: Path = PLACE, jobs: int | None = None) -> None:
    """Compute all patches of all recordings with both networks, or what is missing of that."""
    folder = listen_folder(works, place)
    for model in MODELS:
        report = make_corpus(folder, place / "corpus" / model, model, jobs=jobs, prune=True)
        if report.failed:
            name, reason = next(iter(report.failed.items()))
            raise InputError(f"{len(report.failed)} recordings could not be read; {name}: {reason}")

def reduce(works: Sequence[Work], place: Path = PLACE, output: Path = FOLDER,
           say: Callable[[str], None] = print) -> None:
    """Write `data/corpus/MODEL/` for both networks."""
    output.mkdir(parents=True, exist_ok=True)
    for model in MODELS:
        series = fold(Weights(model)).dense.rows
        rows = [*_sampled(works, model, series, place), *excerpt_rows(model, series)]
        table = pa.concat_tables(rows).replace_schema_metadata({FACTS: _facts(model, series)})
        write_parts(table, output / model)
        size = sum(file.stat().st_size for file in (output / model).glob("*.parquet"))
        say(f"{model}: {len(table)} patches, {size / 1e6:.1f} MB")

def _facts(model: str, series: np.ndarray) -> str:
    from json import dumps

    return dumps({
        "model": model, "network": "compact", "labels": Weights(model).labels,
        "series": series.tolist(), "layers": LAYERS, "weights": checksums_of_weights(model),
        "seed": SEED, "most_patches": MOST_PATCHES, "versions": everything(("pyarrow",))})

def sample(work_id: str, count: int) -> np.ndarray:
    """Numbers of the patches of a recording that are kept, rising: drawn by lot, by its id."""
    seed = int.from_bytes(hashlib.sha256(f"{SEED} {work_id}".encode()).digest()[:8])
    drawn = np.random.default_rng(seed).permutation(count)[:MOST_PATCHES]
    return np.sort(drawn)

def _sampled(works: Sequence[Work], model: str, series: np.ndarray, place: Path
             ) -> Iterable[pa.Table]:
    data = read_corpus(place / "corpus" / model)
    by_file = data.files.set_index("file")
    for work in works:
        row = by_file.loc[file_name(work)]
        _, found = data.patches(["tags", "pool_max", "pool_mean"], ids=[row["id"]])
        kept = sample(work.id, int(row["patches"]))
        largest, mean = found["pool_max"][kept], found["pool_mean"][kept]
        yield rows(WHOLE, work.id, kept, {
            "scores": found["tags"][kept], "dense": dense_bias(model, largest, mean),
            "maximum": largest[:, series], "mean": mean[:, series]})

def dense_bias(model: str, largest: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """"dense/bias" from maxima and means of the 753 series, shape (patches, 200)."""
    pool, dense = Weights(model).block("pool"), Weights(model).block("dense")
    flat = np.stack([largest, mean], axis=2).reshape(len(largest), -1)
    return (flat * pool["gain"] + pool["offset"]) @ dense["kernel"] + dense["bias"]

def excerpt_rows(model: str, series: np.ndarray) -> Iterable[pa.Table]:
    """All patches of the excerpts that come with the book."""
    net = MusiCNN(model, compact=True)
    for entry in listed():
        clip = load_clip(ROOT / "data" / entry["file"])
        found = net.activations(clip, list(LAYERS.values()))
        values = {name: found[layer] for name, layer in LAYERS.items()}
        values |= {name: values[name][:, series] for name in ("maximum", "mean")}
        yield rows(EXCERPT, entry["name"], np.arange(len(values["scores"])), values)

def rows(group: str, work_id: str, numbers: np.ndarray, values: dict[str, Any]) -> pa.Table:
    """Rows of one recording."""
    count = len(numbers)
    columns = {"group": pa.array([group] * count), "id": pa.array([work_id] * count),
               "patch": pa.array(numbers, pa.int16()),
               "start": pa.array(numbers * PATCH_SECONDS, pa.float32())}
    columns |= {name: vectors(values[name], half=name != "scores") for name in VECTORS}
    return pa.table(columns)
