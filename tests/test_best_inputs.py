"""What the units would hear best: as strong as is told, at the energy that is told, and stronger
than anything else of that energy."""

import json
from functools import cache

import numpy as np
import pyarrow.parquet as pq
import pytest
from arithmetic.network import ExactNet

from inside_musicnn import MusiCNN
from inside_musicnn.atlas import BEST, KEY, units
from inside_musicnn.cores import one_thread
from inside_musicnn.network.compact import Compact
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.weights import MODELS, Weights
from making.atlas import closed_forms, null_windows
from making.atlas.ascent import BEFORE, DEPTHS, HALF, WHOLE, Network, climb
from making.atlas.best_inputs import aim_of, heard_values, input_of
from making.atlas.energy import Energy, usual_energy
from making.atlas.inversion import decoded, heard_again

LAYERS = (*DEPTHS, *WHOLE)
THERE = [(model, layer) for model in MODELS for layer in LAYERS
         if (BEST / f"{model}-{layer.replace('/', '-')}.parquet").is_file()]
MIDDLE = FRAMES // 2
DIGITS = 0.006  # what is told has three significant digits: half of the last, and float32


@cache
def opened(model):
    network = Network(model, energy(model))
    return network, Compact(network.weights, threads=1)


@cache
def energy(model):
    """As the tables tell it: reading all recordings again takes longer than all tests here."""
    about = json.loads(pq.read_schema(BEST / f"{model}-cnn_1-out.parquet").metadata[KEY])
    return Energy(about["mean"], about["energy"], -about["mean"], np.array(about["highest"]))


def records(model, layer):
    return [record for record in units(model).live(layer) if "best_input" in record]


