"""The search for what each unit would hear best, in parts that are kept: a run that is stopped goes
on where it was."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from inside_musicnn.checksums import digest, sha256
from inside_musicnn.network.weights import checksums_of_weights
from making.atlas import ascent, closed_forms, energy, null_windows
from making.atlas.activity import positions
from making.atlas.ascent import AFTER, BEFORE, STEPS, WHOLE, Network, climb
from making.atlas.energy import Energy, usual_energy

TOGETHER = (("cnn_2/norm",), ("cnn_3/norm", "cnn_3/sum"), ("cnn_4/norm", "cnn_4/sum"),
            ("dense/norm", "tags/logits"))  # layers that see as many frames
AT_ONCE = 8  # units or windows
STARTS = ("real", "random", "lot")
MOST = {"MSD_musicnn": 14, "MTT_musicnn": 8}  # slopes of whole patches: the second network has
#                                               three times as many kernels, and takes as long
LEVELS = 32  # of a stored input, evenly apart between the bounds
FRAMES_OF_CNN_1 = BEFORE + AFTER + 1
SEED = 0

Found = dict[str, np.ndarray]


class Search:
    """One network's search.

    Args:
        model: "MSD_musicnn" or "MTT_musicnn".
        place: where parts are kept.
        say: told of each part.
    """

    def __init__(self, model: str, place: Path, say: Callable[[str], None]) -> None:
        self.model, self.say, self.random = model, say, np.random.default_rng(SEED)
        sources = (__file__, ascent.__file__, closed_forms.__file__, energy.__file__,
                   null_windows.__file__)
        key = digest({"sources": [sha256(Path(file)) for file in sources],
                      "weights": checksums_of_weights(model)})[:16]
        self.folder = place / "best_inputs" / key

    def layers(self) -> Iterator[tuple[str, Found]]:
        """Layer after layer, with what was found of its live units."""
        energy = usual_energy(self.model)
        network = Network(self.model, energy)
        found = {"cnn_1/out": self._first(network, energy)}
        yield "cnn_1/out", found["cnn_1/out"]
        for layers in TOGETHER:
            music = self.kept("music-" + layers[0].replace("/", "-"),
                               partial(self._music, network, layers))
            for layer in layers:
                live = len(network.live(layer))
                parts = [self.kept(f"{layer.replace('/', '-')}-{first:03}",
                                    partial(
                                        self._climbed, network, layer, first, music, found))
                         for first in range(0, live, AT_ONCE)]
                found[layer] = {name: np.concatenate([part[name] for part in parts])
                                for name in parts[0]}
                yield layer, found[layer]

    def kept(self, name: str, make: Callable[[], Found]) -> Found:
        """What was made before under this name; else it is made and kept."""
        file = self.folder / f"{self.model}-{name}.npz"
        if not file.is_file():
            values = make()
            file.parent.mkdir(parents=True, exist_ok=True)
            aside = file.with_name(f".{os.getpid()}-{file.name}")
            with aside.open("wb") as stream:
                np.savez_compressed(stream, **values)  # type: ignore[arg-type]
            aside.rename(file)
            self.say(f"{self.model}: {name}")
        return dict(np.load(file))

    def _first(self, network: Network, energy: Energy) -> Found:
        """CNN_1: stored inputs are 128 frames and 96 bands, at the mean outside the window."""
        units, won = closed_forms.kernels(network.folded, energy), positions(self.model)
        music = self.kept("music-cnn_1-out", partial(self._compared, units, energy))
        found: dict[str, list[Any]] = {}
        for number, unit in enumerate(units):
            place = closed_forms.best_place(unit, energy, won[number]) if unit.rises else 0
            window, gap = closed_forms.best_input(unit, energy, place)
            here = slice(unit.late, unit.late + unit.frames), slice(place, place + unit.bands)
            laid = np.zeros((network.frames("cnn_1/out"), energy.highest.size))
            laid[here] = window
            stored = levels(laid, energy)
            values = {
                "stored": stored, "window": [unit.late, unit.frames, place, unit.bands],
                "gap": gap, "value": unit.told(unit.matches(
                    unquantised(stored, energy)[here][None]))[0],
                "starts": np.full(3, np.nan), "steps": np.zeros(3, int),
                "likeness": np.full(3, np.nan)}
            for key, value in values.items():
                found.setdefault(key, []).append(value)
        return {name: np.array(each) for name, each in found.items()} | music

    def _compared(self, units: list[closed_forms.Kernel], energy: Energy) -> Found:
        """How music and chance do at units of CNN_1."""
        real, lot = (closed_forms.compare(units, energy, each) for each in (False, True))
        places = null_windows.places(FRAMES_OF_CNN_1)
        found: dict[str, list[Any]] = {}
        for number, unit in enumerate(units):
            at = real.where[number]
            name, first = places[at[0]]
            values = {
                "real": unit.told(real.highest[number]), "real_name": name,
                "real_first": first + at[1] + (unit.frames - 1) // 2, "real_band": at[2],
                "real_middle": unit.told(real.middle[number]),
                "random": unit.told(lot.highest[number]), "count": real.count[number],
                "random_middle": unit.told(lot.middle[number])}
            for key, value in values.items():
                found.setdefault(key, []).append(value)
        return {name: np.array(each) for name, each in found.items()}

    def _music(self, network: Network, layers: tuple[str, ...]) -> Found:
        """Values of all windows, real and random, (units, windows)."""
        frames = network.frames(layers[0])
        total = len(null_windows.places(frames))
        found: dict[str, list[np.ndarray]] = {}
        for first in range(0, total, AT_ONCE):
            some = range(first, min(first + AT_ONCE, total))
            for kind in STARTS[:2]:
                windows = null_windows.brought(network.energy, frames, some, kind == "random")
                for layer, values in network.values(layers, windows).items():
                    found.setdefault(f"{kind} {layer}", []).append(values.astype(np.float32))
        return {name: np.concatenate(parts, axis=1) for name, parts in found.items()}

    def _climbed(self, network: Network, layer: str, first: int, music: Found,
                 before: dict[str, Found]) -> Found:
        """The best of three ascents for each of a few units."""
        frames, real, random = (network.frames(layer), music[f"real {layer}"],
                                music[f"random {layer}"])
        units = np.arange(len(real))[first : first + AT_ONCE]
        starts = np.array([self._starts(network.energy, frames, real[unit], random[unit], unit)
                           for unit in units])  # (units, 3, frames, bands)
        if layer.endswith("sum"):  # where nothing random moves it: what its upper part likes best
            upper = layer.replace("sum", "norm")
            numbers = list(network.live(upper))
            for place, unit in enumerate(units):
                number = network.live(layer)[unit]
                if random[unit].max() <= random[unit].min() and number in numbers:
                    stored = before[upper]["stored"][[numbers.index(number)]]
                    starts[place, 2] = network.energy.reached(
                        unquantised(stored, network.energy))[0]
        done = climb(network, layer, np.repeat(units, len(STARTS)),
                     starts.reshape(-1, *starts.shape[2:]),
                     most=MOST[self.model] if layer in WHOLE else STEPS)
        values = done.values.reshape(len(units), -1)
        inputs = done.inputs.reshape(starts.shape)
        best = values.argmax(axis=1)
        stored = levels(inputs[np.arange(len(units)), best], network.energy)
        again = network.values((layer,), unquantised(stored, network.energy))[layer]

        def told(some: np.ndarray) -> np.ndarray:
            return network.told(layer, units, some)

        won = real[units].argmax(axis=1)
        names, firsts = zip(*(null_windows.places(frames)[each] for each in won), strict=True)
        here = 0 if frames == 187 else (frames - 1) // 2 + 0
        return {
            "stored": stored, "window": np.tile([0, frames, 0, 96], (len(units), 1)),
            "gap": np.full(len(units), np.nan), "value": told(again[units, np.arange(len(units))]),
            "real": told(real[units].max(axis=1)), "real_name": np.array(names),
            "real_first": np.array(firsts) + here, "real_band": np.zeros(len(units), int),
            "real_middle": told(np.median(real[units], axis=1)),
            "random": told(random[units].max(axis=1)),
            "random_middle": told(np.median(random[units], axis=1)),
            "count": np.full(len(units), real.shape[1]), "starts": told(values),
            "steps": done.steps.reshape(len(units), -1), "likeness": likeness(inputs)}

    def _starts(self, energy: Energy, frames: int, real: np.ndarray, random: np.ndarray, unit: int
                ) -> np.ndarray:
        """The strongest window of music, the strongest random one, and one by lot of those random
        ones that move the unit at all."""
        drawn = np.random.default_rng([SEED, frames, unit])
        moved = np.flatnonzero(random > random.min())
        lot = int(drawn.choice(moved)) if len(moved) else int(drawn.integers(len(random)))
        return np.concatenate([
            null_windows.brought(energy, frames, [int(number)], by_lot) for number, by_lot in (
                (real.argmax(), False), (random.argmax(), True), (lot, True))])


def likeness(inputs: np.ndarray) -> np.ndarray:
    """Cosines of each two of three inputs, (units, 3), from (units, 3, frames, bands)."""
    flat = inputs.reshape(*inputs.shape[:2], -1)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=2, keepdims=True), 1e-12)
    every = flat @ flat.transpose(0, 2, 1)
    return every[:, [0, 0, 1], [1, 2, 2]]


def step_of(energy: Energy) -> float:
    """Between neighbouring levels of a stored input; silence and the mean are levels."""
    below = round((LEVELS - 1) * -energy.lowest / (energy.highest.max() - energy.lowest))
    return -energy.lowest / below


def levels(inputs: np.ndarray, energy: Energy) -> np.ndarray:
    """Inputs as levels, uint8."""
    found = np.round((inputs - energy.lowest) / step_of(energy))
    return np.minimum(found, LEVELS - 1).astype(np.uint8)


def unquantised(stored: np.ndarray, energy: Energy) -> np.ndarray:
    """Distances from the mean, from levels."""
    return stored * step_of(energy) + energy.lowest
