"""What the C library does with memory that is given back."""

from __future__ import annotations

import ctypes
from contextlib import suppress

#: Of glibc's `mallopt`: bytes at the end of the heap from which on they are given back to the
#: system, bytes from which on an array has pages of its own, and how many heaps threads have.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: MEASURED (docs/decisions/0034): with more, pictures of 24 million pixels cost more.
_KEPT = 128 * 2**20
_OWN_PAGES = 16 * 2**20


def keep_memory() -> None:
    """Keep memory that arrays give back for the next ones, in a process of our own.

    Fresh pages are cleared by the kernel when they are first touched, which costs about as much as
    what is done in them once. One heap serves all threads: what one gives back another takes, and
    none of them asks for so many arrays that they would wait for each other. Does nothing where the
    C library is not glibc.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _OWN_PAGES)
        mallopt(_ARENA_MAX, 1)
