"""Layers written to .npz and .zarr while they are computed, so that memory stays flat."""

import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, Self

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs
from inside_musicnn.file_names import shown
from inside_musicnn.network.layers import LAYERS, shape_of

SMALL = 2**16  # bytes of a layer's patch below which several share one chunk


class Writer(Protocol):
    """Takes in layers batch by batch."""

    def add(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Append a batch: name -> float32 (patches, ...)."""

    def finish(self, times: np.ndarray, labels: list[str], metadata: dict[str, Any]) -> None:
        """Add what describes the tensors."""


def bytes_per_patch(layers: Sequence[str]) -> int:
    """Bytes that these layers take for one patch."""
    return 4 * sum(LAYERS[name].values() for name in layers)


def writer(output: str | Path) -> "type[NpzWriter] | type[ZarrWriter]":
    """The class that writes such a file, by its ending.

    Raises:
        InputError: another ending, or something else stands in the place of the output.
    """
    path = Path(output).expanduser()
    known: dict[str, type[NpzWriter] | type[ZarrWriter]] = {".npz": NpzWriter,
                                                             ".zarr": ZarrWriter}
    if path.suffix not in known:
        raise InputError(f"The output '{output}' does not end in {' or '.join(known)}; the ending "
                         "says which kind of file is written.")
    if path.is_dir() if path.suffix == ".npz" else path.exists() and not _is_zarr(path):
        raise InputError(f"The output '{output}' is something else than an earlier "
                         f"{path.suffix} file; choose another name.")
    return known[path.suffix]


def _is_zarr(path: Path) -> bool:
    return path.is_dir() and ((path / "zarr.json").is_file() or not any(path.iterdir()))


def check_space(output: str | Path, layers: Sequence[str], patches: int | None) -> None:
    """Raise InputError if the disk cannot hold the layers of so many patches (None: not known)."""
    folder = Path(output).expanduser().resolve().parent
    if patches is None or not folder.is_dir():
        return
    # A .npz is put together of its members, and the largest is there twice for a moment.
    twice = max(bytes_per_patch([name]) for name in layers) if str(output).endswith(".npz") else 0
    needed, free = patches * (bytes_per_patch(layers) + twice), shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{len(layers)} layers of {patches} patches take up to {needed / 1e6:.1f} MB, and "
            f"{free / 1e6:.1f} MB are free where {shown(folder)} is; ask for fewer layers, or for "
            "a shorter part with --duration.")


class NpzWriter:
    """A NumPy archive: one member per layer, `times`, `labels`, and `metadata` as JSON text.

    The number of patches is known at the end only. So each layer grows in a file of its own, whose
    header has room for any number of rows, and the archive is put together of these.

    Args:
        place: the file to make; `place` with .parts is its temporary folder.
        layers: names of the layers.
        count: patches in one batch.
    """

    def __init__(self, place: Path, layers: Sequence[str], count: int) -> None:
        self.place, self.patches = place, 0
        self.files: dict[str, BinaryIO] = {}
        self.parts = place.with_suffix(".parts")
        self.parts.mkdir()
        for number, name in enumerate(layers):
            self.files[name] = (self.parts / f"{number}.npy").open("wb")
            self._write_header(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.files.values():
            try:
                file.close()
            except OSError:  # a full disk has been told already, where it was met
                pass

    def _write_header(self, name: str) -> None:
        shape = (self.patches, *shape_of(name))
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.files[name], header)

    def add(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Append a batch: name -> float32 (patches, ...)."""
        for name, values in tensors.items():
            self.files[name].write(np.ascontiguousarray(values, "<f4").data)
        self.patches += len(values)

    def finish(self, times: np.ndarray, labels: list[str], metadata: dict[str, Any]) -> None:
        """Put the archive together."""
        small = {"times": times, "labels": np.array(labels),
                 "metadata": np.array(json.dumps(metadata))}
        with zipfile.ZipFile(self.place, "w") as archive:
            for name, file in self.files.items():
                file.seek(0)
                self._write_header(name)
                file.close()
                with open(file.name, "rb") as part, _member(archive, name) as member:
                    shutil.copyfileobj(part, member, 2**20)
                Path(file.name).unlink()
            for name, values in small.items():
                with _member(archive, name) as member:
                    np.lib.format.write_array(member, values, allow_pickle=False)


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    # A ZipInfo carries a fixed date: the same tensors make the same file.
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


class ZarrWriter:
    """A Zarr group (format 3): an array per layer, `times`; labels and the rest as attributes.

    Large layers have one chunk per patch, small ones one per batch.

    Args:
        place: the folder to make.
        layers: names of the layers.
        count: patches in one batch.
    """

    def __init__(self, place: Path, layers: Sequence[str], count: int) -> None:
        with needs("corpus", "A file that ends in .zarr"):
            import zarr

        self.group = zarr.create_group(place)
        self.arrays = {}
        for name in layers:
            chunk = 1 if bytes_per_patch([name]) >= SMALL else count
            shape = shape_of(name)
            self.arrays[name] = self.group.create_array(
                name, shape=(0, *shape), chunks=(chunk, *shape), dtype="float32",
                dimension_names=["patch", *LAYERS[name].axes])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Append a batch: name -> float32 (patches, ...)."""
        for name, values in tensors.items():
            self.arrays[name].append(values)

    def finish(self, times: np.ndarray, labels: list[str], metadata: dict[str, Any]) -> None:
        """Add what describes the tensors."""
        array = self.group.create_array("times", shape=times.shape, dtype="float64",
                                        dimension_names=["patch"])
        array[:] = times
        for name, described in metadata["layers"].items():
            self.arrays[name].attrs.update(described)
        self.group.attrs.update(metadata | {"labels": labels})
