"""HEIC of telephones and cameras, read through libheif."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.extras import need
from panfocus.io.frames import Header, KindError
from panfocus.io.metadata import clean_exif, clean_xmp

SUFFIXES = (".heic", ".heif", ".hif")
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def is_heic(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a HEIC."""
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS


def _open(path: Path) -> Any:  # noqa: ANN401
    # pillow_heif is the same reader with an encoder, whose licence (GPL) we do not ask for
    heif = need(("pi_heif", "pillow_heif"), "heic", "HEIC", path)
    return heif.open_heif(str(path), convert_hdr_to_8bit=False)


def _header(picture: Any) -> Header:  # noqa: ANN401
    kind, _, bits = str(picture.mode).partition(";")
    if kind not in _CHANNELS:
        raise KindError(f"pixels of kind {picture.mode}", "save it as JPEG, PNG or TIFF first")
    width, height = picture.size
    info: dict[str, Any] = picture.info
    # libheif has turned the picture; EXIF's Orientation is not to be heeded in HEIC
    exif = clean_exif(info.get("exif"))
    metadata = Metadata(exif.data, info.get("icc_profile"), clean_xmp(info.get("xmp")), exif.dpi)
    notes = ("one of several pictures in its file: the main one",) if len(picture) > 1 else ()
    depth = "uint16" if bits else "uint8"
    return Header(
        int(height),
        int(width),
        _CHANNELS[kind],
        depth,
        metadata,
        notes=notes,
        turned=exif.orientation,
    )


def header_of(path: Path) -> Header:
    """Read size, kind and metadata of the main picture; no pixel is decoded.

    Raises:
        InputError: the extra ``heic`` is not installed.
        ValueError: damaged or cut off.
    """
    return _header(_open(path))


def decode(path: Path) -> tuple[NDArray[Any], Header]:
    """Decode the main picture, upright.

    Returns:
        (H, W) or (H, W, C), uint8, or uint16 with 10 and 12 bits at the top; and the header.

    Raises:
        ValueError: damaged or cut off.
    """
    picture = _open(path)
    header = _header(picture)
    return np.array(picture), header
