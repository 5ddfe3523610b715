"""The weights that come with the library: what the script makes, what `fold` gives, and no more."""

import dataclasses
import io

import numpy as np
import pytest

from inside_musicnn import InputError, MusiCNN, load_clip
from inside_musicnn.network import live_weights
from inside_musicnn.network.between import STEADY_TO
from inside_musicnn.network.folding import fold
from inside_musicnn.network.layers import BLOCKS, FAMILIES
from inside_musicnn.network.live_weights import FOLDER, stored_weights, unpacked
from inside_musicnn.network.unit_facts import SIZES, Facts, unit_facts
from inside_musicnn.network.units import THRESHOLD, kernel_norms, live_rows, live_units
from inside_musicnn.network.weights import MODELS, Weights, checksums_of_weights
from making.weights.__main__ import made

MOST = 2_000_000  # bytes of both files


def same(ours, theirs, where=""):
    """Every number of two folded networks is the same, bit for bit."""
    if dataclasses.is_dataclass(ours):
        for field in dataclasses.fields(ours):
            name = field.name
            same(getattr(ours, name), getattr(theirs, name), f"{where}.{name}")
    elif isinstance(ours, dict):
        assert list(ours) == list(theirs), where
        for name in ours:
            same(ours[name], theirs[name], f"{where}[{name}]")
    else:
        assert np.array_equal(ours, theirs), where
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype, where


@pytest.mark.parametrize("model", MODELS)
def test_the_files_are_what_the_script_makes(model):
    assert made(model) == (FOLDER / f"{model}.npz").read_bytes()
    assert sum((FOLDER / f"{name}.npz").stat().st_size for name in MODELS) <= MOST


@pytest.mark.parametrize("model", MODELS)
def test_folded_bit_for_bit(model):
    same(fold(stored_weights(model)), fold(Weights(model)))


@pytest.mark.parametrize("model", MODELS)
def test_the_kernels_are_the_released_numbers(model):
    stored, released = stored_weights(model), Weights(model)
    assert stored.labels == released.labels and stored.model == model
    assert stored.made_from == checksums_of_weights(model)
    net = MusiCNN(model)
    for name in FAMILIES:
        block = f"cnn_1/{name}"
        live = live_units(net, block)
        assert np.array_equal(stored.live[block], live)
        assert np.array_equal(stored.kernels[block], released.block(block)["kernel"][..., live])
        assert np.allclose(stored.norms[block], kernel_norms(net, block), rtol=1e-12)
    kernel = released.block("cnn_2")["kernel"][:, stored.rows_of_u()]
    assert np.array_equal(stored.kernels["cnn_2"], kernel[..., stored.live["cnn_2"]])
    for name in BLOCKS:
        theirs, ours = released.block(name), stored.block(name)
        assert set(theirs) - {"kernel"} == set(ours)
        assert all(np.array_equal(values, theirs[key]) for key, values in ours.items())


