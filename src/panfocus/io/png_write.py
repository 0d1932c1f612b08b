"""PNG: a writer several times faster than libpng at about the same size.

    row r:  filter byte, then  residual = byte - predicted byte  (mod 256)
    file:   signature, IHDR, metadata chunks, IDATs = zlib(all rows), IEND

libpng filters row by row and drives zlib in small steps. Here one filter, chosen on samples of the
picture, is applied to all rows by NumPy. ISA-L compresses bands of them on all threads, each while
it is in the processor's cache; where it is missing, libdeflate compresses the whole in one call.
docs/decisions/0002-codecs.md and 0020-igzip.md have the measurements.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.deflate import (
    HEADER,
    checksum,
    deflate,
    deflate_part,
    has_isal,
    joined_checksum,
)
from panfocus.io.png import METRES_PER_INCH, SIGNATURE, XMP_KEY
from panfocus.resources.later import Later

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
_MOST_OF_A_CHUNK = 0x7FFFFFFF
#: Bytes of a band of rows, and bands that are worth a thread.
_BAND = 1 << 18
_LEAST_BANDS = 4


def _chunk(kind: bytes, *parts: bytes | memoryview) -> list[bytes | memoryview]:
    """Frame the parts of one chunk, without joining them: IDAT is large."""
    crc = checksum(kind)
    for part in parts:
        crc = checksum(part, crc)
    length = sum(len(part) for part in parts)
    return [struct.pack(">I4s", length, kind), *parts, struct.pack(">I", crc)]


def _filter_rows(rows: NDArray[np.uint8], step: int, kind: int, out: NDArray[np.uint8]) -> None:
    """Filter bytes ``rows[1:]``, (R, B), into ``out``, (R - 1, 1 + B); ``rows[0]`` is above them.

    With x the byte, a its left neighbour ``step`` bytes before, b the byte above:
    kind 0: x, 1 (Sub): x - a, 2 (Up): x - b, 3 (Average): x - floor((a + b) / 2).
    """
    out[:, 0] = kind
    residual, x, above = out[:, 1:], rows[1:], rows[:-1]
    if kind == 0:
        residual[:] = x
    elif kind == 1:
        residual[:, :step] = x[:, :step]
        np.subtract(x[:, step:], x[:, :-step], out=residual[:, step:])
    elif kind == 2:
        np.subtract(x, above, out=residual)
    else:
        np.subtract(x[:, :step], above[:, :step] >> 1, out=residual[:, :step])
        a, b = x[:, :-step], above[:, step:]
        mean = (a ^ b) >> 1
        mean += a & b  # floor((a + b) / 2) without leaving 8 bits
        np.subtract(x[:, step:], mean, out=residual[:, step:])


def _blocks(pixels: NDArray[Any], starts: range, rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield (first row, big-endian bytes of those rows with the row above in front)."""
    height = len(pixels)
    for top in starts:
        part = pixels[max(top - 1, 0) : min(top + rows, height)]
        if part.dtype == np.uint16:
            part = part.astype(">u2")
        octets = np.ascontiguousarray(part).reshape(len(part), -1).view(np.uint8)
        if top == 0:  # above the first row PNG sees zeros
            octets = np.concatenate([np.zeros_like(octets[:1]), octets])
        yield top, octets


