"""JPEG 2000, as files (JP2) and as bare codestreams: decoded by OpenJPEG through imagecodecs.

SIZ:  FF4F FF51, length (2), capabilities (2), size (4, 4), offset (4, 4), tiles (16), components
(2), and of each: sign and bits less one (1), steps (1, 1)   (ISO 15444-1, A.5.1)
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from panfocus.io.boxes import metadata_of
from panfocus.io.frames import Header, KindError, Pixels
from panfocus.io.stretch import filled

_SIZ = b"\xff\x4f\xff\x51"
_END = b"\xff\xd9"
_SIGNED = 0x80


class Jpeg2000Error(ValueError):
    """The file is not a whole JPEG 2000."""


def _sizes(data: bytes) -> tuple[int, int, int, int]:
    """Return height, width, components and bits of the codestream."""
    at = data.find(_SIZ)
    if at < 0 or len(data) < at + 42:
        raise Jpeg2000Error("no codestream in the file")
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    count = struct.unpack_from(">H", data, at + 40)[0]
    said = data[at + 42 : at + 42 + 3 * count]
    if not 1 <= count <= 4 or len(said) < 3 * count:
        raise KindError(f"{count} channels", "save it as grey or RGB, with at most one alpha")
    depths, steps = set(said[::3]), set(said[1::3]) | set(said[2::3])
    if len(depths) > 1 or steps != {1} or min(depths) & _SIGNED:
        raise KindError(
            "channels of several depths or sizes, or signed numbers", "save it as TIFF or PNG first"
        )
    bits = depths.pop() + 1
    if bits > 16:
        raise KindError(f"{bits} bits per channel", "save it with 8 or 16 bits first")
    return bottom - top, right - left, count, bits


def _header(data: bytes) -> tuple[Header, int]:
    height, width, count, bits = _sizes(data)
    if height < 1 or width < 1:
        raise Jpeg2000Error("a picture without pixels")
    metadata, orientation = metadata_of(data)
    depth = "uint16" if bits > 8 else "uint8"
    return Header(height, width, count, depth, metadata, orientation), bits


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size, kind and metadata; no pixel is decoded.

    Raises:
        Jpeg2000Error: damaged.
        KindError: numbers of a kind that is not read.
    """
    return [(0, _header(path.read_bytes())[0])]


def decode(path: Path, page: int) -> tuple[Pixels, Header]:
    """Decode the picture, as stored: Orientation is not applied.

    Returns:
        (H, W) or (H, W, C), uint8, or uint16 over which 9 to 16 bits are spread; and the header.

    Raises:
        ValueError: damaged or cut off.
    """
    import imagecodecs  # noqa: PLC0415  slow to import

    data = path.read_bytes()
    header, bits = _header(data)
    # OpenJPEG fills what is missing with grey, and says nothing
    if data[-2:] != _END and _END not in data[-64:]:
        raise Jpeg2000Error("the file is cut off")
    pixels: NDArray[Any] = imagecodecs.jpeg2k_decode(data)
    return filled(pixels, (1 << bits) - 1), header
