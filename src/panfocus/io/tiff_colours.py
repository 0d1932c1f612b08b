"""Colours of a TIFF that are stored in a way of their own: in a palette, or multiplied by alpha."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.io.ifd import Block, Tag
from panfocus.io.tiff_chain import TiffError

#: What colours that are not read are called, by their number in TIFF.
_NAMES = {
    4: "transparency mask", 6: "uncompressed YCbCr", 8: "CIE L*a*b*", 9: "ICC L*a*b*",
    10: "ITU L*a*b*", 32803: "single sensor", 32844: "LogL", 32845: "LogLuv", 34892: "linear RAW",
}  # fmt: skip


def name_of(photometric: int) -> str:
    """Return what colours of a kind that is not read are called, by its number in TIFF."""
    return _NAMES.get(photometric, f"unknown (PhotometricInterpretation {photometric})")


def palette(block: Block) -> NDArray[np.uint8]:
    """Return the colours of a palette picture, (entries, 3).

    Raises:
        TiffError: it has none that fits its pixels.
    """
    data = block.data(Tag.COLOUR_MAP)
    bits = int(block.number(Tag.BITS, 1))
    if data is None or bits > 8 or len(data) != 6 << bits:
        raise TiffError("a palette picture without a sound palette")
    entries = np.array(struct.unpack(f"{block.order}{3 << bits}H", data), np.uint16)
    return (entries >> 8).astype(np.uint8).reshape(3, -1).T


def straight_alpha(pixels: NDArray[Any]) -> NDArray[Any]:
    """Divide colours by alpha: c = round(c' * top / alpha); (H, W, C) with alpha last."""
    top = int(np.iinfo(pixels.dtype).max)
    out = pixels.copy()
    for row in out:  # row by row: a wide copy of the whole picture is not needed
        alpha = np.maximum(row[:, -1:], 1).astype(np.uint64)
        wide = (row[:, :-1].astype(np.uint64) * top + alpha // 2) // alpha
        row[:, :-1] = np.minimum(wide, top)
    return out