@pytest.mark.parametrize("model", MODELS)
def test_links_are_between_live_units_and_of_the_released_weights(model):
    stored, net = stored_weights(model), MusiCNN(model)
    live = {f"cnn_{number}/norm": live_units(net, f"cnn_{number}").tolist() for number in (2, 3, 4)}
    live |= {"cnn_1/out": live_rows(net).tolist(), "dense/norm": live_units(net, "dense").tolist(),
             "tags/logits": list(range(50))}
    live["cnn_3/sum"] = sorted({*live["cnn_2/norm"], *live["cnn_3/norm"]})
    live["cnn_4/sum"] = sorted({*live["cnn_3/sum"], *live["cnn_4/norm"]})
    assert set(live) == set(SIZES)
    random = np.random.default_rng(0)
    usual = {layer: random.uniform(1, 9, len(units)) for layer, units in live.items()}
    facts = Facts(stored, usual)
    for layer, units in live.items():
        unit = facts.of(layer, units[0])
        assert unit.alive and unit.reads + unit.feeds
        assert all(link.number in live[link.layer] for link in unit.reads + unit.feeds), layer
        for below in unit.reads[:3]:
            feeds = facts.of(below.layer, below.number).feeds
            assert any((link.layer, link.number) == (layer, units[0])
                       and link.strength == pytest.approx(below.strength) for link in feeds)
        alone = unit_facts(stored, layer, units[0])  # other orders of the same links
        assert {link.weights for link in alone.reads} == {link.weights for link in unit.reads}
        assert all((link.strength is None) != (layer == "dense/norm") for link in alone.reads)
    kernel = net.weights("cnn_4")["kernel"]
    reads = facts.of("cnn_4/norm", live["cnn_4/norm"][0]).reads
    assert sorted(link.number for link in reads) == live["cnn_3/sum"]
    for link in reads:
        released = kernel[:, link.number, live["cnn_4/norm"][0]]
        assert link.weights == pytest.approx(released, rel=1e-5)
        place = live["cnn_3/sum"].index(link.number)
        assert link.strength == pytest.approx(
            np.linalg.norm(released) * usual["cnn_3/sum"][place], rel=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_the_strength_of_a_dense_link_is_that_of_what_it_reads(model):
    """By how much the input of a dense unit moves for one remembered deviation of the maximum and
    the mean of a series: the normalisation in between, gain and all, is in it. Released weights
    alone, which the normalisation scales by up to five and down to nothing, would say else."""
    stored, net = stored_weights(model), MusiCNN(model)
    unit = int(stored.live["dense"][3])
    pool, kernel = net.weights("pool"), net.weights("dense")["kernel"][:, unit]
    parts = {"cnn_1/out": 0, "cnn_2/norm": 561, "cnn_3/sum": 625, "cnn_4/sum": 689}
    reads = unit_facts(stored, "dense/norm", unit).reads
    assert len(reads) == len(stored.series())
    for link in reads:
        inputs = 2 * (parts[link.layer] + link.number) + np.arange(2)
        normalised = [pool["gain"][inputs] * moved + pool["offset"][inputs]
                      for moved in (pool["mean"][inputs],
                                    pool["mean"][inputs] + np.sqrt(pool["variance"][inputs]))]
        moves = (normalised[1] - normalised[0]) * kernel[inputs]
        # float32: the differences lose digits where the mean is large
        assert link.strength == pytest.approx(np.linalg.norm(moves), rel=1e-2, abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_a_dead_unit_gives_its_constant(model):
    """Of each layer that has dead units, in the original network, wherever it is not at an end."""
    stored, layers = stored_weights(model), [*SIZES][:6]
    facts, net = Facts(stored), MusiCNN(model)
    found = net.activations(load_clip("choir").patches()[:1], layers)
    for layer in layers:
        for number in np.setdiff1d(np.arange(SIZES[layer]), facts.live(layer))[:5]:
            unit = facts.of(layer, int(number))
            assert not unit.alive and unit.reads == unit.feeds == () and unit.kernel is None
            assert np.abs(found[layer][0, 64:-64, number] - unit.constant).max() < STEADY_TO


def test_what_goes_is_added_exactly():
    """Sums of what constants add are those of the whole kernels in float64."""
    weights, stored = Weights("MSD_musicnn"), stored_weights("MSD_musicnn")
    kernel = weights.block("cnn_3")["kernel"].astype(np.float64)[..., stored.live["cnn_3"]]
    expected = np.einsum("kru,r->ku", kernel, stored.steady("cnn_2"))
    assert np.allclose(stored.added["cnn_3"], expected, rtol=1e-12, atol=1e-14)


def test_the_same_tags_as_from_all_weights(monkeypatch):
    """With a threshold of its own a network is folded from the package."""
    stored = MusiCNN("MTT_musicnn", compact=True)
    folded = MusiCNN("MTT_musicnn", compact=True, threshold=THRESHOLD * 1.01)
    patches = load_clip("choir").patches()[:5]
    assert np.array_equal(stored.tags(patches), folded.tags(patches))
    monkeypatch.setattr("inside_musicnn.network.weights._package", lambda: None)
    assert np.array_equal(MusiCNN("MTT_musicnn", compact=True).tags(patches), stored.tags(patches))


def test_without_the_package(monkeypatch):
    expected = checksums_of_weights("MSD_musicnn")
    monkeypatch.setattr("inside_musicnn.network.weights._package", lambda: None)
    assert checksums_of_weights("MSD_musicnn") == expected
    net = MusiCNN("MSD_musicnn", compact=True)
    block = net.weights("cnn_2")
    assert block["gain"].shape == (64,)
    for ask in (lambda: block["kernel"], lambda: net.folder, lambda: MusiCNN("MSD_musicnn"),
                lambda: MusiCNN("MSD_musicnn", compact=True, threshold=0)):
        with pytest.raises(InputError, match=r"extra 'original'.*--no-deps musicnn==0.1.0"):
            ask()
    with pytest.raises(KeyError):
        block["kernels"]
    with pytest.raises(InputError, match="There are no weights 'cnn_9'"):
        net.weights("cnn_9")


def test_another_threshold_needs_all_weights():
    with pytest.raises(InputError, match="A threshold of 0, where the weights were kept with 0.01"):
        fold(stored_weights("MSD_musicnn"), 0)


@pytest.mark.parametrize("damage", ["one bit", "cut", "none", "the other network's"])
def test_damaged_files_are_told(tmp_path, monkeypatch, damage):
    content = bytearray((FOLDER / "MSD_musicnn.npz").read_bytes())
    if damage == "one bit":
        content[5000] ^= 1
    elif damage == "cut":
        del content[5000:]
    elif damage == "the other network's":
        content = (FOLDER / "MTT_musicnn.npz").read_bytes()
    if damage != "none":
        (tmp_path / "MSD_musicnn.npz").write_bytes(content)
    monkeypatch.setattr(live_weights, "FOLDER", tmp_path)
    with pytest.raises(InputError, match="install inside-musicnn again"):
        stored_weights.__wrapped__("MSD_musicnn")


def test_nothing_in_a_file_is_run():
    place = io.BytesIO()
    np.savez(place, about=np.array([print], object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpacked(place.getvalue())
