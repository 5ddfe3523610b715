"""Statistics behind statements about music, on data whose truth is known."""

import numpy as np
import pytest

from helpers.evidence.basis import Basis, basis_of, numbers_of
from helpers.evidence.intervals import bootstrap, by_recording, correlation, mean, share
from helpers.evidence.nulls import (
    against,
    in_another_order,
    moved_in_time,
    partners,
    random_rows,
    reversed_in_time,
    shuffled,
    shuffled_clusters,
)
from inside_musicnn import InputError


def in_clusters(random, clusters=40, each=6, between=1.0, within=0.3):
    """Rows whose clusters differ more than they do among themselves; their true mean is 0."""
    middles = random.normal(0, between, clusters)
    labels = np.repeat(np.arange(clusters), each)
    return middles[labels] + random.normal(0, within, len(labels)), labels


def coverage(clustered, trials=200):
    """How often the interval of the mean holds the true one."""
    random, hits = np.random.default_rng(0), 0
    for trial in range(trials):
        values, labels = in_clusters(random)
        labels = labels if clustered else np.arange(len(values))
        found = mean(values, labels, repeats=200, seed=trial)
        hits += found.low <= 0 <= found.high
    return hits / trials


def test_intervals_by_cluster_hold_the_truth_as_often_as_they_say():
    assert 0.90 <= coverage(clustered=True) <= 0.98


def test_intervals_by_row_do_not():
    """Six rows of a cluster count like one: the interval is far too narrow."""
    assert coverage(clustered=False) < 0.75


def test_an_interval_is_as_wide_as_theory_has_it():
    values = np.random.default_rng(1).normal(5, 2, 4000)
    found = mean(values, np.arange(4000), repeats=2000)
    assert found.estimate == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / np.sqrt(4000), rel=0.08)
    assert found.excludes(0) and not found.excludes(found.estimate)
    assert (found.clusters, found.level, found.draws.shape) == (4000, 0.95, (2000,))


def test_the_same_seed_gives_the_same_interval():
    values, labels = in_clusters(np.random.default_rng(2))
    first, second = (mean(values, labels, seed=5) for _ in range(2))
    assert (first.low, first.high) == (second.low, second.high)
    assert mean(values, labels, seed=6).low != first.low


def test_clusters_may_have_any_names_and_sizes():
    values = np.array([1.0, 1, 1, 1, 2, 3, 4, 5])
    labels = ["a", "a", "a", "a", "b", "c", "d", "e"]
    found = mean(values, labels, repeats=200)
    assert found.clusters == 5 and found.estimate == pytest.approx(values.mean())
    assert found.low < found.estimate < found.high


def test_columns_go_together_and_may_be_wide():
    random = np.random.default_rng(3)
    wide, labels = random.normal(size=(50, 4)) + np.arange(4), np.arange(50)
    found = mean(wide, labels, repeats=200)
    assert found.low.shape == (4,) and (found.low < np.arange(4)).all()
    assert (found.high > np.arange(4)).all()
    ratio = bootstrap(lambda a, b: a.sum() / b.sum(), wide[:, 3], wide[:, 3] * 2, clusters=labels,
                      repeats=50)
    assert ratio.low == ratio.high == 0.5, "both columns must be cut to the same rows"


def test_share_and_correlation():
    random = np.random.default_rng(4)
    x = random.normal(size=400)
    y = 0.6 * x + 0.8 * random.normal(size=400)
    found = correlation(x, y, np.arange(400), repeats=500)
    assert found.low < 0.6 < found.high and found.high - found.low < 0.2
    bent = correlation(x, np.exp(3 * x), np.arange(400), by_rank=True, repeats=100)
    assert bent.estimate == pytest.approx(1) and bent.low > 0.999
    half = share(np.arange(400) % 2 == 0, np.arange(400), repeats=500)
    assert half.estimate == 0.5 and 0.4 < half.low < 0.5 < half.high < 0.6
    assert half.text(2).startswith("0.50 (0.4")


def test_too_few_clusters_and_columns_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="5 clusters or more; these rows are of 4"):
        mean(np.arange(8), np.arange(8) % 4)
    with pytest.raises(InputError, match="one row for every label"):
        mean(np.arange(8), np.arange(7))


