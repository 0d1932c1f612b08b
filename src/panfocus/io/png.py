"""PNG: its chunks, and decoding; `png_write` has the writer."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.frames import Header
from panfocus.io.metadata import clean_exif, clean_xmp, tidy_dpi

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEY = b"XML:com.adobe.xmp"
_COLOUR_CHUNKS = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_WANTED = {b"IHDR", b"tRNS", b"iCCP", b"eXIf", b"iTXt", b"pHYs", *_COLOUR_CHUNKS}
_MAX_METADATA = 1 << 28
#: Chunks of a file: of 8 KiB, as libpng writes them, these are 8 GiB.
_MOST_CHUNKS = 1 << 20
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type, without tRNS
_GREY, _PALETTE = 0, 3
#: Bits and colour type of what Pillow decodes to the same values.
_PILLOW_TOO = tuple(bytes([8, colour]) for colour in (0, 2, 4, 6))
METRES_PER_INCH = 0.0254


class PngError(ValueError):
    """The file is not a whole PNG."""


def _chunks(file: BinaryIO, wanted: AbstractSet[bytes] = _WANTED) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, data) of the wanted chunks; the others are skipped unread."""
    if file.read(8) != SIGNATURE:
        raise PngError("no PNG signature")
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) != 8:
            raise PngError("the file is cut off")
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if not kind.isalpha():
            raise PngError("the file is damaged: a part of it has no name")
        if kind in wanted and length <= _MAX_METADATA:
            data = file.read(length)
            if len(data) != length:
                raise PngError("the file is cut off")
            yield kind, data
            file.seek(4, 1)
        else:
            file.seek(length + 4, 1)
    raise PngError(f"more than {_MOST_CHUNKS} parts")


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
    if key != XMP_KEY or len(rest) < 4:
        return None
    compressed = rest[0] == 1
    text = rest[2:].split(b"\0", 2)[-1]  # behind language and translated keyword
    return _inflate(text) if compressed else text


def _dpi(chunk: bytes | None) -> tuple[float, float] | None:
    """Return pixels per inch; None for a chunk that is short, unitless or zero."""
    if chunk is None or len(chunk) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", chunk)
    return tidy_dpi(x * METRES_PER_INCH, y * METRES_PER_INCH) if unit == 1 else None


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
    if data[24:26] in _PILLOW_TOO and data[28] == 1 and b"tRNS" not in data[: data.find(b"IDAT")]:
        from PIL import Image  # noqa: PLC0415 - few PNGs are interlaced

        # imagecodecs reads them as well, but libpng then warns on stderr
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            return np.asarray(picture)
    import imagecodecs  # noqa: PLC0415 - slow to import, and not needed for JPEG or TIFF

    return imagecodecs.png_decode(data)
