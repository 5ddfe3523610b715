"""What each unit would hear best, as records and sounds: `data/units/best/`, one table and one file
of sound for each layer of each network."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from helpers.page.plots import SPECTROGRAM
from inside_musicnn.atlas import BEST, KEY, plain
from inside_musicnn.cores import one_thread
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.weights import MODELS, checksums_of_weights
from inside_musicnn.sound.spectrogram import FRAME_SECONDS, SAMPLE_RATE
from inside_musicnn.versions import everything
from making.atlas.ascent import STEPS, WHOLE, Network
from making.atlas.energy import Energy, usual_energy
from making.atlas.inversion import decoded, heard_again, laid_out, one_file, sound_of
from making.atlas.searching import LEVELS, STARTS, Found, Search, step_of, unquantised
from making.atlas.searching import MOST as WHOLE_MOST
from making.atlas.sounds import MOST
from making.recordings.packages import PLACE

FIRST = "cnn_1/out"
WAYS = {True: "closed form", False: "convex problem", None: "ascent"}

DESCRIPTIONS = {
    "aim": "highest, or, of units with a negative gain, lowest: their highest value is their "
           "offset, which everything that leaves them cold gives",
    "way": "closed form (CNN_1: the kernel, multiplied and cut), convex problem (units of CNN_1 "
           "with a negative gain, which must be matched at all places at once), or ascent",
    "energy": "root mean square distance of the dB mel values from the mean that the network "
              "remembers, over the window; the same for all: that of the median patch of the "
              "recordings that come with the book",
    "value": "the unit's, for the stored input",
    "gap": "of a convex problem: the part of the match by which an even better input could be "
           "better at most",
    "starts": "of ascents, for each start: what it was (the strongest window of music, the "
              "strongest random one, one by lot), the value reached, and how many slopes that took",
    "likeness": "cosines of what the starts came to: first and second, first and third, second "
                "and third",
    "real": "the strongest window of the recordings at this energy: recording, seconds (of CNN_1 "
            "to 4 its middle, of whole patches its beginning), of CNN_1 the lowest band; its "
            "value, and that of the median window",
    "random": "the null: values of the strongest and the median of as many windows of the same "
              "mean and the same power at each speed of change in time and frequency, all else by "
              "lot",
    "windows": "how many windows of music, and how many random ones",
    "sound": "the input as sound, in the MP3 beside the table: seconds at which it begins, how "
             "long it is, the factor by which it was turned down, the value that it reaches when "
             "the network hears it, turned up again",
    "picture": "the input itself, as a PNG (in the table in Base64, beside a page's JSON a file) "
               "whose colours are numbered: one pixel for each frame and mel band, low bands at "
               "the bottom; the dB mel value is `step` times the number of the colour; "
               "`lowest_band` is the lowest row's, `frames` and `bands` the size",
}


def write_best(place: Path = PLACE, folder: Path = BEST, say: Callable[[str], None] = print
               ) -> list[Path]:
    """Search what is missing, and write tables and sounds.

    Returns:
        the tables.
    """
    files = []
    for model in MODELS:
        with one_thread():
            search = Search(model, place, say)
            for layer, found in search.layers():
                files.append(write_layer(model, layer, found, folder))
                say(f"{files[-1].name} is written")
    (folder / "README.md").write_text(readme(), encoding="utf-8")
    return files


def write_layer(model: str, layer: str, found: Found, folder: Path) -> Path:
    """Write the records and the sounds of one layer."""
    energy = usual_energy(model)
    network = Network(model, energy)
    numbers = network.live(layer)
    name = f"{model}-{layer.replace('/', '-')}"
    sounds = [sound_of(heard_as(found, place, energy)) for place in range(len(numbers))]
    file, starts = one_file(sounds)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.mp3").write_bytes(file)
    engine, samples, rows = Compact(network.weights, threads=1), decoded(file), []
    for place, number in enumerate(numbers):
        record = record_of(layer, found, place, energy, aim_of(network, layer, place))
        seconds = len(sounds[place].samples) / SAMPLE_RATE
        factor = float(f"{sounds[place].factor:.6g}")
        again = heard_again(samples, round(starts[place], 3), seconds, factor)
        values = heard_values(network, engine, layer, again)[place]
        record["sound"] = plain({
            "seconds": starts[place], "value": values.max() if record["aim"] == "highest"
            else values.min()}) | {"long": round(seconds, 3), "factor": factor}
        rows.append({"number": int(number), "best_input": record})
    about = {"fields": DESCRIPTIONS, "model": model, "layer": layer,
             "mean": energy.mean, "energy": energy.size, "highest": energy.highest.tolist(),
             "weights": checksums_of_weights(model), "versions": everything(("pyarrow", "scipy"))}
    target = folder / f"{name}.parquet"
    aside = target.with_name(f".{target.name}")
    pq.write_table(pa.Table.from_pylist(rows).replace_schema_metadata({
        KEY: json.dumps(about), b"layer": layer}), aside, compression="zstd", compression_level=19)
    aside.rename(target)
    return target


def heard_as(found: Found, place: int, energy: Energy) -> np.ndarray:
    """What is made audible of a stored input, dB mel values, (frames, 96)."""
    first, frames, band, bands = map(int, found["window"][place])
    window = unquantised(found["stored"][place], energy) + energy.mean
    return laid_out(window[first : first + frames, band : band + bands], band,
                    bool(np.isnan(found["starts"][place]).all()), energy.highest + energy.mean)


def aim_of(network: Network, layer: str, place: int) -> str:
    """Whether the unit's highest or its lowest value is what a sound can move."""
    if layer == "tags/logits":
        return "highest"
    gain = (network.weights.block("dense")["gain"][network.live(layer)] if layer == "dense/norm"
            else network.layers[layer].gain)
    return "lowest" if gain[place] < 0 else "highest"


