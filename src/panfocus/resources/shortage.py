"""Errors that tell of a process's own shortage, and of nothing that it was given."""

from __future__ import annotations

import errno

#: How the loader of libraries, and threads, tell of memory.
_NO_MEMORY = (
    "failed to map segment",
    "cannot map",
    "Cannot allocate memory",
    "start new thread",
    "can't allocate memory",
    "out of memory",
)


def is_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, or what takes some: another thread, another library."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY)


def is_of_files(error: BaseException) -> bool:
    """Whether more files are open than a process may open."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)
