"""Errors that tell of a process's own shortage, and of nothing that it was given."""

from __future__ import annotations

import errno

from panfocus.errors import PanfocusError

#: How the loader of libraries, threads, codecs, OpenCV and ONNX Runtime tell of memory, in small
#: letters.
_NO_MEMORY = (
    "failed to map segment",
    "cannot map",
    "cannot allocate memory",
    "can't allocate memory",
    "start new thread",
    "out of memory",
    "insufficient memory",
    "failed to allocate",
    "bad_alloc",
    "bad allocation",
    "pthread_create failed",
)
_LONGEST = 300


def is_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, or what takes some: another thread, another library."""
    text = str(error).casefold()
    return isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY)


def is_of_files(error: BaseException) -> bool:
    """Whether more files are open than a process may open."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


def shortage(error: BaseException, where: str | None = None) -> PanfocusError | None:
    """Return what to say of an error that tells of a shortage; None for any other.

    Args:
        error: of a library, or of Python.
        where: what was at work.
    """
    if is_of_memory(error):
        return PanfocusError(
            "memory ran out",
            where=where,
            expected="as much as `panfocus fuse --dry-run` tells",
            got=in_short(error),
            remedy="free some, fuse smaller frames, or set --max-memory to what there is; no file "
            "was left half-written",
        )
    if is_of_files(error):
        return PanfocusError(
            "too many files are open",
            where=where,
            expected="some hundred that a process may open (`ulimit -n`)",
            got=in_short(error),
            remedy="raise that limit, or use --workers 0; no file was left half-written",
        )
    return None


def in_short(error: BaseException) -> str:
    """Return an error's kind and words in one line that is not long."""
    text = " ".join(str(error).split())
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
