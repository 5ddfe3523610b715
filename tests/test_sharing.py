"""Work shared out among threads, and BLAS held to one core by several of them."""

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from inside_musicnn import cores
from inside_musicnn.cores import one_thread
from inside_musicnn.sharing import shared_out


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_come_in_the_order_of_the_pieces(threads):
    def answer(number):
        time.sleep(0.002 * (number % 3))  # later pieces are often done earlier
        return number * number

    assert list(shared_out(answer, range(40), threads)) == [n * n for n in range(40)]


def test_pieces_are_made_one_at_a_time_and_only_as_many_as_are_worked_on():
    made, answered, most = 0, 0, 0
    inside, counting = threading.Lock(), threading.Lock()

    def pieces():
        nonlocal made, most
        for number in range(30):
            assert inside.acquire(blocking=False)
            made += 1
            with counting:
                most = max(most, made - answered)
            inside.release()
            yield number

    def answer(number):
        nonlocal answered
        time.sleep(0.001)
        with counting:
            answered += 1

    assert len(list(shared_out(answer, pieces(), 3))) == answered == 30
    assert 1 <= most <= 3


@pytest.mark.parametrize("where", ["piece", "answer"])
def test_an_error_reaches_the_reader_and_ends_the_threads(where):
    before = threading.active_count()

    def pieces():
        for number in range(100):
            if where == "piece" and number == 5:
                raise ValueError(where)
            yield number

    def answer(number):
        if where == "answer" and number == 5:
            raise ValueError(where)
        return number

    with pytest.raises(ValueError, match=where):
        list(shared_out(answer, pieces(), 2))
    assert threading.active_count() == before


def test_a_reader_who_has_seen_enough_ends_the_threads():
    before, closed = threading.active_count(), []

    def pieces():
        try:
            yield from range(10**6)
        finally:
            closed.append(True)

    source = pieces()
    answers = shared_out(lambda number: number, source, 2)
    assert next(answers) == 0
    answers.close()
    source.close()
    assert threading.active_count() == before and closed


def blas_threads():
    return [library.get_num_threads() for library in ThreadpoolController().lib_controllers
            if library.user_api == "blas"]


def test_numpys_own_blas_is_held_without_threadpoolctl(monkeypatch):
    """Judged by threadpoolctl, which the library is not given."""
    own = [library for library in ThreadpoolController().lib_controllers
           if library.user_api == "blas" and Path(np.__file__).resolve().parents[1] / "numpy.libs"
           in Path(library.filepath).resolve().parents]
    if not own:
        pytest.skip("NumPy is not from a wheel with OpenBLAS")
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    monkeypatch.setattr(cores, "_blas", cores._blas.__wrapped__)
    before = [library.get_num_threads() for library in own]
    with one_thread():
        assert [library.get_num_threads() for library in own] == [1] * len(own)
    assert [library.get_num_threads() for library in own] == before


def test_blas_is_held_until_the_last_thread_leaves():
    """The first that comes and the last that leaves are two threads."""
    np.ones((2, 2)) @ np.ones((2, 2))
    before, entered, leave = blas_threads(), threading.Event(), threading.Event()
    seen = []

    def other():
        with one_thread():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait(10)
    with one_thread():
        seen.append(blas_threads())
        leave.set()
        thread.join()
        seen.append(blas_threads())
    assert seen == [[1] * len(before)] * 2
    assert blas_threads() == before
