"""Look up a unit of MusiCNN: what it is, what excites it, what it does to the tags.

    unit = units("MSD_musicnn")["cnn_1/out", 12]

The numbers are those of the pages *The units*: one table holds them for the pages, for their JSON
and for this. Its fields are described in `data/units/README.md`; the tables beside it, of what the
units would hear best, in `data/units/best/README.md`.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from inside_musicnn.errors import InputError
from inside_musicnn.extras import needs
from inside_musicnn.network.weights import check_model
from inside_musicnn.sound.shipped import DATA

FILE = DATA / "units" / "units.parquet"
BEST = FILE.parent / "best"  # tables of what the units would hear best
KEY = b"inside-musicnn"  # of what a table says about itself
DIGITS = 3  # significant ones of the numbers in records


class Units(Mapping[tuple[str, int], dict[str, Any]]):
    """The records of one network, by layer and number, in the order of the layers.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        records: one dict for each unit, row and tag.
        basis: what was listened to, in words: how much, of how many recordings.
    """

    def __init__(self, model: str, records: list[dict[str, Any]], basis: str = "") -> None:
        self.model, self.basis = model, basis
        self._records = {(each["layer"], each["number"]): each for each in records}

    def __getitem__(self, key: tuple[str, int]) -> dict[str, Any]:
        """One unit's record; fields that it does not have are left out.

        Raises:
            InputError: there is no such layer, or no unit of that number in it.
        """
        if key in self._records:
            return self._records[key]
        sizes: dict[str, int] = {}
        for layer, number in self._records:
            sizes[layer] = max(sizes.get(layer, 0), number + 1)
        layer, number = key if isinstance(key, tuple) and len(key) == 2 else (key, None)
        if layer not in sizes:
            raise InputError(f"There are no units of a layer '{layer}'; choose one of "
                             f"{', '.join(sizes)}.")
        raise InputError(f"'{layer}' has no unit {number}; its units are 0 to "
                         f"{sizes[layer] - 1}.")

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"Units('{self.model}', {len(self)} records)"

    @property
    def layers(self) -> list[str]:
        """The layers that have units, from the sound to the tags."""
        return list(dict.fromkeys(layer for layer, _ in self._records))

    def live(self, layer: str) -> list[dict[str, Any]]:
        """The records of a layer's live units."""
        return [record for record in self.values()
                if record["layer"] == layer and record["alive"]]


@cache
def units(model: str = "MSD_musicnn", file: Path | str = FILE) -> Units:
    """The atlas of one network.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        file: the table; that of the book, or one of your own collection.

    Raises:
        InputError: another model, or there is no such table.
    """
    with needs("corpus", "The table of the units"):
        import pyarrow.parquet as pq

    check_model(model)
    if not Path(file).is_file():
        raise InputError(f"There is no table of units at '{file}'; the book's repository has one "
                         "in data/units/.")
    table = pq.read_table(file, filters=[("model", "=", model)])
    about = json.loads(table.schema.metadata[KEY])
    beside = sorted((Path(file).parent / BEST.name).glob(f"{model}-*.parquet"))
    best = {(one.schema.metadata[b"layer"].decode(), row["number"]):
            {"best_input": row["best_input"]}
            for one in map(pq.read_table, beside) for row in one.to_pylist()}
    return Units(model, [
        without_gaps(row | best.get((row["layer"], row["number"]), {}))
        for row in table.to_pylist()], about["corpus"].get(model, ""))


def without_gaps(value: Any) -> Any:
    """The same without what is None in dicts, to any depth."""
    if isinstance(value, dict):
        return {name: without_gaps(each) for name, each in value.items() if each is not None}
    return [without_gaps(each) for each in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """What JSON and Parquet both have: numbers with three significant digits, times to the
    millisecond, so that they name a frame."""
    if isinstance(value, dict):
        return {name: round(float(each), 3) if name == "seconds" else plain(each)
                for name, each in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}")
    return value