def _choose_filter(pixels: NDArray[Any], step: int) -> int:
    """Return the filter under which three bands of the picture compress best."""
    height = len(pixels)
    rows = 16
    bands = [b for _, b in _blocks(pixels, range(0, height, max(height // 3, rows)), rows)]
    sizes: list[int] = []
    for kind in range(4):
        size = 0
        for band in bands:
            out = np.empty((len(band) - 1, 1 + band.shape[1]), np.uint8)
            _filter_rows(band, step, kind, out)
            size += len(deflate(out))
        sizes.append(size)
    return sizes.index(min(sizes))


def _bands(pixels: NDArray[Any]) -> tuple[int, int, range]:
    """Return step and filter of a picture, and the first rows of bands that stay in the cache."""
    height, width = pixels.shape[:2]
    step = (1 if pixels.ndim == 2 else pixels.shape[2]) * pixels.itemsize
    rows = max(1, _BAND // (width * step))
    return step, _choose_filter(pixels, step), range(0, height, rows)


def _filtered(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the picture as PNG rows, (H, 1 + bytes of a row)."""
    step, kind, starts = _bands(pixels)
    out = np.empty((len(pixels), 1 + pixels.shape[1] * step), np.uint8)
    for top, octets in _blocks(pixels, starts, starts.step):
        _filter_rows(octets, step, kind, out[top : top + len(octets) - 1])
    return out


_Part = tuple[bytes, int, int]


def _deflated_parts(pixels: NDArray[Any], step: int, kind: int, starts: range) -> list[_Part]:
    """Filter and compress some of the bands; see `deflate_part`."""
    parts: list[_Part] = []
    for top, octets in _blocks(pixels, starts, starts.step):
        rows = np.empty((len(octets) - 1, 1 + octets.shape[1]), np.uint8)
        _filter_rows(octets, step, kind, rows)
        is_last = top + len(rows) == len(pixels)
        parts.append(deflate_part(rows, is_last=is_last))
    return parts


def _deflated(pixels: NDArray[Any]) -> list[bytes | memoryview]:
    """Return the filtered picture as a zlib stream in pieces, made on all threads of OpenCV's."""
    if not has_isal:
        return [deflate(_filtered(pixels))]
    step, kind, starts = _bands(pixels)
    workers = max(min(cv2.getNumThreads(), len(starts) // _LEAST_BANDS), 1)
    share = -(-len(starts) // workers)
    shares = [starts[first : first + share] for first in range(0, len(starts), share)]
    beside = [Later(partial(_deflated_parts, pixels, step, kind, part)) for part in shares[1:]]
    parts = _deflated_parts(pixels, step, kind, shares[0])
    for later in beside:
        parts += later.result()
    adler = 1
    for _, own, length in parts:
        adler = joined_checksum(adler, own, length)
    return [HEADER, *(packed for packed, _, _ in parts), struct.pack(">I", adler)]


def _runs(pieces: list[bytes | memoryview]) -> Iterator[list[bytes | memoryview]]:
    """Yield pieces together, as far as they fit into one chunk."""
    run: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        for start in range(0, len(piece), _MOST_OF_A_CHUNK):
            part = memoryview(piece)[start : start + _MOST_OF_A_CHUNK]
            if size + len(part) > _MOST_OF_A_CHUNK:
                yield run
                run, size = [], 0
            run.append(part)
            size += len(part)
    yield run


def _metadata_chunks(metadata: Metadata) -> list[bytes | memoryview]:
    """Return the chunks that stand before the pixels."""
    chunks: list[bytes | memoryview] = []
    if metadata.icc:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0", zlib.compress(metadata.icc))
    else:
        for kind, data in metadata.png_colour:
            chunks += _chunk(kind, data)
    if metadata.dpi:
        x, y = (min(round(v / METRES_PER_INCH), 0x7FFFFFFF) for v in metadata.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", x, y, 1))
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        chunks += _chunk(b"iTXt", XMP_KEY + b"\0\0\0\0\0", metadata.xmp)
    return chunks


def encode(
    pixels: NDArray[Any], metadata: Metadata, texts: dict[str, str] | None = None
) -> list[bytes | memoryview]:
    """Encode uint8 or uint16 pixels, (H, W) or (H, W, C) with 1 to 4 channels.

    Returns:
        The file in pieces, in order.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    header = struct.pack(
        ">IIBBBBB", width, height, 8 * pixels.itemsize, _COLOUR_TYPES[channels], 0, 0, 0
    )
    pieces: list[bytes | memoryview] = [SIGNATURE, *_chunk(b"IHDR", header)]
    pieces += _metadata_chunks(metadata)
    for key, text in (texts or {}).items():
        pieces += _chunk(b"tEXt", key.encode("latin-1"), b"\0", text.encode("latin-1", "replace"))
    for piece in _runs(_deflated(pixels)):
        pieces += _chunk(b"IDAT", *piece)
    return [*pieces, *_chunk(b"IEND")]
