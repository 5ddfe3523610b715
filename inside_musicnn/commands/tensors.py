"""The sub-command `tensors`: named layers of the network in a file, without a book."""

from inside_musicnn.commands.tags import add_audio_options
from inside_musicnn.file_names import visible

MOST_PATCHES = 32  # computed at once, of layers that are small
MOST_BYTES = 2**28  # that the layers of the patches computed at once may take


def add_tensors(commands) -> None:
    """The sub-command `tensors`: named layers of every patch, as NumPy archive or Zarr."""
    parser = commands.add_parser(
        "tensors", help="write layers of the network to a file",
        description="Write named layers of the network for every patch of a recording: float32, "
                    "patch axis first, with the time of each patch, the tags' names and a "
                    "description of the layers.")
    add = parser.add_argument
    add("audio", metavar="AUDIO",
        help="a clip in data/, or an audio file; put -- before a name that begins with a dash")
    add_audio_options(parser)
    add("--layers", required=True, metavar="LIST",
        help="such as cnn_4/norm,stage_2/out, or all; the page 'The layer map' lists them")
    add("--output", required=True, metavar="FILE",
        help="ending in .npz (NumPy) or .zarr; an older one is replaced")
    parser.set_defaults(run=run_tensors)


def run_tensors(options) -> None:
    """Compute the layers batch by batch and write them as they come."""
    from inside_musicnn.commands.tensor_files import bytes_per_patch, check_space, writer
    from inside_musicnn.network.weights import check_model
    from inside_musicnn.replacing import aside
    from inside_musicnn.sound.recordings import open_recording

    check_model(options.model)
    layers = chosen_layers(options.layers)
    write = writer(options.output)
    recording = open_recording(options.audio, options.start, options.duration)
    count = min(MOST_PATCHES, max(1, MOST_BYTES // bytes_per_patch(layers)))
    with aside(options.output) as place:
        check_space(options.output, layers, recording.patch_count())
        total = _write_all(write, place, layers, recording, options, count)
    plural = "es" * (total > 1), "s" * (len(layers) > 1)
    print(f"{total} patch{plural[0]} of {len(layers)} layer{plural[1]} in "
          f"{visible(options.output)}")


def chosen_layers(wanted):
    """Names of layers from a list with commas, each once; "all" stands for every layer.

    Raises:
        InputError: an unknown layer, with the valid ones.
    """
    from inside_musicnn.network.layers import LAYERS, check_layer

    names = [name.strip() for name in wanted.split(",")]
    if names == ["all"]:
        return list(LAYERS)
    return list(dict.fromkeys(check_layer(name) for name in names))


def open_network(model):
    """The network with all its layers."""
    from inside_musicnn import MusiCNN

    return MusiCNN(model)


def _write_all(write, place, layers, recording, options, count):
    """Write the layers of all patches to `place`; return how many patches there were."""
    from inside_musicnn.progress import Progress

    net, done, silent, total = None, 0, True, recording.patch_count()
    with Progress() as progress, write(place, layers, count) as file:
        for patches in recording.patch_batches(count):
            net = net or open_network(options.model)
            file.add(net.activations(patches, layers))
            done += len(patches)
            silent = silent and not patches.any()
            progress.show(f"{options.audio}: {done} patches", total and done / total)
        file.finish(_times(recording, done), net.labels, _description(recording, net, layers))
    if silent:
        progress.say(f"The audio in {recording.shown} is silent, so the tensors tell of no music.")
    return done


def _times(recording, count):
    import numpy as np

    from inside_musicnn.sound.spectrogram import PATCH_SECONDS

    return recording.offset + PATCH_SECONDS * np.arange(count)


def _description(recording, net, layers):
    """What the tensors are and where they come from, as plain values."""
    from inside_musicnn.checksums import sha256
    from inside_musicnn.file_names import as_text
    from inside_musicnn.network.layers import FRAMES, LAYERS
    from inside_musicnn.network.weights import checksums_of_weights
    from inside_musicnn.sound.spectrogram import FRAME_SECONDS, PATCH_SECONDS, SAMPLE_RATE
    from inside_musicnn.versions import everything

    return {
        "model": net.name,
        "audio": as_text(recording.path.name),
        "sha256": checksums_of_weights(net.name) | {"audio": sha256(recording.path)},
        "start": recording.offset,
        "sample_rate": SAMPLE_RATE,
        "frame_seconds": FRAME_SECONDS,
        "frames_per_patch": FRAMES,
        "patch_seconds": PATCH_SECONDS,
        "versions": everything(),
        "layers": {name: describe(LAYERS[name]) for name in layers},
    }


def describe(layer):
    """What is known of one layer, as plain values."""
    return {"description": layer.description, "axes": ["patch", *layer.axes],
            "shape_per_patch": list(layer.shape), "symbol": layer.symbol,
            "chapter": layer.chapter}
