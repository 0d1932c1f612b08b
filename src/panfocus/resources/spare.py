"""Memory of large pictures that is handed on, from one that is done with to the next.

The system clears the pages of every array that is new, which costs half of what unpacking a frame
into it does. Frames of a stack are all as large, and come one after the other.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: Arrays of fewer bytes are the C library's, which keeps what is given back (`resources.heap`).
LEAST = 16 * 2**20

_Memory = NDArray[np.uint8]


class SpareMemory:
    """Keeps the memory of an array that is done with, while arrays are asked for.

    An array is done with once it and all views of it are gone, in whatever thread.

    Examples:
        >>> memory = SpareMemory()
        >>> with memory.kept():
        ...     one = memory.empty((4096, 4096), np.uint16)
        ...     place = one.ctypes.data
        ...     del one
        ...     other = memory.empty((2048, 8192), np.uint16)
        >>> other.ctypes.data == place
        True
    """

    def __init__(self) -> None:
        self._free: dict[int, _Memory] = {}  # one of each size, in bytes
        self._users = 0
        self._counting = Lock()

    @contextmanager
    def kept(self) -> Generator[None]:
        """Keep memory meanwhile; at the end of the last that overlap, what nobody uses is gone."""
        with self._counting:
            self._users += 1
        try:
            yield
        finally:
            with self._counting:
                self._users -= 1
            if not self._users:
                self._free.clear()

    @property
    def held_bytes(self) -> int:
        """Memory that nobody uses."""
        return sum(memory.nbytes for memory in [*self._free.values()])

    def let_go(self) -> None:
        """Give back to the system what nobody uses, as before work that takes much memory."""
        self._free.clear()

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array with anything in it, as `numpy.empty` does."""
        kind = np.dtype(dtype)
        size = prod(shape) * kind.itemsize
        if not self._users or size < LEAST:
            return np.empty(shape, kind)
        lent = _Lent(self._taken(size), self)
        return np.asarray(lent).view(kind).reshape(shape)

    def _taken(self, size: int) -> _Memory:
        memory = self._free.pop(size, None)
        return np.empty(size, np.uint8) if memory is None else memory

    def give_back(self, memory: _Memory) -> None:
        """Take memory that nobody uses any more."""
        if self._users:
            self._free[memory.nbytes] = memory


class _Lent:
    """What an array and all views of it hold on to."""

    def __init__(self, memory: _Memory, owner: SpareMemory) -> None:
        self._memory = memory
        self._owner = owner
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        self._owner.give_back(self._memory)


#: Of the frames of all stacks that are read.
OF_FRAMES = SpareMemory()
