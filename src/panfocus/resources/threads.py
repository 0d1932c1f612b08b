"""How many threads OpenCV takes, a number that all fusions of a process share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

import cv2


class _Shared:
    """The limits that fusions at work ask for: the lowest holds, and the old one comes back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._limits: list[int] = []
        self._before = 0

    def enter(self, limit: int) -> None:
        with self._lock:
            if not self._limits:
                self._before = cv2.getNumThreads()
            self._limits.append(limit)
            cv2.setNumThreads(min(self._limits))

    def leave(self, limit: int) -> None:
        with self._lock:
            self._limits.remove(limit)
            cv2.setNumThreads(min(self._limits) if self._limits else self._before)


_SHARED = _Shared()


@contextmanager
def opencv_threads(limit: int | None) -> Generator[None]:
    """Keep OpenCV below a number of threads; None leaves it alone.

    Fusions that overlap in time are all kept below the lowest of their numbers; after the last of
    them OpenCV has what it had before the first.
    """
    if limit is None:
        yield
        return
    _SHARED.enter(limit)
    try:
        yield
    finally:
        _SHARED.leave(limit)
