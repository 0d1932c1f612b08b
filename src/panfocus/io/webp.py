"""WebP: its chunks, decoding, and encoding with metadata."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.frames import Header, KindError
from panfocus.io.metadata import clean_exif, clean_xmp, with_resolution
from panfocus.io.sectors import has_copies, has_zeros

MAX_SIDE = 16_383
LOSSLESS = 100  # the quality that asks for lossless coding
_METHOD = 2  # docs/decisions/0002-codecs.md: half the time of the default 4, 1-4 % larger
_ALPHA, _ANIMATION = 0x10, 0x02
_MOST_CHUNKS = 1 << 16  # a photograph has a handful


class WebpError(ValueError):
    """The file is not a whole WebP of a kind that is read."""


def is_webp(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a WebP."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, data); of the compressed pixels only their first bytes."""
    head = file.read(12)
    if not is_webp(head) or len(head) < 12:
        raise WebpError("no WebP header")
    end = 8 + struct.unpack("<I", head[4:8])[0]
    count = 0
    while file.tell() + 8 <= end:
        count += 1
        if count > _MOST_CHUNKS:
            raise WebpError(f"more than {_MOST_CHUNKS} parts")
        raw = file.read(8)
        if len(raw) != 8:
            raise WebpError("the file is cut off")
        kind, length = struct.unpack("<4sI", raw)
        start = file.tell()
        wanted = 10 if kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANMF") else length
        data = file.read(min(wanted, length))
        if len(data) != min(wanted, length):
            raise WebpError("the file is cut off")
        yield kind, data
        file.seek(start + length + length % 2)


def _plain_header(kind: bytes, data: bytes) -> tuple[int, int, bool]:
    """Return (width, height, has alpha) of a bare VP8 or VP8L bitstream."""
    if kind == b"VP8 " and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width & 0x3FFF, height & 0x3FFF, False
    if kind == b"VP8L" and len(data) >= 5:
        bits = struct.unpack("<I", data[1:5])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    raise WebpError("no picture in the file")


def read_header(file: BinaryIO) -> Header:
    """Read size, kind and metadata; no pixel is decoded.

    Raises:
        WebpError: cut off, or an animation.
    """
    found: dict[bytes, bytes] = {}
    for kind, data in _chunks(file):
        found.setdefault(kind, data)
    extended = found.get(b"VP8X")
    if extended is not None and len(extended) >= 10:
        if extended[0] & _ANIMATION:
            raise KindError("an animation, not a photograph", "save one of its pictures as a file")
        alpha = bool(extended[0] & _ALPHA)
        width = int.from_bytes(extended[4:7], "little") + 1
        height = int.from_bytes(extended[7:10], "little") + 1
    else:
        kind = b"VP8L" if b"VP8L" in found else b"VP8 "
        width, height, alpha = _plain_header(kind, found.get(kind, b""))
    exif = clean_exif(found.get(b"EXIF"))
    xmp = clean_xmp(found.get(b"XMP "))
    metadata = Metadata(exif.data, found.get(b"ICCP"), xmp, exif.dpi)
    return Header(height, width, 4 if alpha else 3, "uint8", metadata, exif.orientation)


def read_exif(file: BinaryIO) -> bytes | None:
    """Return the EXIF block as it is, None without one.

    Raises:
        WebpError: cut off.
    """
    return next((data for kind, data in _chunks(file) if kind == b"EXIF"), None)


def decode(data: bytes, has_alpha: bool) -> NDArray[np.uint8]:
    """Decode a whole WebP; the GIL is released while libwebp works.

    Returns:
        (H, W, 3) or (H, W, 4), as stored: Orientation is not applied.

    Raises:
        WebpError: damaged inside, so far as that shows.
    """
    import imagecodecs  # noqa: PLC0415 - slow to import, and not needed for other formats

    _check(data)
    return imagecodecs.webp_decode(data, hasalpha=has_alpha)


def _check(data: bytes) -> None:
    """Refuse compressed data that no encoder wrote: WebP has no checksum.

    Raises:
        WebpError: cut off; or they hold zeros, or sectors that stand twice.
    """
    if 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise WebpError("the file is cut off")
    position = 12
    while position + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[position : position + 8])
        start, end = position + 8, position + 8 + length
        is_coded_alpha = kind == b"ALPH" and data[start : start + 1] and data[start] & 3 == 1
        if kind in (b"VP8 ", b"VP8L") or is_coded_alpha:
            octets = np.frombuffer(data, np.uint8)[start:end]
            if has_zeros(data, start, end) or has_copies(octets, start):
                raise WebpError("the compressed data are damaged: zeros, or a part stands twice")
        position = end + length % 2


def encode(
    pixels: NDArray[Any], metadata: Metadata, quality: int
) -> tuple[list[bytes | memoryview], list[str]]:
    """Encode uint8 pixels, (H, W) or (H, W, C); quality 100 is lossless.

    Returns:
        The file in pieces, and notes on what the format could not hold.
    """
    from PIL import Image  # noqa: PLC0415 - only WebP output needs it

    notes: list[str] = []
    if pixels.ndim == 2 or pixels.shape[2] == 2:
        notes.append("WebP has no grey: the three colour channels are equal")
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        alpha = [] if pixels.ndim == 2 else [pixels[..., 1]]
        pixels = np.dstack([grey, grey, grey, *alpha])
    exif = metadata.exif
    if metadata.dpi:
        exif = with_resolution(exif, metadata.dpi)
    extras = {"exif": exif, "icc_profile": metadata.icc, "xmp": metadata.xmp}
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer,
        "WEBP",
        quality=quality,
        lossless=quality >= LOSSLESS,
        method=_METHOD,
        exact=True,  # colours under a transparent pixel are kept
        **{name: data for name, data in extras.items() if data},
    )
    return [buffer.getvalue()], notes
