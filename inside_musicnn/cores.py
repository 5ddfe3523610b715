"""The processor's cores: how many there are, and who may use them."""

import os
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any


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


def one_thread() -> AbstractContextManager[Any]:
    """Context in which NumPy's matrix products use one core each.

    For work that is divided among threads already, or beside a thread that decodes: BLAS would
    divide each small product again, and its threads wait for each other by spinning. Where
    threadpoolctl is not installed this does nothing, and the work takes longer.
    """
    blas = _blas()
    return blas.limit(limits=1, user_api="blas") if blas else nullcontext()


@cache
def _blas() -> Any:
    import numpy  # noqa: F401  (its libraries must be there to be found)

    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
