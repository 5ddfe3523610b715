"""The study runner, on a small study of its own, and what it stored."""

import json
import types

import numpy as np
import pytest
from arithmetic.rounding import U

from helpers.evidence.studies import stored_study
from inside_musicnn import MODELS, InputError, load_clip
from making.studies import edges_and_places, runner
from making.studies.subject import Subject

SOURCE = '''
"""A study of nothing much."""
import numpy as np
MEANINGS = {"loud": "largest value of each patch's spectrogram, sorted, (2,)", "lot": "by lot"}
DTYPES = {"loud": "float16", "lot": "int32"}
calls = []
def measure(subject):
    calls.append(subject.model)
    return {"loud": np.sort(subject.patches.max(axis=(1, 2)))[:2],
            "lot": subject.random.integers(0, 10**6)}
'''


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A study, with two excerpts as its only rows."""
    file = tmp_path / "tiny.py"
    file.write_text(SOURCE)
    study = types.ModuleType("tiny")
    study.__file__ = str(file)
    exec(SOURCE, study.__dict__)
    monkeypatch.setattr(runner, "studies", lambda: {"tiny": study})
    rows = [row for row in runner.all_rows() if row.group == "excerpt"][:2]
    monkeypatch.setattr(runner, "all_rows", lambda: iter(rows))
    return study, [row.id for row in rows], tmp_path


def run(tiny, **options):
    study, _, place = tiny
    return runner.run("tiny", place / "work", place / "out", say=lambda text: None, **options)


def test_a_study_is_stored_and_read_again(tiny):
    study, ids, place = tiny
    files = run(tiny)
    assert files == [place / "out" / f"tiny-{model}.parquet" for model in MODELS]
    assert len(study.calls) == 4
    for model in MODELS:
        found = stored_study("tiny", model, "excerpt", place / "out")
        assert found.recordings["id"].tolist() == ids
        assert found.recordings["patches"].tolist() == [10, 10]
        patches = load_clip(ids[1]).patches()
        expected = np.sort(patches.max(axis=(1, 2)))[:2].astype(np.float16)
        assert np.array_equal(found.of(ids[1])["loud"], expected)
        assert found["lot"].shape == (2,) and found["loud"].dtype == np.float16
        assert found.basis.recordings == 2 and len(found.sources) == 2
        assert found.meanings["lot"] == "by lot"
    told = json.loads((place / "out" / "tiny.json").read_text())
    assert told["about"] == "A study of nothing much." and "numpy" in told["versions"]


def test_it_goes_on_where_it_was_stopped(tiny):
    study, ids, place = tiny
    assert run(tiny, only=ids[:1]) is None
    assert len(study.calls) == 2
    run(tiny)
    assert len(study.calls) == 4, "the first recording is not measured again"
    run(tiny)
    assert len(study.calls) == 4


def test_another_source_is_another_study(tiny):
    study, _, place = tiny
    run(tiny)
    (place / "tiny.py").write_text(SOURCE + "# changed\n")
    run(tiny)
    assert len(study.calls) == 8


def test_what_is_drawn_by_lot_is_the_same_each_time(tiny):
    _, _, place = tiny
    run(tiny)
    first = stored_study("tiny", "MSD_musicnn", "excerpt", place / "out")["lot"]
    other = stored_study("tiny", "MTT_musicnn", "excerpt", place / "out")["lot"]
    assert np.array_equal(first, other) and first[0] != first[1]


def test_a_study_that_breaks_its_promise_is_refused(tiny):
    study, _, _ = tiny
    study.MEANINGS["further"] = "never given"
    with pytest.raises(InputError, match="promised"):
        run(tiny)


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(InputError, match="no study 'nothing'; choose one of .*edges_and_places"):
        runner.run("nothing")
    with pytest.raises(InputError, match="no study 'nothing'"):
        stored_study("nothing")
    with pytest.raises(InputError, match="no group"):
        stored_study("edges_and_places", group="other")
    found = stored_study("edges_and_places")
    with pytest.raises(InputError, match="no column"):
        found["colour"]
    with pytest.raises(InputError, match="not in the study"):
        found.of("disco")


def test_every_study_says_what_its_columns_mean():
    for name, study in runner.studies().items():
        assert study.__doc__ and set(study.MEANINGS) == set(study.DTYPES), name
        assert all(study.MEANINGS.values())


def nudged(row):
    """The same recording, every value moved as far as the network's roundings may move it.

    A sum of CNN_1 of what is moved by 2^-20, which is 16 roundings, moves by about the bound that
    `tests/arithmetic` has for it.
    """
    patches = row.patches(runner.PLACE)
    moves = np.random.default_rng(3).choice([-1, 1], patches.shape) * 2.0**-20
    return types.SimpleNamespace(
        id=row.id, patches=lambda place: (patches * (1 + moves)).astype(np.float32))


def agree(stored, fresh, moved):
    """Whether two rows of a study agree: but for how they are stored, and for rounding.

    Args:
        moved: the row of the nudged recording. Where two positions or frames are level, either
            may win, and what is stored in whole steps may round to the next one.
    """
    for column, values in stored.items():
        exact = fresh[column].astype(np.float64)
        if not np.array_equal(np.isnan(values), np.isnan(exact)):
            return False
        away, by_rounding = (np.nan_to_num(np.abs(each.astype(np.float64) - exact))
                             for each in (values, moved[column]))
        if np.issubdtype(values.dtype, np.integer):
            few = 2 if np.abs(exact).sum() > 100 else 0  # of many that are counted
            if away.sum() > 4 * by_rounding.sum() + few:
                return False
            continue
        step = np.finfo(values.dtype).eps  # two roundings, of what is stored and of what is not
        if (away > step * np.nan_to_num(np.abs(exact)) + 4 * by_rounding.max() + step**2).any():
            return False
    return True


@pytest.mark.parametrize("name", runner.studies())
@pytest.mark.parametrize("model", MODELS)
def test_stored_rows_are_what_a_fresh_measurement_gives(name, model):
    study, stored = runner.studies()[name], stored_study(name, model, "excerpt")
    assert stored.facts["key"] == runner.key_of(study), f"run: python -m making.studies {name}"
    one, *others = stored.recordings["id"]
    row = runner.Row("excerpt", one)
    fresh, moved = (runner.measured(study, model, each) for each in (row, nudged(row)))
    assert agree(stored.of(one), fresh, moved)
    assert not all(agree(stored.of(other), fresh, moved) for other in others)


def test_frames_and_positions_of_a_planted_row():
    rows = np.zeros((3, 2, 187), np.float32)
    rows[0, :, 40], rows[1, 0, 186], rows[1, 1, 0] = 1, 1, 1  # the last row never moves
    counts = edges_and_places.histogram(rows)
    assert counts[0, 40] == 2 and counts[1, 186] == counts[1, 0] == 1 and counts.sum() == 4
    places = np.array([[[0, 1, 1]], [[2, 2, 0]]])
    assert edges_and_places.counted(places, 3).tolist() == [1, 2, 0, 1, 0, 2]


def test_noise_kernels_have_the_norms_and_the_bias_of_the_true_ones():
    subject = Subject("MSD_musicnn", load_clip("disco").patches()[:1])
    engine = subject.engine
    family = engine.folded.families["timbral_38"]
    noise = edges_and_places.noisy(family, "timbral_38", engine.folded.silence)
    norms = [np.sqrt((each.kernel**2).sum(axis=(0, 1))) for each in (family, noise)]
    assert (np.abs(norms[0] - norms[1]) <= family.kernel[..., 0].size * U * norms[0]).all()
    alike = (family.kernel * noise.kernel).sum(axis=(0, 1)) / norms[0] / norms[1]
    assert np.abs(alike).max() < 0.5
    block = subject.weights.block("cnn_1/timbral_38")
    # In a patch of what the normalisation maps to zero, only the bias is left.
    quiet = np.full((1, 187, 96), engine.folded.silence, np.float32)
    bias = np.maximum(block["bias"][family.live], 0)
    for units in (family, noise):
        varying = engine.family("timbral_38", quiet, units)[:, 0, 90]
        # The bias that is folded lacks the kernel's answer to silence, which is added again.
        answer = np.abs(units.kernel).sum(axis=(0, 1)) * np.abs(engine.folded.silence)
        assert (np.abs(varying - bias) <= 8 * U * (answer + np.abs(bias))).all()
