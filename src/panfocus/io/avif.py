"""AVIF: read by Pillow, and by imagecodecs where it has more than 8 bits."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from panfocus.frame import Metadata
from panfocus.io.frames import Header, KindError, Pixels
from panfocus.io.metadata import clean_exif, clean_xmp
from panfocus.io.stretch import to_sixteen

_KINDS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


class AvifError(ValueError):
    """The file is not a whole AVIF."""


def _bits(data: bytes) -> int:
    """Return the bits of a channel: av1C holds them (AV1 in ISOBMFF 2.3)."""
    at = data.find(b"av1C")
    if at < 0 or at + 7 > len(data):
        raise AvifError("no AV1 picture in the file")
    flags = data[at + 6]
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _header(data: bytes) -> Header:
    with Image.open(io.BytesIO(data), formats=("AVIF",)) as picture:
        if picture.mode not in _KINDS:
            raise KindError(f"pixels of kind {picture.mode}", "save it as PNG or TIFF first")
        width, height = picture.size
        info: Any = picture.info
        several = getattr(picture, "n_frames", 1) > 1
        channels = _KINDS[picture.mode]
    exif = clean_exif(info.get("exif"))
    metadata = Metadata(exif.data, info.get("icc_profile"), clean_xmp(info.get("xmp")), exif.dpi)
    notes = ("one of several pictures in its file: the first",) if several else ()
    depth = "uint16" if _bits(data) > 8 else "uint8"
    return Header(height, width, channels, depth, metadata, exif.orientation, notes)


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size, kind and metadata.

    Raises:
        ValueError: damaged or cut off.
        KindError: pixels of a kind that is not read.
    """
    return [(0, _header(path.read_bytes()))]


def decode(path: Path, page: int) -> tuple[Pixels, Header]:
    """Decode the picture, as stored: Orientation is not applied.

    Returns:
        (H, W) or (H, W, C), uint8, or uint16 with 10 and 12 bits spread over 16; and the header.

    Raises:
        ValueError: damaged or cut off.
    """
    data = path.read_bytes()
    header = _header(data)
    if header.dtype == "uint16":
        import imagecodecs  # noqa: PLC0415  slow to import

        values: NDArray[np.uint16] = imagecodecs.avif_decode(data, index=0)
        return to_sixteen(values, (1 << _bits(data)) - 1), header
    with Image.open(io.BytesIO(data), formats=("AVIF",)) as picture:
        return np.array(picture), header