def heard_values(network: Network, engine: Compact, layer: str, patch: np.ndarray) -> np.ndarray:
    """Values of all live units for one patch, (live, frames); of whole patches one."""
    varying = {FIRST: engine.first_stage(patch)}

    def seen(name: str, values: np.ndarray) -> np.ndarray:
        varying[name] = values
        return values

    pooled = engine.pooled(engine.second_stage(varying[FIRST], seen))
    if layer in WHOLE:
        return engine.final(*pooled, [layer])[layer].T[network.live(layer)]
    return network.layers[layer].values(varying[layer])[:, 0]


def record_of(layer: str, found: Found, place: int, energy: Energy, aim: str) -> dict[str, Any]:
    """One unit's, all but its sound."""
    def of(name: str) -> Any:
        return found[name][place]

    first, frames, band, bands = map(int, of("window"))
    searched = not np.isnan(of("starts")).all()
    record: dict[str, Any] = {
        "aim": aim, "way": WAYS[None if searched else aim == "highest"], "energy": energy.size,
        "value": of("value"), "windows": int(of("count")),
        "real": {"recording": str(of("real_name")), "value": of("real"),
                 "seconds": of("real_first") * FRAME_SECONDS, "middle": of("real_middle")},
        "random": {"value": of("random"), "middle": of("random_middle")}}
    if layer == FIRST:
        record["real"]["band"] = int(of("real_band"))
    if searched:
        record["starts"] = [{"from": name, "value": value, "steps": int(steps)} for
                            name, value, steps in zip(STARTS, of("starts"), of("steps"),
                                                      strict=True)]
        record["likeness"] = of("likeness")
    elif aim == "lowest":
        record["gap"] = of("gap")
    picture = {"frames": frames, "bands": bands, "lowest_band": band,
               "step": round(step_of(energy), 6), "mean": round(energy.mean, 6),
               "png": as_png(of("stored")[first : first + frames, band : band + bands], energy)}
    return plain(record) | {"picture": picture}


def as_png(stored: np.ndarray, energy: Energy) -> str:
    """Levels, (frames, bands), as a picture with numbered colours, in Base64."""
    shades = matplotlib.colormaps[SPECTROGRAM](np.arange(LEVELS) * step_of(energy) / MOST)
    picture = Image.fromarray(np.ascontiguousarray(stored.T[::-1]), mode="P")
    picture.putpalette((shades[:, :3] * 255).round().astype(np.uint8).ravel().tolist())
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def input_of(record: dict[str, Any]) -> np.ndarray:
    """dB mel values of a record's picture, (frames, bands)."""
    picture = record["picture"]
    levels = np.array(Image.open(io.BytesIO(base64.b64decode(picture["png"]))))[::-1].T
    return levels * picture["step"]


def readme() -> str:
    """What `data/units/best/README.md` says."""
    fields = "\n".join(f"| `{name}` | {text} |" for name, text in DESCRIPTIONS.items())
    whole = [WHOLE_MOST[model] for model in MODELS]
    return f"""# What the units would hear best

For every live unit, row and tag of both networks the input that drives it furthest, at one energy:
one table for each layer (`number`, `best_input`), and one file of sound (MP3, 16 kbit/s). Made by
us, not music. `inside_musicnn.units` adds `best_input` to the records of the units.

An input is a window of the dB mel spectrogram as long as the unit sees: of CNN_1 its own frames and
bands, of CNN_2 to CNN_4 and the sums 134, 140 and 146 frames, of dense units and tags the patch of
187. Its values lie between silence and what the recordings exceed, in the same mel band, in one
frame of a thousand. Ascents go to the input of the energy that is best for the slope at hand, or
as far in that direction as the value grows; the slope is smoothed over one frame and one band
(standard deviations of a Gaussian), since no sound changes faster than its windows and filters.
They end after {STEPS} slopes, of whole patches after {whole[0]} and, of MTT, which has three times
as many kernels, after {whole[1]}, so that all takes an hour; more slopes would find higher values.
Stored inputs are rounded to {LEVELS} levels; the values told are those of the stored inputs, with
three significant digits.

Made by `python -m making.atlas --best`.

| field of `best_input` | what it holds |
|---|---|
{fields}
"""
