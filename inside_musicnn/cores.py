"""The processor's cores: how many there are, and who may use them."""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()
_INSIDE: dict[str, Any] = {"count": 0, "before": None}  # shared: BLAS belongs to the process


def _after_fork() -> None:
    """In a child, no other thread is there to restore or to let go of the lock."""
    global _LOCK
    _LOCK = threading.Lock()
    if _INSIDE["count"]:
        _INSIDE["count"] = 0
        _limit_blas(_INSIDE["before"])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def count_cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_that_fit(each: int, most: int | None = None) -> int:
    """How many processes this machine has cores and free memory for; at least one.

    Args:
        each: bytes of memory that one of them takes.
        most: there is work for so many.
    """
    import psutil

    fit = min(count_cores(), psutil.virtual_memory().available // each)
    return max(1, fit if most is None else min(fit, most))


@contextmanager
def one_thread() -> Iterator[None]:
    """Context in which NumPy's matrix products use one core each.

    For work that is divided among threads already, or beside a thread that decodes: BLAS would
    divide each small product again, and its threads wait for each other by spinning. Threads may
    be inside at the same time; the last to leave restores. Without threadpoolctl only the BLAS
    of NumPy's own wheels is known; with another the work takes longer.
    """
    with _LOCK:
        _INSIDE["count"] += 1
        if _INSIDE["count"] == 1:
            _INSIDE["before"] = _limit_blas(1)
    try:
        yield
    finally:
        with _LOCK:
            _INSIDE["count"] -= 1
            if _INSIDE["count"] == 0:
                _limit_blas(_INSIDE["before"])


def _limit_blas(threads: int | None) -> int | None:
    """Let BLAS use so many threads, and return how many it used before; None changes nothing."""
    blas, before = _blas(), None
    for library in blas.lib_controllers if blas and threads is not None else ():
        if library.user_api == "blas":
            before = library.get_num_threads()
            # threadpoolctl from 3.8 on obeys one thread alone, the first that set a limit; here
            # the first that comes and the last that leaves may be two.
            free = getattr(library, "clear_controlling_thread", lambda force: None)
            free(force=True)
            library.set_num_threads(threads)
            free(force=True)
    return before


@cache
def _blas() -> Any:
    import numpy  # noqa: F401  (its libraries must be there to be found)

    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return _Bundled()
    return ThreadpoolController()


class _OpenBlas:
    """A library that NumPy's wheels bring; as threadpoolctl has it."""

    user_api = "blas"

    def __init__(self, library: ctypes.CDLL, names: str) -> None:
        self.get_num_threads = getattr(library, names.format("get"))
        self.set_num_threads = getattr(library, names.format("set"))


class _Bundled:
    """What is known of NumPy's own BLAS without threadpoolctl."""

    def __init__(self) -> None:
        import numpy

        package = Path(numpy.__file__).parent
        files = [*package.parent.glob("numpy.libs/*openblas*"),
                 *package.glob(".dylibs/*openblas*")]
        self.lib_controllers = [found for file in files if (found := _opened(file))]


def _opened(file: Path) -> _OpenBlas | None:
    """A library that is loaded already; None if it has not the functions."""
    try:
        library = ctypes.CDLL(str(file))
    except OSError:
        return None
    for names in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_",
                  "scipy_openblas_{}_num_threads", "openblas_{}_num_threads"):
        if hasattr(library, names.format("get")):
            return _OpenBlas(library, names)
    return None
