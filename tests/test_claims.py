"""The claims ledger: what needs no clip is held here, measured by other code where that says more.

Clips of the book stand in where a claim speaks of music in general.
"""

import numpy as np
import pytest
from arithmetic.network import SILENT, ExactNet
from arithmetic.rounding import same

from helpers.evidence import VERDICTS, YOURS, Context, claims, ledger, measure
from helpers.evidence.ledger import KINDS, MEASURES, PROPOSED
from helpers.evidence.measures.first_stage import SAME_TAGS
from inside_musicnn import InputError, MusiCNN, clip_names, load_clip
from inside_musicnn.network.layers import family_slices
from inside_musicnn.network.units import THRESHOLD, constants, kernel_norms, live_rows, row_unit

FAMILY_OF_ROW = ["timbral_38"] * 204 + ["timbral_67"] * 204 + ["temporal_128"] * 51 + [
    "temporal_64"] * 51 + ["temporal_32"] * 51
LIVE = {"MSD_musicnn": (22, 14, 3, 6, 17), "MTT_musicnn": (66, 68, 14, 14, 42)}


@pytest.fixture(scope="module")
def networks():
    return {name: MusiCNN(name) for name in LIVE}


@pytest.fixture(scope="module")
def context():
    return Context()


@pytest.fixture(scope="module")
def music():
    """Two patches of each clip of the book."""
    return np.concatenate([load_clip(name).patches()[[1, -1]] for name in clip_names()])


def checkpoint(net):
    """Variables straight from the released checkpoint, without the graph."""
    from inside_musicnn.network.original import tensorflow

    tf = tensorflow()

    return tf.compat.v1.train.NewCheckpointReader(f"{net.folder}/")


@pytest.mark.parametrize("name", claims())
def test_claim_renders(context, name):
    entry = measure(name, context)
    assert entry.verdict in VERDICTS and entry.claim.kind in KINDS
    assert entry.ours and "nan" not in entry.ours.split()
    for text in (entry.claim.claim, str(entry.claim.article), entry.ours):
        assert "\n" not in text and text.strip() == text and not text.endswith(".")
    assert 1 <= entry.claim.part <= 12 and entry.claim.needs in ("", "clip", "GTZAN")
    assert bool(entry.claim.refuted_by) == (entry.claim.article == "an open question")


def test_no_claim_twice_and_a_measure_for_each():
    assert len({claim.claim for claim in claims().values()}) == len(claims())
    assert next(iter(claims().values())).measure and set(MEASURES) == set(claims())


def test_parts_in_order_and_none_left_out():
    parts = [claim.part for claim in claims().values()]
    assert parts == sorted(parts)
    assert set(range(2, 10)) <= set(parts)


def test_without_a_clip_only_what_needs_none_is_judged(context):
    for entry in ledger(context):
        assert (entry.verdict == YOURS) == bool(entry.claim.needs), entry.claim.id


def test_an_unknown_claim_lists_the_known_ones(context):
    with pytest.raises(InputError, match="no claim 'x'; choose one of segments"):
        measure("x", context)


def test_values_are_attributes(context):
    entry = measure("cnn_4_live_msd", context)
    assert (entry.count, entry.dead.tolist()) == (63, [34])
    with pytest.raises(AttributeError, match="no value 'x'"):
        entry.x  # noqa: B018


def test_other_music_is_not_taken_for_the_articles_excerpt():
    assert not Context(load_clip("disco")).has("GTZAN")
    assert Context(load_clip("disco")).has("clip")


def test_the_articles_excerpt_is_known_by_its_name():
    clip = load_clip("disco")
    theirs = type(clip)("disco.00083", "disco.00083", clip.samples)
    assert Context(theirs).has("GTZAN")


def test_a_measure_is_not_called_without_its_audio(context, monkeypatch):
    def explode(_):
        raise AssertionError("measured")

    assert claims()["largest_after"].needs == "GTZAN" and claims()["largest_after"].measure
    monkeypatch.setitem(MEASURES, "largest_after", explode)
    assert measure("largest_after", context).verdict == YOURS