def some(model, layer, count=3):
    found = records(model, layer)
    return found[:: max(len(found) // count, 1)][:count]


def as_patch(model, record):
    """A stored input in the middle of a patch at the remembered mean, (1, 187, 96)."""
    best, layer = record["best_input"], record["layer"]
    window, picture = input_of(best), best["picture"]
    patch = np.full((1, FRAMES, 96), energy(model).mean, np.float32)
    seen = BEFORE + HALF * DEPTHS[layer] if layer in DEPTHS else 0
    first = MIDDLE - seen if layer in DEPTHS else 0
    if layer == "cnn_1/out":
        first = MIDDLE - (len(window) - 1) // 2
    low = picture["lowest_band"]
    patch[0, first : first + len(window), low : low + window.shape[1]] = window
    return patch


def near(found, told, scale=0.0):
    return abs(found - told) <= DIGITS * max(abs(told), abs(found), scale) + 1e-4


@pytest.mark.parametrize("model", MODELS)
def test_every_live_unit_has_one(model):
    there = [layer for of, layer in THERE if of == model]
    assert set(there) == set(units(model).layers)
    for layer in there:
        live = units(model).live(layer)
        assert len(records(model, layer)) == len(live) > 0, layer
        for record in live:
            best = record["best_input"]
            told = best["value"], best["real"]["value"], best["random"]["value"]
            assert told[0] > max(told[1:]) if best["aim"] == "highest" else told[0] < min(told[1:])
            assert (best["way"] == "ascent") == (layer != "cnn_1/out") == ("starts" in best)
            assert best["windows"] > 500
    assert not any("best_input" in record for record in units(model).values()
                   if not record["alive"])


@pytest.mark.parametrize(("model", "layer"), THERE)
def test_energy_and_bounds_are_those_told(model, layer):
    """The stored input: rounding to 32 levels adds and takes a little."""
    bounds = energy(model)
    for record in some(model, layer, 8):
        best = record["best_input"]
        window, picture = input_of(best), best["picture"]
        assert window.shape == (picture["frames"], picture["bands"])
        size = np.sqrt(((window - picture["mean"])**2).mean())
        assert size == pytest.approx(best["energy"], rel=0.03), record["number"]
        assert best["energy"] == pytest.approx(bounds.size, rel=DIGITS)
        low = picture["lowest_band"]
        highest = bounds.highest[low : low + picture["bands"]] + bounds.mean
        assert window.min() >= 0 and (window <= highest + picture["step"]).all()


@pytest.mark.parametrize(("model", "layer"), THERE)
def test_the_network_answers_as_told(model, layer):
    """The compact network, on the stored input in the middle of a patch."""
    network, engine = opened(model)
    live = list(network.live(layer))
    for record in some(model, layer):
        with one_thread():
            values = heard_values(network, engine, layer, as_patch(model, record))
        values = values[live.index(record["number"])]
        found = values[0] if layer in WHOLE else values[MIDDLE]
        told = record["best_input"]["value"]
        if layer == "cnn_1/out":  # another place may match what is around the window even better
            assert found >= told - DIGITS * abs(told) - 1e-4 or not near(found, told)
            found = max(found, told) if record["best_input"]["aim"] == "highest" else found
        assert near(found, told), (record["number"], found, told)


@pytest.mark.numeric
@pytest.mark.parametrize("model", MODELS)
def test_the_exact_network_answers_as_told(model):
    """All units, in float64: what the compact network leaves out does not matter here, either."""
    exact = ExactNet(model)
    for layer in ("cnn_4/norm",) if model == "MTT_musicnn" else ("cnn_4/norm", "tags/logits"):
        record = some(model, layer, 1)[0]
        values = exact.activations(as_patch(model, record), layer)[layer][0]
        found = values[record["number"]] if layer in WHOLE else values[MIDDLE, record["number"]]
        assert near(found, record["best_input"]["value"]), (layer, found)


@pytest.mark.parametrize("model", MODELS)
def test_no_input_of_this_energy_beats_a_closed_form(model):
    """Kernels against music, noise and noisy kernels, all brought to the energy."""
    random, bounds, network = np.random.default_rng(0), energy(model), opened(model)[0]
    kernels = closed_forms.kernels(network.folded, bounds)
    for kernel in kernels[:: max(len(kernels) // 8, 1)]:
        place = (96 - kernel.bands) // 2
        best, gap = closed_forms.best_input(kernel, bounds, place)
        shape = (40, *best.shape)
        music = null_windows.distances(bounds, FRAMES, range(40), lot=False)
        others = np.concatenate([
            music[:, 20 : 20 + best.shape[0], place : place + best.shape[1]],
            random.standard_normal(shape), random.exponential(size=shape) - 1,
            best + 0.1 * random.standard_normal(shape), best * random.integers(0, 2, shape)])
        others = bounds.reached(others, place)
        reached = kernel.matches(best[None])[0]
        # what is left open of a convex problem, and the steps of its solver
        assert kernel.matches(others).max() <= reached * (1 + gap) / (1 - gap) + 1e-6
        assert gap < (1e-12 if kernel.rises else 0.2)
        assert kernel.matches(others[-40:]).max() > 0.3 * reached  # near ones are nearly as good


@pytest.mark.parametrize("model", MODELS)
def test_a_unit_of_cnn_1_is_told_as_the_network_has_it(model):
    """The kernels of the closed forms are those of the network."""
    network, engine = opened(model)
    kernels = closed_forms.kernels(network.folded, network.energy)
    patch = null_windows.distances(network.energy, FRAMES, [5], lot=False)
    with one_thread():
        values = heard_values(network, engine, "cnn_1/out",
                              (patch + network.energy.mean).astype(np.float32))[:, MIDDLE]
    for kernel, value in list(zip(kernels, values, strict=True))[::9]:
        first = MIDDLE - (kernel.frames - 1) // 2
        window = patch[:, first : first + kernel.frames]
        bands = kernel.weights.shape[1]
        every = np.array([kernel.matches(window[:, :, band : band + kernel.bands])[0]
                          for band in range(96 - kernel.bands + 1)])
        match = every.max() if kernel.rises else every.min()
        assert bands <= kernel.bands and near(kernel.told(match), value, 1e-2)


def test_inputs_are_brought_to_the_energy():
    random = np.random.default_rng(0)
    bounds = Energy(2.0, 1.0, -2.0, np.linspace(3, 0.5, 96))
    for window in (random.standard_normal((5, 7, 96)), random.exponential(size=(5, 7, 96))**3):
        found = bounds.reached(window)
        assert np.abs(bounds.of(found) - 1).max() < 1e-9
        assert found.min() >= -2 and (found <= bounds.highest + 1e-12).all()
        free = (found > -2 + 1e-9) & (found < bounds.highest - 1e-9)
        for one, other, inside in zip(found, window, free, strict=True):
            assert np.ptp(one[inside] / other[inside]) < 1e-6  # one factor for all that is not cut
    assert np.abs(bounds.reached(window) - bounds.reached(7 * window)).max() < 1e-9
    part = bounds.reached(window[..., 50:], 50)
    assert (part <= bounds.highest[50:] + 1e-12).all() and np.abs(bounds.of(part) - 1).max() < 1e-9


def test_slopes_are_those_of_the_values():
    """Of each layer, by small steps, where no choice changes."""
    network = opened("MSD_musicnn")[0]
    random = np.random.default_rng(1)
    for layer in LAYERS[1:]:
        frames = network.frames(layer)
        window = null_windows.brought(network.energy, frames, [3], lot=False)
        with one_thread():
            values = network.values((layer,), window)[layer][:, 0]
            unit = np.array([int(values.argmax())])
            value, slope = network.slope(layer, window, unit)
            assert near(value[0], values[unit[0]])
            step = 1e-3 * random.standard_normal(window.shape)
            ends = [network.values((layer,), window + side * step)[layer][unit[0], 0]
                    for side in (1, -1)]
        expected = float((slope * step).sum())
        assert abs((ends[0] - ends[1]) / 2 - expected) < 0.05 * float(
            np.linalg.norm(slope) * 1e-3) + 1e-5 * abs(values[unit[0]]), layer


def test_an_ascent_only_rises():
    network = opened("MSD_musicnn")[0]
    starts = null_windows.brought(network.energy, network.frames("cnn_3/norm"), [5, 900], lot=True)
    numbers = np.array([4, 30])
    with one_thread():
        before = network.values(("cnn_3/norm",), starts)["cnn_3/norm"][numbers, [0, 1]]
        done = climb(network, "cnn_3/norm", numbers, starts)
        after = network.values(("cnn_3/norm",), done.inputs)["cnn_3/norm"][numbers, [0, 1]]
    assert (after > before + 1).all() and (done.steps > 3).all()
    assert np.abs(after - done.values).max() < 1e-3 * np.abs(after).max()
    assert np.abs(network.energy.of(done.inputs) - network.energy.size).max() < 1e-6


def test_chance_has_musics_smoothness_and_nothing_else():
    random = np.random.default_rng(0)
    window = np.cumsum(random.standard_normal((50, 96)), axis=0)
    found = null_windows.phases_dealt(window, random)
    assert found.mean() == pytest.approx(window.mean())
    powers = [np.abs(np.fft.fft2(each)) for each in (window, found)]
    # what is its own mirror image can only be real
    assert np.median(np.abs(powers[1] - powers[0])) < 1e-9 * powers[0].max()
    assert abs(np.corrcoef(window.ravel(), found.ravel())[0, 1]) < 0.5
    again = null_windows.phases_dealt(window, random)
    assert np.abs(again - found).max() > 1


@pytest.mark.parametrize(("model", "layer"), THERE)
def test_the_sound_reaches_the_value_that_is_told(model, layer):
    """The file, decoded, through spectrogram and network."""
    network, engine = opened(model)
    samples = decoded((BEST / f"{model}-{layer.replace('/', '-')}.mp3").read_bytes())
    live = list(network.live(layer))
    for record in some(model, layer, 2):
        sound = record["best_input"]["sound"]
        patch = heard_again(samples, sound["seconds"], sound["long"], sound["factor"])
        with one_thread():
            values = heard_values(network, engine, layer, patch)[live.index(record["number"])]
        found = values.max() if record["best_input"]["aim"] == "highest" else values.min()
        assert near(found, sound["value"], 0.1), (record["number"], found, sound["value"])


def test_what_rises_is_told_apart_from_what_falls():
    network = opened("MTT_musicnn")[0]
    gains = network.layers["cnn_1/out"].gain
    aims = [aim_of(network, "cnn_1/out", place) for place in range(len(gains))]
    assert [aim == "lowest" for aim in aims] == list(gains < 0) and "lowest" in aims
    assert aim_of(network, "tags/logits", 3) == "highest"


@pytest.mark.parametrize("model", MODELS)
def test_the_energy_is_that_of_the_recordings(model):
    found = usual_energy(model)
    assert found.size == pytest.approx(energy(model).size, rel=1e-6)
    assert found.mean == pytest.approx(float(Weights(model).block("input")["mean"][0]))
    assert np.abs(found.highest - energy(model).highest).max() < 1e-5
    assert MusiCNN(model, compact=True).name == model
