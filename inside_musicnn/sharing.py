"""Work that comes one piece after another, shared out among threads."""

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Any, TypeVar

from inside_musicnn.cores import one_thread

Given = TypeVar("Given")
Answer = TypeVar("Answer")


def shared_out(answer: Callable[[Given], Answer], pieces: Iterable[Given], threads: int
               ) -> Iterator[Answer]:
    """The answers to pieces that take time to make, such as patches that are decoded, in order.

    Each thread makes the next piece and then answers it, while another makes the one after. So
    there are never more threads at work than cores: one that only made pieces, beside as many
    that answer as there are cores, would have each of them wait for the others.

    Args:
        answer: called in several threads at once, with NumPy's matrix products on one core each.
        pieces: asked for by one thread at a time; no more are held than there are threads.
            Answers are kept until the reader takes them.
        threads: how many.
    """
    numbered, turn, stop = enumerate(pieces), threading.Lock(), threading.Event()
    ready: SimpleQueue[tuple[int, Any, BaseException | None] | None] = SimpleQueue()

    def work() -> None:
        try:
            with one_thread():
                while not stop.is_set():
                    with turn:
                        number, piece = next(numbered, (None, None))
                    if number is None:
                        return
                    ready.put((number, answer(piece), None))  # type: ignore[arg-type]
        except BaseException as error:  # handed on to the reader
            ready.put((0, None, error))
        finally:
            ready.put(None)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    found: dict[int, Answer] = {}
    wanted, busy = 0, threads
    try:
        while busy:
            told = ready.get()
            if told is None:
                busy -= 1
                continue
            number, value, error = told
            if error is not None:
                raise error
            found[number] = value
            while wanted in found:
                yield found.pop(wanted)
                wanted += 1
    finally:
        stop.set()
        for worker in workers:
            worker.join()
