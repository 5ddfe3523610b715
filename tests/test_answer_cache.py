"""The cache of answers: by content, bounded, and nobody can spoil it."""

import numpy as np

from inside_musicnn.network import musicnn as network
from inside_musicnn.network.answer_cache import AnswerCache


def arrays(*names, size=10):
    return {name: np.full(size, number, np.float32) for number, name in enumerate(names)}


def test_what_is_put_is_found_and_cannot_be_spoilt():
    cache, values = AnswerCache(1000), arrays("a")
    cache.put(values)
    values["a"][:] = 7
    cache.get("a")[:] = 8
    assert (cache.get("a") == 0).all() and cache.get("b") is None


def test_it_is_bounded_and_forgets_what_was_not_used():
    cache = AnswerCache(3 * 40)  # bytes: three arrays of ten numbers
    for name in "abc":
        cache.put(arrays(name))
    cache.get("a")
    cache.put(arrays("d"))
    assert [cache.get(name) is not None for name in "abcd"] == [True, False, True, True]
    cache.put(arrays("e", size=1000))  # larger than all of it
    assert cache.get("e") is None and cache.get("d") is not None and cache.held <= 120
    cache.put(arrays("d", size=5))
    assert cache.held == sum(cache.get(name).nbytes for name in "acd")


def test_content_counts_and_not_the_object():
    values = np.arange(12.0).reshape(3, 4)
    assert AnswerCache.digest(values) == AnswerCache.digest(values.copy())
    assert AnswerCache.digest(values.T) != AnswerCache.digest(values)


def test_the_network_computes_an_answer_once(net, patches, monkeypatch):
    monkeypatch.setattr(network, "REMEMBERED", AnswerCache(2**24))
    asked = []
    run = net._engine().run
    monkeypatch.setattr(net._engine(), "run", lambda p, results, replaced: (
        asked.append(list(results)), run(p, results, replaced)))
    first = net.activations(patches[:1], ["tags/logits"])["tags/logits"]
    first_copy = first.copy()
    first[:] = 0  # a reader's own business
    again = net.activations(patches[:1].copy(), ["tags/logits", "dense/norm"])
    assert asked == [["tags/logits"], ["dense/norm"]]
    assert np.array_equal(again["tags/logits"], first_copy)
    net.activations(patches[1:2], ["tags/logits"])
    net.activations(patches[:1], ["tags/logits"], replace={"dense/norm": again["dense/norm"]})
    assert asked[2:] == [["tags/logits"], ["tags/logits"]]