def test_one_row_for_each_recording():
    ids, rows = by_recording(np.arange(12).reshape(6, 2), list("bbacca"))
    assert ids.tolist() == ["b", "a", "c"]
    assert rows.tolist() == [[1, 2], [7, 8], [7, 8]]
    assert by_recording(np.arange(6), list("bbacca"), "max")[1].tolist() == [1, 5, 4]


def test_a_null_is_reached_as_often_as_chance_says():
    """Without an effect, p-values are even: one in ten is at most 0.1."""
    random, small = np.random.default_rng(5), 0
    for trial in range(300):
        values, labels = random.normal(size=30), np.arange(30) % 2
        found = against(lambda labels, v=values: v[labels == 1].mean() - v[labels == 0].mean(),
                        labels, shuffled(labels, repeats=99, seed=trial))
        small += found.above <= 0.1
    assert 0.06 <= small / 300 <= 0.145


def test_an_effect_stands_out_of_its_null():
    labels = np.arange(40) % 2
    values = np.random.default_rng(6).normal(size=40) + 2 * labels
    found = against(lambda labels: values[labels == 1].mean() - values[labels == 0].mean(), labels,
                    shuffled(labels, repeats=499))
    low, high = found.range()
    assert found.observed > high > low and abs(found.middle) < 0.3
    assert found.above == 1 / 500 and found.below == 1.0


def test_shuffling_keeps_what_it_says():
    labels, songs = np.array([1, 2, 3, 4, 5, 6]), np.array(list("aabbbb"))
    for drawn in shuffled(labels, within=songs, repeats=20):
        assert set(drawn[:2]) == {1, 2} and set(drawn[2:]) == {3, 4, 5, 6}
    orders = {tuple(drawn) for drawn in shuffled(labels, repeats=50)}
    assert len(orders) > 40
    whole = np.array([7, 7, 8, 8, 9, 9])
    for drawn in shuffled_clusters(whole, [0, 0, 1, 1, 2, 2], repeats=20):
        assert sorted(drawn[::2]) == [7, 8, 9] and (drawn[::2] == drawn[1::2]).all()
    with pytest.raises(InputError, match="same label"):
        next(shuffled_clusters(labels, songs))


def test_partners_are_of_other_recordings():
    ids = np.array(list("aaaaaaab"))
    for drawn in partners(ids, repeats=20):
        assert (ids[drawn] != ids).all()
    with pytest.raises(InputError, match="two recordings"):
        next(partners(list("aaa")))


def test_random_rows_are_as_many():
    rows = list(random_rows(5, [2, 4, 6, 8, 10, 12], repeats=30))
    assert all(len(set(drawn)) == 5 and set(drawn) <= {2, 4, 6, 8, 10, 12} for drawn in rows)
    assert len({tuple(drawn) for drawn in rows}) == 6
    assert next(random_rows(3, 100, repeats=1)).tolist() == next(
        random_rows(3, 100, repeats=1)).tolist()


def test_nulls_of_time_keep_the_values():
    series = np.random.default_rng(7).normal(size=(2, 9, 3))
    for null in (in_another_order, moved_in_time):
        for drawn in null(series, repeats=5):
            assert np.array_equal(np.sort(drawn, axis=1), np.sort(series, axis=1))
            assert not np.array_equal(drawn, series)
    moved = next(moved_in_time(series, repeats=1))
    steps = [np.roll(moved, step, axis=1) for step in range(9)]
    assert any(np.array_equal(step, series) for step in steps)
    assert np.array_equal(reversed_in_time(series)[:, 0], series[:, -1])


def test_what_a_statement_rests_on():
    basis = basis_of(["a", "a", "b"], ["x", "x", "x"], patches=1200)
    assert basis == Basis(2, 1, 1200)
    assert basis.words == "1,200 patches of 2 recordings by 1 author"
    assert str(Basis(1, 1)) == "1 recording by 1 author"
    assert Basis(10, 1, kind="synthesised").words == "10 synthesised clips by 1 author"
    assert numbers_of(["z", "a", "z"]).tolist() == [0, 1, 0]
