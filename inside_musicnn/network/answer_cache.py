"""Remembers arrays by the content they were computed from, up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from hashlib import blake2b

import numpy as np


class AnswerCache:
    """Arrays by key; when they are too many, those not used for longest are forgotten.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.held = limit, 0
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()

    @staticmethod
    def digest(values: np.ndarray) -> bytes:
        """A key for the content of an array."""
        return blake2b(np.ascontiguousarray(values).data, digest_size=16).digest()

    def get(self, key: Hashable) -> np.ndarray | None:
        """A copy of what is remembered, or None."""
        if key not in self._arrays:
            return None
        self._arrays.move_to_end(key)
        return self._arrays[key].copy()  # the reader may write into it

    def put(self, arrays: Mapping[Hashable, np.ndarray]) -> None:
        """Remember copies of arrays; a set that is too large as a whole is left."""
        if sum(values.nbytes for values in arrays.values()) > self.limit:
            return
        for key, values in arrays.items():
            self.held += values.nbytes - getattr(self._arrays.pop(key, None), "nbytes", 0)
            self._arrays[key] = values.copy()
        while self.held > self.limit:
            self.held -= self._arrays.popitem(last=False)[1].nbytes
