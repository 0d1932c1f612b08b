"""JPEG XL: decoded by libjxl through imagecodecs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.io.boxes import boxes, metadata_of
from panfocus.io.frames import Header, KindError, Pixels
from panfocus.io.room import check_room

# its decoder applies no profile and tells none: pictures with others look as if they were sRGB
_BOX, _CODE = b"\0\0\0\x0cJXL ", b"\xff\x0a"
#: Bytes that tell of the size, at most; bits of a side, by the two before it; width over height.
_HEAD, _SIDES = 24, (9, 13, 18, 30)
_RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
#: Of a pixel, at most, while it is decoded.
_MOST_BYTES = 16
_COLOURS = "JPEG XL: its colours are taken for sRGB"


class _Bits:
    """Numbers of a few bits each, the first one lowest."""

    def __init__(self, data: bytes) -> None:
        self._all = int.from_bytes(data[:_HEAD], "little")

    def take(self, count: int) -> int:
        value = self._all & ((1 << count) - 1)
        self._all >>= count
        return value

    def side(self, *, is_small: bool) -> int:
        return 8 * (self.take(5) + 1) if is_small else self.take(_SIDES[self.take(2)]) + 1


def _size(data: bytes) -> tuple[int, int]:
    """Return height and width from the first bytes of the codestream (ISO 18181-1, SizeHeader)."""
    if data.startswith(_BOX):  # in one piece, or in several with a number before each
        pieces = {kind: bytes(inside[:_HEAD]) for kind, inside in reversed([*boxes(data)])}
        data = pieces.get(b"jxlc", pieces.get(b"jxlp", b"")[4:])
    if not data.startswith(_CODE):
        raise ValueError("no JPEG XL picture in the file")
    bits = _Bits(data[len(_CODE) :])
    is_small = bool(bits.take(1))
    height = bits.side(is_small=is_small)
    ratio = _RATIOS[bits.take(3)]
    width = bits.side(is_small=is_small) if ratio is None else height * ratio[0] // ratio[1]
    return height, width


def _decoded(path: Path) -> tuple[Pixels, Header]:
    import imagecodecs  # noqa: PLC0415  slow to import

    data = path.read_bytes()
    check_room(*_size(data), _MOST_BYTES)
    pixels: NDArray[Any] = np.squeeze(imagecodecs.jpegxl_decode(data))
    if str(pixels.dtype) not in ("uint8", "uint16"):
        raise KindError(f"pixels of type {pixels.dtype}", "save it with 8 or 16 bits first")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and not 1 <= pixels.shape[2] <= 4):
        raise KindError("an animation", "save one of its pictures as a file")
    # libjxl has turned the picture; EXIF's Orientation is not to be heeded
    metadata, told = metadata_of(data)
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    depth = "uint8" if pixels.dtype == np.uint8 else "uint16"
    header = Header(height, width, channels, depth, metadata, notes=(_COLOURS,), turned=told)
    return pixels, header


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size, kind and metadata; the pixels are decoded for that, and dropped.

    Raises:
        ValueError: damaged or cut off.
        KindError: an animation, or numbers of a kind that is not read.
    """
    return [(0, _decoded(path)[1])]


def decode(path: Path, page: int) -> tuple[Pixels, Header]:
    """Decode the picture, upright.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16; and the header.

    Raises:
        ValueError: damaged or cut off.
    """
    return _decoded(path)
