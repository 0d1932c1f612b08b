"""JPEG XL: decoded by libjxl through imagecodecs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.io.boxes import metadata_of
from panfocus.io.frames import Header, KindError, Pixels

# its decoder applies no profile and tells none: pictures with others look as if they were sRGB
_COLOURS = "JPEG XL: its colours are taken for sRGB"


def _decoded(path: Path) -> tuple[Pixels, Header]:
    import imagecodecs  # noqa: PLC0415  slow to import

    data = path.read_bytes()
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
