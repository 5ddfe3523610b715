"""The processor's cores: how many there are, and who may use them."""

import os
from functools import cache


def count_cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread():
    """Context in which NumPy's matrix products use one core each.

    For work that is divided among threads already, or beside a thread that decodes: BLAS would
    divide each small product again, and its threads wait for each other by spinning.
    """
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas():
    import numpy  # noqa: F401  (its libraries must be there to be found)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