@pytest.mark.parametrize("name", LIVE)
def test_live_units_by_the_checkpoint(networks, name):
    """Counted without our graph: 62 of MSD, 204 of MTT, family by family."""
    variables = checkpoint(networks[name])
    counts = []
    for number in range(5):
        kernel = variables.get_tensor(f"conv2d_{number}/kernel" if number else "conv2d/kernel")
        counts.append(int((np.sqrt((kernel.astype(float) ** 2).sum((0, 1, 2))) > 0.01).sum()))
    assert tuple(counts) == LIVE[name]
    assert len(live_rows(networks[name])) == sum(LIVE[name])


def test_first_live_unit_of_msd_is_12(networks):
    assert live_rows(networks["MSD_musicnn"])[0] == 12
    assert live_rows(networks["MSD_musicnn"])[:5].tolist() == [12, 15, 56, 59, 70]


def test_gains_of_live_units(networks):
    """One anti-correlation in MSD, 22 in MTT: signs of gamma in the checkpoint."""
    for name, expected in (("MSD_musicnn", 1), ("MTT_musicnn", 22)):
        variables = checkpoint(networks[name])
        gamma = np.concatenate([variables.get_tensor(f"batch_normalization_{number}/gamma")
                                for number in range(1, 6)])
        assert (gamma[live_rows(networks[name])] < 0).sum() == expected


def test_rows_and_families_agree():
    assert [row_unit(row)[0] for row in range(561)] == FAMILY_OF_ROW
    for name, rows in family_slices().items():
        assert FAMILY_OF_ROW[rows] == [name] * (rows.stop - rows.start)


@pytest.mark.parametrize("name", LIVE)
def test_dead_rows_are_constants_and_near_zero(music, name):
    """In float64, as the tests below: what the rows do, apart from rounding."""
    net = ExactNet(name)
    u = net.activations(music[::4], "cnn_1/out")["cnn_1/out"]
    dead = np.setdiff1d(np.arange(561), live_rows(net))
    assert np.abs(u[..., dead]).max() < 0.02
    assert np.abs(u[..., dead] - constants(net)[dead]).max() < 0.02
    vanished = dead[np.concatenate([kernel_norms(net, f"cnn_1/{family}")
                                    for family in family_slices()])[dead] < SILENT]
    assert same(u[..., vanished] - constants(net)[vanished], 0.0)


@pytest.mark.parametrize("name", LIVE)
def test_tags_come_from_live_structures_alone(music, name):
    """Dead rows at constants: the tags stay. Live rows held: the tags no longer know the music."""
    net, some = ExactNet(name), music[::3]
    acts = net.activations(some, ["cnn_1/out", "tags/sigmoid"])
    u, tags = acts["cnn_1/out"], acts["tags/sigmoid"]
    live = np.zeros(561, bool)
    live[live_rows(net)] = True

    def go_on(edited):
        return net.activations(some, "tags/sigmoid", replace={"cnn_1/out": edited})["tags/sigmoid"]

    assert np.abs(go_on(np.where(live, u, constants(net))) - tags).max() < SAME_TAGS
    deaf = go_on(np.where(live, u.mean((0, 1)), u))
    assert np.ptp(deaf, axis=0).max() < SAME_TAGS
    assert np.ptp(tags, axis=0).max() > 0.3


def test_silent_kernels_stop_where_float32_does(networks):
    """Chapter 9: largest weights of silent kernels lie at tiny / (learning rate x decay)."""
    floor = np.finfo(np.float32).tiny / (1e-3 * 1e-5)
    for net in networks.values():
        largest, silent = [], []
        for family in family_slices():
            weights = net.weights(f"cnn_1/{family}")
            norms = kernel_norms(net, f"cnn_1/{family}")
            largest.append(np.abs(weights["kernel"]).max(axis=(0, 1)))
            silent.append((norms < THRESHOLD) & (weights["bias"] < 0))
        largest = np.concatenate(largest)[np.concatenate(silent)]
        assert (largest <= 8.1 * floor).all()
        near = np.abs(largest / floor - 1) < 0.02
        assert near.mean() > 0.15


def test_ledger_on_a_clip_of_the_book():
    entries = ledger(Context(load_clip("disco"), 1))
    for entry in entries:
        needs = entry.claim.needs
        assert (entry.verdict == YOURS) == (needs == "GTZAN"), entry.claim.id
        assert (entry.verdict == PROPOSED) == bool(entry.claim.refuted_by), entry.claim.id
