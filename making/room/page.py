"""Writes the listening room into a site: one page, the engine, the weights, the recordings.

All data are classic scripts, so that the page also works from a folder, where a browser lets no
page read files, and with a content policy that forbids every request for data.
"""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from helpers.page.plots import SPECTROGRAM
from inside_musicnn.network.weights import MODELS
from inside_musicnn.sound.shipped import RECORDING, clip_facts, clip_file, clip_names
from inside_musicnn.sound.spectrogram import band_edges, mel_filters
from making.room.compiler import MODULE, SOURCES
from making.room.weights import packed

HERE = Path(__file__).parent
WORKER = ("memory", "spectrogram", "resampling", "network", "reasons", "levels", "worker")
PAGE = ("engine", "header", "decoding", "pictures", "playing", "probes", "sources",
        "spectrogram_view", "network_view", "why", "change", "erase",
        "keeping", "page")
# No request for data may leave the page; the worker and what is played are made in it.
POLICY = ("default-src 'none'; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src blob:; "
          "style-src 'self'; img-src 'self' data: blob:; media-src blob:; connect-src 'none'; "
          "base-uri 'none'; form-action 'none'")


def write_room(site: Path) -> None:
    """Write the room.

    Args:
        site: a built site that holds the atlas, whose look and pages the room uses.
    """
    folder = site / "room"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("weights", "sounds"):
        (folder / name).mkdir(parents=True)
    for name in PAGE:
        shutil.copy(SOURCES / "page" / f"{name}.js", folder)
    shutil.copy(SOURCES / "page" / "room.css", folder)
    (folder / "given.js").write_text(_assigned("Engine.given", {
        "engine": base64.b64encode(MODULE.read_bytes()).decode(), "filters": filters(),
        "bands": [round(float(centre), 1) for centre in band_edges()[:, 1]],
        "colours": colours()}))
    for model in MODELS:
        weights = packed(model)
        (folder / "weights" / f"{model}.js").write_text(_assigned(
            f"Engine.weights.{model}", {"about": weights.about, "numbers": weights.numbers}))
    for name in clip_names(RECORDING):
        sound = base64.b64encode(clip_file(name).read_bytes()).decode()
        (folder / "sounds" / f"{name}.js").write_text(_assigned(f"shipped.{name}", sound))
    (folder / "index.html").write_text(page(), encoding="utf-8")


def page() -> str:
    """The page's HTML, with the worker's source inside."""
    environment = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True,
                              trim_blocks=True, undefined=StrictUndefined)
    worker = "\n".join((SOURCES / "worker" / f"{name}.js").read_text(encoding="utf-8")
                       for name in WORKER)
    return environment.get_template("room.html").render(
        title="The listening room", policy=POLICY, scripts=PAGE, models=MODELS,
        worker=Markup(worker), recordings={name: clip_facts(name)
                                           for name in clip_names(RECORDING)},
        description="The whole network in this page: hear, see and change what it hears.")


def filters() -> dict[str, list[Any]]:
    """The mel filters: of each band the first bin and the one after its last; all weights."""
    edges: list[int] = []
    weights: list[float] = []
    for band in mel_filters():
        inside = np.flatnonzero(band)
        first, end = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
        edges += [first, end]
        weights += [float(value) for value in band[first:end]]
    return {"edges": edges, "weights": weights}


def colours() -> list[int]:
    """Red, green and blue of the book's 256 colours for spectrograms, in a row."""
    shades = matplotlib.colormaps[SPECTROGRAM](np.arange(256))[:, :3]
    return [int(value) for value in (shades * 255).round().ravel()]


def _assigned(name: str, value: Any) -> str:
    """A classic script that sets `name`."""
    return f"{name} = {json.dumps(value, separators=(',', ':'))};\n"
