"""Camera RAW: developed by LibRaw, every frame of a stack alike."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.extras import need
from panfocus.io.frames import Develop, Header
from panfocus.io.ifd import Block, DirectoryError, Tag, read_directory, read_header
from panfocus.io.metadata import clean_block, story_of_tiff

SUFFIXES = (
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef",
    ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
)  # fmt: skip
# power and slope at black, as LibRaw takes them
_GAMMA = {"srgb": (2.4, 12.92), "linear": (1.0, 1.0)}
_COLOUR_SPACE = 0xA001
_TURNED = (5, 6)
_ORIENTATIONS = {3: 3, 5: 8, 6: 6}  # of LibRaw's flip, as EXIF counts


class RawError(ValueError):
    """LibRaw cannot read the file."""


def _rawpy(path: Path) -> Any:  # noqa: ANN401
    return need(("rawpy",), "raw", "Camera RAW", path)


def header_of(path: Path) -> Header:
    """Read size and metadata; no pixel is decoded.

    Raises:
        InputError: the extra ``raw`` is not installed.
        RawError: not a RAW file of a known camera.
    """
    rawpy = _rawpy(path)
    try:
        with rawpy.imread(str(path)) as raw:
            return _header(raw, path)
    except rawpy.LibRawError as error:
        raise RawError(_text(error)) from error


def _header(raw: Any, path: Path) -> Header:  # noqa: ANN401
    sizes = raw.sizes
    height, width = int(sizes.iheight), int(sizes.iwidth)
    if sizes.flip in _TURNED:
        height, width = width, height
    note = "a camera RAW, developed to 16 bit with one white balance for all"
    turned = _ORIENTATIONS.get(int(sizes.flip), 1)
    return Header(height, width, 3, "uint16", _metadata(path), notes=(note,), turned=turned)


def _text(error: Exception) -> str:
    value: object = error.args[0] if error.args else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _metadata(path: Path) -> Metadata:
    """Return the EXIF of a RAW that is built like a TIFF, as most are."""
    try:
        with path.open("rb") as file:
            layout, offset = read_header(file)
            root = read_directory(file, layout, offset)[0]
    except (DirectoryError, struct.error, ValueError):
        return Metadata()
    exif = root.get(Tag.EXIF_IFD)
    if isinstance(exif, dict):  # the colour space of the camera's own pictures
        for tag in (_COLOUR_SPACE, Tag.INTEROP_IFD):
            exif.pop(tag, None)
    # LibRaw turns the picture upright; the block says so afterwards
    clean = clean_block(Block(layout.order, story_of_tiff(root)))
    return Metadata(exif=clean.data)


def white_balance(path: Path) -> tuple[float, float, float, float]:
    """Return the multipliers of red, green, blue and second green that the camera chose.

    Those for daylight, where it chose none.

    Raises:
        RawError: not a RAW file of a known camera.
    """
    rawpy = _rawpy(path)
    try:
        with rawpy.imread(str(path)) as raw:
            chosen = [float(v) for v in raw.camera_whitebalance]
            if min(chosen[:3]) <= 0:
                chosen = [float(v) for v in raw.daylight_whitebalance]
    except rawpy.LibRawError as error:
        raise RawError(_text(error)) from error
    red, green, blue, second = chosen
    return red, green, blue, second if second > 0 else green


def decode(path: Path, develop: Develop | None) -> tuple[NDArray[np.uint16], Header]:
    """Develop a RAW, upright, sRGB primaries.

    Nothing is adjusted to the picture itself (brightness, white level): frames of one stack must
    stay comparable.

    Args:
        path: the file.
        develop: white balance and tone; None for the camera's own white balance, sRGB.

    Returns:
        (H, W, 3) uint16, and the header.

    Raises:
        RawError: damaged or cut off.
    """
    rawpy = _rawpy(path)
    balance = develop.balance if develop else white_balance(path)
    try:
        with rawpy.imread(str(path)) as raw:
            pixels: NDArray[np.uint16] = raw.postprocess(
                output_bps=16,
                user_wb=list(balance),
                gamma=_GAMMA[develop.tone if develop else "srgb"],
                output_color=rawpy.ColorSpace.sRGB,
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
            )
            header = _header(raw, path)
            if develop is not None and develop.tone == "linear":
                from panfocus.io.icc import linear_profile  # noqa: PLC0415 - few are linear

                # without a profile viewers would take it for sRGB, and show it dark
                header = replace(header, metadata=replace(header.metadata, icc=linear_profile()))
    except rawpy.LibRawError as error:
        raise RawError(_text(error)) from error
    return np.ascontiguousarray(pixels), header
