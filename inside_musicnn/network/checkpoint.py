"""Reads the variables of a TensorFlow checkpoint without TensorFlow, whose import takes seconds.

A checkpoint of version 2 is a file of raw numbers (`.data-00000-of-00001`) and a sorted table
(`.index`, the format of LevelDB) that says where each variable lies in it. Sources: TensorFlow's
`tensor_bundle.proto` and LevelDB's `doc/table_format.md`. Tests hold it to TensorFlow's own reader.
"""

import struct
from pathlib import Path

import google_crc32c
import numpy as np

from inside_musicnn.errors import InputError

_MAGIC = 0xDB4775248B80FB57  # ends every table of LevelDB
_FOOTER = 48  # bytes
_FLOAT = 1  # DT_FLOAT
_MASK = 0xA282EAD8  # LevelDB stores checksums rotated, plus this


def read_checkpoint(prefix):
    """All float32 variables of a checkpoint.

    Args:
        prefix: the path before `.index` and `.data-00000-of-00001`.

    Returns:
        dict from the variable's name to a float32 array.

    Raises:
        InputError: the files are missing, cut or damaged.
    """
    try:
        index = Path(f"{prefix}.index").read_bytes()
        data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    except OSError as error:
        raise InputError(f"The weights {prefix} cannot be read ({error.strerror}); install the "
                         "package musicnn again.") from None
    try:
        entries = {name.decode(): _entry(value) for name, value in _table(index) if name}
        return {name: _array(data, entry) for name, entry in entries.items()
                if entry["type"] == _FLOAT}
    except (ValueError, IndexError, struct.error):
        raise InputError(f"The weights {prefix} are damaged; install the package musicnn again."
                         ) from None


def _array(data, entry):
    raw = data[entry["offset"] : entry["offset"] + entry["size"]]
    _check(raw, entry["checksum"])
    return np.frombuffer(raw, "<f4").reshape(entry["shape"])


def _check(raw, stored):
    """Raise ValueError unless `stored` is the masked CRC-32C of `raw`."""
    rotated = (stored - _MASK) & 0xFFFFFFFF
    if google_crc32c.value(raw) != ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF:
        raise ValueError("checksum")


def _table(file):
    """Keys and values of a table: its footer leads to the index, the index to the blocks."""
    if len(file) < _FOOTER or struct.unpack("<Q", file[-8:])[0] != _MAGIC:
        raise ValueError("not a table")
    _, place = _handle(file, len(file) - _FOOTER)
    index, _ = _handle(file, place)
    for _, handle in _block(file, *index):
        (offset, size), _ = _handle(handle, 0)
        yield from _block(file, offset, size)


def _block(file, offset, size):
    """Entries of one block; a key is stored as what differs from the key before."""
    # Behind the block: its compression (0, none, in checkpoints) and a checksum of both.
    if file[offset + size] != 0:
        raise ValueError("compressed")
    _check(file[offset : offset + size + 1],
           struct.unpack_from("<I", file, offset + size + 1)[0])
    block = file[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    end, place, key = size - 4 - 4 * restarts, 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + length]
        place += length


def _handle(data, place):
    offset, place = _varint(data, place)
    size, place = _varint(data, place)
    return (offset, size), place


def _entry(message):
    """A BundleEntryProto: type, shape, offset, size and checksum of one variable."""
    fields = dict(_fields(message))  # a field that is 0 is left out
    shape = [dict(_fields(dimension)).get(1, 0)
             for number, dimension in _fields(fields.get(2, b"")) if number == 2]
    return {"type": fields.get(1, 0), "shape": shape, "offset": fields.get(4, 0),
            "size": fields.get(5, 0), "checksum": fields.get(6, 0)}


def _fields(message):
    """Numbers and values of the fields of a protocol buffer message."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        if tag & 7 == 0:
            value, place = _varint(message, place)
        elif tag & 7 == 2:
            length, place = _varint(message, place)
            value, place = message[place : place + length], place + length
        elif tag & 7 == 5:
            (value,) = struct.unpack_from("<I", message, place)
            place += 4
        else:
            raise ValueError("field")
        yield tag >> 3, value


def _varint(data, place):
    """An integer of 7 bits per byte, lowest first."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
