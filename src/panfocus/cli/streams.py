"""Standard streams that never end the work: closed, full, or of an encoding that lacks letters.

What cannot be written to them is lost, and the work goes on; whether it was asked for as data is
for `failure` to tell.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TextIO

from panfocus.errors import OutputError

_ESCAPE = "panfocus.escape"
_STDIN, _STDOUT, _STDERR = 0, 1, 2


class _Patient(io.RawIOBase):
    """Writes to a descriptor, and goes on where it takes nothing any more."""

    def __init__(self, descriptor: int, *, is_closed: bool) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.error = OSError(errno.EBADF, os.strerror(errno.EBADF)) if is_closed else None
        self.lost = 0

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: object, /) -> int:
        rest = memoryview(data)  # pyright: ignore[reportArgumentType]  bytes of any kind
        size = len(rest)
        while rest and self.error is None:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except OSError as error:
                self.error = error
        self.lost += len(rest)
        return size


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Write what an encoding lacks as ``\uXXXX``, which JSON reads back."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    words = part.encode("utf-16-be", "surrogatepass")
    codes = (words[n : n + 2].hex() for n in range(0, len(words), 2))
    return "".join(f"\\u{code}" for code in codes), error.end


def steady() -> None:
    """Put steady streams in place of this process's own.

    A descriptor that is closed is opened on nothing first: a picture would else take its number,
    and whatever a library prints would go into the picture.
    """
    codecs.register_error(_ESCAPE, _escaped)
    closed = {number for number in (_STDIN, _STDOUT, _STDERR) if not _is_open(number)}
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout = _of(_STDOUT, sys.stdout, is_closed=_STDOUT in closed)
    sys.stderr = _of(_STDERR, sys.stderr, is_closed=_STDERR in closed)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _of(number: int, before: TextIO | None, *, is_closed: bool) -> TextIO:
    encoding = "utf-8" if before is None else before.encoding
    buffered = io.BufferedWriter(_Patient(number, is_closed=is_closed))
    is_live = number == _STDERR or (before is not None and before.isatty())
    return io.TextIOWrapper(
        buffered, encoding=encoding, errors=_ESCAPE, line_buffering=is_live, write_through=False
    )


def failure() -> OutputError | None:
    """Write out what is waiting; return why data on standard output is lost, None for nothing.

    A reader that has gone, as `head` does, has what it wanted.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    patient = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if not isinstance(patient, _Patient) or not patient.lost or patient.error is None:
        return None
    if patient.error.errno == errno.EPIPE:
        return None
    return OutputError(
        "not all could be written to standard output",
        where="standard output",
        expected="an open stream, and room where it leads",
        got=patient.error.strerror,
        remedy="lead it elsewhere; files that were asked for are written",
    )
