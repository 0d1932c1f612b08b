"""Where the pages of a TIFF lie: a chain of directories, each of which tells of the next."""

from __future__ import annotations

import os
from typing import BinaryIO

from panfocus.io.ifd import ByteLayout, next_directory, read_header

_MAX_PAGES = 100_000


class TiffError(ValueError):
    """The file is not a whole TIFF of a kind that is read."""


def offsets_of(file: BinaryIO) -> tuple[ByteLayout, list[int]]:
    """Walk the chain of directories; return where they are."""
    layout, offset = read_header(file)
    offsets: list[int] = []
    seen: set[int] = set()
    while offset:
        if offset in seen or len(seen) >= _MAX_PAGES:
            raise TiffError("the chain of pages runs in a circle")
        seen.add(offset)
        offsets.append(offset)
        offset = next_directory(file, layout, offset)
    return layout, offsets


#: Where the pages of the files lie that were read last, by file, size and time of change: a walk
#: along the chain for each page would take time that grows with the square of their number.
_WALKED: dict[tuple[int, ...], tuple[ByteLayout, list[int]]] = {}
_MOST_WALKED = 4


def walked(file: BinaryIO) -> tuple[ByteLayout, list[int]]:
    """Return the same, without a walk where the file was walked before and is as it was."""
    facts = os.fstat(file.fileno())
    key = facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
    found = _WALKED.get(key)
    if found is None:
        found = offsets_of(file)
        while len(_WALKED) >= _MOST_WALKED:
            _WALKED.pop(next(iter(_WALKED)), None)
        _WALKED[key] = found
    return found
