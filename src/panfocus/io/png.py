"""PNG: its chunks, decoding, and a writer several times faster than libpng at the same size.

    row r:  filter byte, then  residual = byte - predicted byte  (mod 256)
    file:   signature, IHDR, metadata chunks, one IDAT = zlib(all rows), IEND

libpng filters row by row and drives zlib in small steps. Here one filter, chosen on samples of the
picture, is applied to all rows by NumPy, and libdeflate compresses the whole in one call;
docs/decisions/0002-codecs.md has the measurements.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.deflate import deflate
from panfocus.io.frames import Header
from panfocus.io.metadata import clean_exif, clean_xmp, tidy_dpi

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP_KEY = b"XML:com.adobe.xmp"
_COLOUR_CHUNKS = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_WANTED = {b"IHDR", b"tRNS", b"iCCP", b"eXIf", b"iTXt", b"pHYs", *_COLOUR_CHUNKS}
_MAX_METADATA = 1 << 28
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type, without tRNS
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
_GREY, _PALETTE = 0, 3
_METRES_PER_INCH = 0.0254


class PngError(ValueError):
    """The file is not a whole PNG."""


def _chunks(file: BinaryIO, wanted: AbstractSet[bytes] = _WANTED) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, data) of the wanted chunks; the others are skipped unread."""
    if file.read(8) != SIGNATURE:
        raise PngError("no PNG signature")
    while True:
        head = file.read(8)
        if len(head) != 8:
            raise PngError("the file is cut off")
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind in wanted and length <= _MAX_METADATA:
            data = file.read(length)
            if len(data) != length:
                raise PngError("the file is cut off")
            yield kind, data
            file.seek(4, 1)
        else:
            file.seek(length + 4, 1)


def _inflate(data: bytes) -> bytes | None:
    """Inflate a metadata chunk; None when it is damaged or absurdly large."""
    worker = zlib.decompressobj()
    try:
        out = worker.decompress(data, _MAX_METADATA)
    except zlib.error:
        return None
    return out if worker.eof else None


def _icc(chunk: bytes | None) -> bytes | None:
    if chunk is None:
        return None
    _, _, rest = chunk.partition(b"\0")
    return _inflate(rest[1:])


def _xmp(chunk: bytes) -> bytes | None:
    """Return the XMP packet when this iTXt chunk holds one."""
    key, _, rest = chunk.partition(b"\0")
    if key != _XMP_KEY or len(rest) < 4:
        return None
    compressed = rest[0] == 1
    text = rest[2:].split(b"\0", 2)[-1]  # behind language and translated keyword
    return _inflate(text) if compressed else text


def _dpi(chunk: bytes | None) -> tuple[float, float] | None:
    """Return pixels per inch; None for a chunk that is short, unitless or zero."""
    if chunk is None or len(chunk) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", chunk)
    return tidy_dpi(x * _METRES_PER_INCH, y * _METRES_PER_INCH) if unit == 1 else None


def read_header(file: BinaryIO) -> Header:
    """Read size, kind and metadata; no pixel is decoded.

    Raises:
        PngError: cut off or without a valid header.
    """
    found: dict[bytes, bytes] = {}
    xmp: bytes | None = None
    for kind, data in _chunks(file):
        if kind == b"iTXt":
            xmp = xmp or _xmp(data)
        else:
            found.setdefault(kind, data)
    if len(found.get(b"IHDR", b"")) != 13:
        raise PngError("no PNG header")
    width, height, bits, colour = struct.unpack(">IIBB", found[b"IHDR"][:10])
    if colour not in _CHANNELS or not width or not height:
        raise PngError("a damaged PNG header")
    channels = _CHANNELS[colour]
    if b"tRNS" in found and channels in (1, 3):
        channels += 1
    exif = clean_exif(found.get(b"eXIf"))
    dpi = _dpi(found.get(b"pHYs"))
    if dpi and exif.orientation >= 5:
        dpi = (dpi[1], dpi[0])
    icc = _icc(found.get(b"iCCP"))
    colours = tuple((k, found[k]) for k in _COLOUR_CHUNKS if k in found)
    metadata = Metadata(exif.data, icc, clean_xmp(xmp), dpi or exif.dpi, colours)
    notes: tuple[str, ...] = ()
    if colour == _PALETTE:
        notes = ("palette colours are read as RGB",)
    elif bits < 8:
        notes = (f"{bits}-bit grey is read as 8-bit",)
    depth = "uint16" if bits == 16 else "uint8"
    return Header(height, width, channels, depth, metadata, exif.orientation, notes)


def read_software(file: BinaryIO) -> list[bytes]:
    """Return what the text chunks say of the program that wrote the file.

    Raises:
        PngError: cut off.
    """
    texts = [data for _, data in _chunks(file, {b"tEXt"})]
    return [text for key, _, text in (t.partition(b"\0") for t in texts) if key == b"Software"]


def decode(data: bytes) -> NDArray[Any]:
    """Decode a whole PNG; the GIL is released while libpng works.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16, as stored: Orientation is not applied.
    """
    import imagecodecs  # noqa: PLC0415 - slow to import, and not needed for JPEG or TIFF

    return imagecodecs.png_decode(data)


def _chunk(kind: bytes, *parts: bytes | memoryview) -> list[bytes | memoryview]:
    """Frame the parts of one chunk, without joining them: IDAT is large."""
    crc = zlib.crc32(kind)
    for part in parts:
        crc = zlib.crc32(part, crc)
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


def _filtered(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the picture as PNG rows, (H, 1 + bytes of a row)."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    step = channels * pixels.itemsize
    kind = _choose_filter(pixels, step)
    out = np.empty((height, 1 + width * step), np.uint8)
    rows = max(1, (1 << 18) // (width * step))  # blocks that stay in the cache
    for top, octets in _blocks(pixels, range(0, height, rows), rows):
        _filter_rows(octets, step, kind, out[top : top + len(octets) - 1])
    return out


def _metadata_chunks(metadata: Metadata) -> list[bytes | memoryview]:
    """Return the chunks that stand before the pixels."""
    chunks: list[bytes | memoryview] = []
    if metadata.icc:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0", zlib.compress(metadata.icc))
    else:
        for kind, data in metadata.png_colour:
            chunks += _chunk(kind, data)
    if metadata.dpi:
        x, y = (min(round(v / _METRES_PER_INCH), 0x7FFFFFFF) for v in metadata.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", x, y, 1))
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        chunks += _chunk(b"iTXt", _XMP_KEY + b"\0\0\0\0\0", metadata.xmp)
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
    compressed = deflate(_filtered(pixels))
    for start in range(0, len(compressed), 0x7FFFFFFF):
        pieces += _chunk(b"IDAT", compressed[start : start + 0x7FFFFFFF])
    return [*pieces, *_chunk(b"IEND")]
