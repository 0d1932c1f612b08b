"""One writer at a time in a folder, for as long as it takes to read a file and replace it."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = threading.Lock()


@contextmanager
def alone_in(folder: Path) -> Generator[None]:
    """Wait until nobody else is inside such a block for the folder, and keep others out.

    Threads of this process are kept out always; other processes where the system can lock a folder
    (Linux, macOS). The lock is no file, and goes with the process that has it, however that ends.

    Args:
        folder: that exists; one that does not is nobody's.
    """
    with _LOCK:
        handle = _locked(folder)
        try:
            yield
        finally:
            if handle is not None:
                os.close(handle)


def _locked(folder: Path) -> int | None:
    try:
        import fcntl  # noqa: PLC0415  Windows has none

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    with suppress(OSError):  # a network share that knows no locks
        fcntl.flock(handle, fcntl.LOCK_EX)
    return handle
