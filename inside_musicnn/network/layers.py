"""The one place that knows a layer of MusiCNN: its names, shape, chapter and meaning.

The map at the head of each chapter, the reference page, `MusiCNN` and the tests are drawn
from here. Explained in chapter 2; source: the package's `musicnn/models.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from inside_musicnn.errors import InputError

FRAMES = 187  # frames of one patch: the 3 seconds that the networks were trained on
BANDS = 96  # mel bands
UNITS = 64  # units of CNN_2, CNN_3 and CNN_4
ROWS = 561  # rows of U: all units of CNN_1
SERIES = 753  # time series that leave the second stage: 561 + 3 x 64
DENSE = 200  # units of the dense layer
TAGS = 50

# Families of CNN_1, in the order in which the package concatenates them in U:
# name -> (kernel frames, kernel bands, units, TensorFlow's number of the convolution)
FAMILIES: dict[str, tuple[int, int, int, int]] = {
    "timbral_38": (7, 38, 204, 0),
    "timbral_67": (7, 67, 204, 1),
    "temporal_128": (128, 1, 51, 2),
    "temporal_64": (64, 1, 51, 3),
    "temporal_32": (32, 1, 51, 4),
}


@dataclass(frozen=True)
class Layer:
    """A named tensor of the network.

    Attributes:
        name: how this book calls it, for example "cnn_4/norm".
        symbol: what the articles call it, as TeX, or "" where they have no symbol.
        tensor: the tensor's name in the TensorFlow graph.
        shape: shape per patch of 187 frames; the first number is frames where `axes` says so.
        axes: what each axis of `shape` counts.
        stage: "input", "first", "second" or "final".
        chapter: number of the chapter that explains it.
        description: one line.
    """

    name: str
    symbol: str
    tensor: str
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    stage: str
    chapter: int
    description: str

    @property
    def block(self) -> str:
        """The part of the name before the last slash: what `MusiCNN.weights` is asked for."""
        return self.name.rsplit("/", 1)[0]

    def values(self, frames: int = FRAMES) -> int:
        """How many numbers the tensor holds for one patch of `frames` frames."""
        count = 1
        for size, axis in zip(self.shape, self.axes, strict=True):
            count *= frames if axis == "frame" else size
        return count


@dataclass(frozen=True)
class Block:
    """A set of learned parameters: the TensorFlow variables behind `MusiCNN.weights(name)`.

    Attributes:
        name: for example "cnn_1/timbral_38".
        layer: TensorFlow's name of the convolution or dense layer, or "" where there is none.
        normalization: TensorFlow's name of the batch normalisation, or "" where there is none.
        kernel: shape of the kernel: (frames, rows, units), or (inputs, units), or ().
        units: how many units, or normalised rows.
    """

    name: str
    layer: str
    normalization: str
    kernel: tuple[int, ...]
    units: int


def _first_stage() -> Iterator[Layer]:
    for name, (frames, bands, units, number) in FAMILIES.items():
        positions = BANDS - bands + 1
        shape, axes = (FRAMES, positions, units), ("frame", "position", "unit")
        conv = f"conv2d_{number}" if number else "conv2d"
        block, kind = f"cnn_1/{name}", name.split("_")[0]
        pool = f"max_pooling2d_{number}" if number else "max_pooling2d"
        first = 4 if kind == "temporal" else 5
        for step, tensor, chapter, text in (
            ("conv", f"{conv}/Conv2D", first, f"filtered by {units} kernels of {frames} x {bands}"),
            ("bias", f"{conv}/BiasAdd", 6, "the same, plus one bias per unit"),
            ("relu", f"{conv}/Relu", 6, "negative values set to zero"),
            (
                "norm",
                f"batch_normalization_{number + 1}/FusedBatchNormV3",
                7,
                "batch normalisation: one gain and one offset per unit",
            ),
        ):
            yield Layer(f"{block}/{step}", "", f"{tensor}:0", shape, axes, "first", chapter, text)
        yield Layer(
            f"{block}/max", "", f"{pool}/MaxPool:0", (FRAMES, units), ("frame", "unit"),
            "first", 8, "maximum over positions in frequency",
        )
    yield Layer(
        "cnn_1/out", r"\mathbf{U}", "concat:0", (FRAMES, ROWS), ("frame", "row"),
        "first", 8, "the 561 time series of the first stage, side by side",
    )


def _second_stage() -> Iterator[Layer]:
    shape, axes = (FRAMES, UNITS), ("frame", "unit")
    sums = {3: r"\hat{\mathbf{V}}_1+\hat{\mathbf{V}}_2",
            4: r"\hat{\mathbf{V}}_1+\hat{\mathbf{V}}_2+\hat{\mathbf{V}}_3"}
    for number in (2, 3, 4):
        conv, block, chapter = f"conv2d_{number + 3}", f"cnn_{number}", number + 8
        rows = ROWS if number == 2 else UNITS
        for step, symbol, tensor, text in (
            ("conv", "", f"{conv}/Conv2D", f"filtered by 64 kernels of 7 x {rows}"),
            ("bias", "", f"{conv}/BiasAdd", "the same, plus one bias per unit"),
            ("relu", rf"\mathbf{{V}}_{number - 1}", f"{conv}/Relu", "negative values set to zero"),
            (
                "norm",
                rf"\hat{{\mathbf{{V}}}}_{number - 1}",
                f"batch_normalization_{number + 4}/FusedBatchNormV3",
                "batch normalisation: one gain and one offset per unit",
            ),
        ):
            yield Layer(f"{block}/{step}", symbol, f"{tensor}:0", shape, axes, "second", chapter,
                        text)
        if number > 2:
            yield Layer(
                f"{block}/sum", sums[number], "Add:0" if number == 3 else "Add_1:0", shape, axes,
                "second", chapter, "skip connection: added to what came before",
            )
    yield Layer(
        "stage_2/out", "", "concat_1:0", (FRAMES, SERIES), ("frame", "row"), "second", 12,
        "the concatenation: U, V-hat 1 and both sums, 753 time series",
    )


def _final_stage() -> Iterator[Layer]:
    for name, tensor, size, chapter, text in (
        ("pool/max", "Max", SERIES, 13, "maximum over time of each series"),
        ("pool/mean", "moments/Squeeze", SERIES, 13, "mean over time of each series"),
        ("pool/flat", "flatten/Reshape", 2 * SERIES, 13, "interleaved: max of row 0, mean of "
         "row 0, max of row 1, ..."),
        ("pool/norm", "batch_normalization_9/batchnorm/add_1", 2 * SERIES, 13,
         "batch normalisation of the pooled values"),
        ("dense/linear", "dense/MatMul", DENSE, 14, "200 weighted sums of the pooled values"),
        ("dense/bias", "dense/BiasAdd", DENSE, 14, "the same, plus one bias per unit"),
        ("dense/relu", "dense/Relu", DENSE, 14, "negative values set to zero"),
        ("dense/norm", "batch_normalization_10/batchnorm/add_1", DENSE, 14,
         "batch normalisation: the penultimate layer"),
        ("tags/logits", "dense_1/BiasAdd", TAGS, 14, "one weighted sum plus bias per tag"),
        ("tags/sigmoid", "Sigmoid", TAGS, 14, "the tags' scores, between 0 and 1"),
    ):
        axis = "tag" if name.startswith("tags") else "unit" if name.startswith("dense") else "row"
        yield Layer(name, "", f"{tensor}:0", (size,), (axis,), "final", chapter, text)


def _layers() -> Iterator[Layer]:
    shape, axes = (FRAMES, BANDS), ("frame", "band")
    yield Layer("input/db_mel", r"\mathbf{M}_{dB}", "input:0", shape, axes, "input", 3,
                "dB mel spectrogram")
    yield Layer("input/normalized", r"\hat{\mathbf{M}}_{dB}",
                "batch_normalization/FusedBatchNormV3:0", shape, axes, "input", 3,
                "the same after the first batch normalisation")
    yield from _first_stage()
    yield from _second_stage()
    yield from _final_stage()


def _blocks() -> Iterator[Block]:
    yield Block("input", "", "batch_normalization", (), 1)
    for name, (frames, bands, units, number) in FAMILIES.items():
        conv = f"conv2d_{number}" if number else "conv2d"
        yield Block(f"cnn_1/{name}", conv, f"batch_normalization_{number + 1}",
                    (frames, bands, units), units)
    for number in (2, 3, 4):
        rows = ROWS if number == 2 else UNITS
        yield Block(f"cnn_{number}", f"conv2d_{number + 3}", f"batch_normalization_{number + 4}",
                    (7, rows, UNITS), UNITS)
    yield Block("pool", "", "batch_normalization_9", (), 2 * SERIES)
    yield Block("dense", "dense", "batch_normalization_10", (2 * SERIES, DENSE), DENSE)
    yield Block("tags", "dense_1", "", (DENSE, TAGS), TAGS)


LAYERS = {layer.name: layer for layer in _layers()}
BLOCKS = {block.name: block for block in _blocks()}


def check_layer(name: str) -> str:
    """The layer's name, or an InputError that lists the valid ones."""
    if name not in LAYERS:
        raise InputError(f"There is no layer '{name}'; choose one of {', '.join(LAYERS)}.")
    return name


def shape_of(name: str, frames: int = FRAMES) -> tuple[int, ...]:
    """The shape of a named layer for one patch of `frames` frames."""
    layer = LAYERS[name]
    return tuple(frames if axis == "frame" else size
                 for size, axis in zip(layer.shape, layer.axes, strict=True))


def family_slices() -> dict[str, slice]:
    """Rows of U that each family of CNN_1 fills: name -> slice."""
    slices: dict[str, slice] = {}
    first = 0
    for name, (_, _, units, _) in FAMILIES.items():
        slices[name] = slice(first, first + units)
        first += units
    return slices
