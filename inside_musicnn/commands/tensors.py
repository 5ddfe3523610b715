"""The sub-command `tensors`: named layers of the network in a file, without a book."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inside_musicnn.commands.options import (
    Commands,
    add_damaged_option,
    add_model_option,
    add_part_options,
)
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import visible

if TYPE_CHECKING:
    import numpy as np

    from inside_musicnn.commands.tensor_files import Writer
    from inside_musicnn.network.layers import Layer
    from inside_musicnn.network.musicnn import MusiCNN
    from inside_musicnn.sound.recordings import Recording

MOST_BYTES = 2**28  # that the layers of the patches computed at once may take


def add_tensors(commands: Commands) -> None:
    """The sub-command `tensors`: named layers of every patch, as NumPy archive or Zarr."""
    parser = commands.add_parser(
        "tensors", help="write layers of the network to a file",
        description="Write named layers of the network for every patch of a recording: float32, "
                    "patch axis first, with the time of each patch, the tags' names and a "
                    "description of the layers.")
    add = parser.add_argument
    add("audio", metavar="AUDIO",
        help="a clip in data/, an audio file, or - for the standard input; put -- before a name "
             "that begins with a dash")
    add_model_option(parser)
    add_part_options(parser)
    add_damaged_option(parser)
    add("--layers", required=True, metavar="LIST",
        help="such as cnn_4/norm,stage_2/out, or all; the page 'The layer map' lists them")
    add("--output", required=True, metavar="FILE",
        help="ending in .npz (NumPy) or .zarr; an older one is replaced")
    add("--original", action="store_true",
        help="the original network; else it is asked only for layers that the compact one lacks")
    parser.set_defaults(run=run_tensors)


def run_tensors(options: Namespace) -> None:
    """Write the file and say what is in it."""
    layers = chosen_layers(options.layers)
    total = write_tensors(options.audio, layers, options.output, options.model,
                          start=options.start, duration=options.duration,
                          damaged=options.damaged, original=options.original)
    plural = "es" * (total > 1), "s" * (len(layers) > 1)
    print(f"{total} patch{plural[0]} of {len(layers)} layer{plural[1]} in "
          f"{visible(options.output)}")


def write_tensors(audio: str, layers: Sequence[str], output: str, model: str = "MSD_musicnn", *,
                  start: float = 0.0, duration: float | None = None, damaged: bool = False,
                  original: bool = False) -> int:
    """Compute layers batch by batch and write them as they come.

    What is doubtful about the audio is told on standard error, and stands in the file.

    Args:
        audio: name of a clip in data/, a path, or "-" for the standard input.
        layers: names from LAYERS.
        output: the file; its ending, .npz or .zarr, says of which kind. An older one is replaced.
        start, duration: which part of the audio, in seconds.
        damaged: read a damaged file too: what is lost is silence, and the file names the patches.
        original: ask the original network also for layers that the compact one has.

    Returns:
        how many patches there are.

    Raises:
        InputError: an argument is wrong, or the disk has no room; no file is left then.
    """
    from inside_musicnn.commands.tensor_files import bytes_per_patch, check_space, writer
    from inside_musicnn.network.weights import check_model
    from inside_musicnn.replacing import aside
    from inside_musicnn.sound.recordings import PATCHES_AT_ONCE, open_recording

    check_model(model)
    write = writer(output)
    recording = open_recording(audio, start, duration, damaged)
    count = min(PATCHES_AT_ONCE, max(1, MOST_BYTES // bytes_per_patch(layers)))
    with aside(output) as place:
        check_space(output, layers, recording.patch_count())
        net = open_network(model, layers, original)
        with write(place, layers, count) as file:
            return _fill(file, audio, recording, net, layers, count)


def chosen_layers(wanted: str) -> list[str]:
    """Names of layers from a list with commas, each once; "all" stands for every layer.

    Raises:
        InputError: an unknown layer, with the valid ones.
    """
    from inside_musicnn.network.layers import LAYERS, check_layer

    names = [name.strip() for name in wanted.split(",")]
    if names == ["all"]:
        return list(LAYERS)
    return list(dict.fromkeys(check_layer(name) for name in names))


def open_network(model: str, layers: Sequence[str], original: bool = False) -> "MusiCNN":
    """The compact network if it has all these layers, else the original.

    Raises:
        InputError: the original is needed and not installed.
    """
    from inside_musicnn import MusiCNN
    from inside_musicnn.extras import missing
    from inside_musicnn.network.between import GIVEN
    from inside_musicnn.network.compact import LAYERS_OF_COMPACT
    from inside_musicnn.network.weights import package_is_there

    further = [name for name in layers if name not in (*GIVEN, *LAYERS_OF_COMPACT)]
    if further and not package_is_there():
        raise InputError(f"The compact network has {', '.join((*GIVEN, *LAYERS_OF_COMPACT))}; "
                         + missing("original", f"'{further[0]}'"))
    return MusiCNN(model, compact=not (original or further))


def _fill(file: "Writer", audio: str, recording: "Recording", net: "MusiCNN",
          layers: Sequence[str], count: int) -> int:
    """Write the layers of all patches, `count` at a time; return how many patches there were."""
    from inside_musicnn.progress import Progress

    done, total = 0, recording.patch_count()
    with Progress() as progress:
        for patches in recording.patch_batches(count):
            file.add(net.activations(patches, layers))
            done += len(patches)
            progress.show(f"{audio}: {done} patches", total and done / total)
        file.finish(_times(recording, done), net.labels,
                    _description(recording, net, layers, done))
    for note in recording.notes:
        progress.say(note)
    return done


def _times(recording: "Recording", count: int) -> "np.ndarray":
    import numpy as np

    from inside_musicnn.sound.spectrogram import PATCH_SECONDS

    return recording.offset + PATCH_SECONDS * np.arange(count)


def _description(recording: "Recording", net: "MusiCNN", layers: Sequence[str], count: int
                 ) -> dict[str, Any]:
    """What the tensors are and where they come from, as plain values."""
    from inside_musicnn.checksums import sha256
    from inside_musicnn.file_names import as_text
    from inside_musicnn.network.layers import FRAMES, LAYERS
    from inside_musicnn.network.weights import checksums_of_weights
    from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS, SAMPLE_RATE
    from inside_musicnn.versions import everything

    return {
        "model": net.name,
        "network": "compact" if net.compact else "original",
        "audio": as_text(recording.path.name),
        "sha256": checksums_of_weights(net.name) | {"audio": sha256(recording.path)},
        "notes": [as_text(note) for note in recording.notes],
        "damaged_patches": [number for number, damaged in
                            enumerate(recording.damaged_patches(0, count)) if damaged],
        "start": recording.offset,
        "sample_rate": SAMPLE_RATE,
        "frame_seconds": FRAME_SECONDS,
        "frames_per_patch": FRAMES,
        "patch_seconds": PATCH_SECONDS,
        "versions": everything(),
        "layers": {name: describe(LAYERS[name]) for name in layers},
    }


def describe(layer: "Layer") -> dict[str, Any]:
    """What is known of one layer, as plain values."""
    return {"description": layer.description, "axes": ["patch", *layer.axes],
            "shape_per_patch": list(layer.shape), "symbol": layer.symbol,
            "chapter": layer.chapter}
