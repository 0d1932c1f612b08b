"""PNM (PBM, PGM, PPM) of cameras for machine vision and of scripts, up to 16 bits.

file:  P1 to P6, width, height, largest value (but in PBM), a white space, pixels; comments from #
(netpbm.sourceforge.net/doc/pnm.html; the plain kinds P1 to P3 write numbers as text)
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.frames import Header, Pixels
from panfocus.io.stretch import filled

_SPACE = rb"(?:\s|#[^\n\r]*[\n\r])+"
_NUMBER = rb"(\d{1,9})"
_BITS = re.compile(rb"(P[14])" + _SPACE + _NUMBER + _SPACE + _NUMBER + rb"\s")
_VALUES = re.compile(
    rb"(P[2356])" + _SPACE + _NUMBER + _SPACE + _NUMBER + _SPACE + _NUMBER + rb"\s"
)
_PIECE = 2**18  # bytes of text that are read at a time
_LONGEST = 65_536  # of a header with its comments


class PnmError(ValueError):
    """The file is not a whole PNM."""


def _parsed(data: bytes) -> tuple[bytes, int, int, int, int]:
    """Return kind, width, height, largest value, and where the pixels begin."""
    found = _VALUES.match(data) or _BITS.match(data)
    if found is None:
        raise PnmError("no header of a PNM")
    kind, width, height, *more = found.groups()
    top = int(more[0]) if more else 1
    if not (int(width) and int(height) and 1 <= top <= 65_535):
        raise PnmError("sizes or a largest value that cannot be")
    return kind, int(width), int(height), top, found.end()


def _header(data: bytes) -> Header:
    kind, width, height, top, _ = _parsed(data)
    depth = "uint16" if top > 255 else "uint8"
    return Header(height, width, 3 if kind in (b"P3", b"P6") else 1, depth, Metadata())


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size and kind; no pixel is decoded.

    Raises:
        PnmError: no header.
    """
    with path.open("rb") as file:
        return [(0, _header(file.read(_LONGEST)))]


def decode(path: Path, page: int) -> tuple[Pixels, Header]:
    """Decode the picture; values fill 8 or 16 bits, whatever largest value the file tells.

    Returns:
        (H, W) or (H, W, 3), and the header.

    Raises:
        PnmError: cut off, or a value above the largest.
    """
    data = path.read_bytes()
    kind, width, height, top, start = _parsed(data)
    header = _header(data)
    shape = (height, width) if header.channels == 1 else (height, width, 3)
    values = _stored(kind, data[start:], shape, top)
    if values.size and int(values.max()) > top:
        raise PnmError(f"a value above {top}, the largest that it tells of")
    if kind in (b"P1", b"P4"):  # 1 is ink
        return ((1 - values) * 255).astype(np.uint8), header
    return filled(values, top), header


def _stored(
    kind: bytes, data: bytes, shape: tuple[int, ...], top: int
) -> NDArray[np.unsignedinteger]:
    count = int(np.prod(shape))
    if kind == b"P4":
        stride = (shape[1] + 7) // 8
        packed = np.frombuffer(_enough(data, stride * shape[0]), np.uint8)
        return np.unpackbits(packed.reshape(shape[0], stride), axis=1)[:, : shape[1]]
    if kind in (b"P5", b"P6"):
        dtype = np.dtype(">u2" if top > 255 else "u1")
        return np.frombuffer(_enough(data, count * dtype.itemsize), dtype).reshape(shape)
    return _as_text(kind, data, count).reshape(shape)


def _as_text(kind: bytes, data: bytes, count: int) -> NDArray[np.uint32]:
    """Return numbers that are written as text, piece by piece: as objects all would take much."""
    text = re.sub(rb"#[^\n\r]*", b" ", data)
    values = np.empty(min(count, len(text)), np.uint32)
    done = at = 0
    try:
        while done < count and at < len(text):
            end = at + _PIECE
            while end < len(text) and not text[end : end + 1].isspace():
                end += 1
            piece = text[at:end]
            words = re.findall(rb"[01]", piece) if kind == b"P1" else piece.split()
            part = np.array(words[: count - done], np.int64).astype(np.uint32)
            values[done : done + len(part)] = part
            done, at = done + len(part), end
    except (ValueError, OverflowError) as error:
        raise PnmError("a value that is no number") from error
    if done < count:
        raise PnmError("the file is cut off")
    return values


def _enough(data: bytes, count: int) -> memoryview:
    if len(data) < count:
        raise PnmError("the file is cut off")
    return memoryview(data)[:count]
