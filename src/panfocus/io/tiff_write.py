"""Write one TIFF page, deflated, with all metadata a photograph has."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.deflate import deflate
from panfocus.io.ifd import (
    ASCII,
    BYTE,
    LONG,
    SHORT,
    UNDEFINED,
    Block,
    ByteOrder,
    DirectoryError,
    Entry,
    Tag,
)
from panfocus.io.ifd_pack import in_order, pack
from panfocus.io.metadata import parse_exif, put_resolution, story_of_tiff
from panfocus.io.ome_write import PixelSize, ome_xml

_DEFLATE, _HORIZONTAL = 8, 2
_UNSIGNED, _FLOAT = 1, 3
_MIN_IS_BLACK, _RGB, _STRAIGHT_ALPHA = 1, 2, 2
_MAX_BYTES = 0xFFFF_FFFF


class TiffSizeError(ValueError):
    """More bytes than a classic TIFF can address."""


def encode(
    pixels: NDArray[Any],
    metadata: Metadata,
    *,
    path: Path | None = None,
    pixel_um: PixelSize | None = None,
) -> list[bytes | memoryview]:
    """Encode (H, W) or (H, W, C) pixels of uint8, uint16 or float32 as one deflated page.

    The directory comes first and the strips behind it, so that a maker note can stay where it was.

    Args:
        pixels: of the picture.
        metadata: all that is kept of it.
        path: of the file; one that ends in ``.ome.tif`` describes itself in OME-XML.
        pixel_um: sizes of a pixel, for that.

    Returns:
        The file in pieces, in order.

    Raises:
        TiffSizeError: more than a classic TIFF can address.
    """
    block, strips = _begun(pixels, metadata, path=path, pixel_um=pixel_um)
    _place(block, strips)
    return [pack(block), *strips]


def encode_before(
    pixels: NDArray[Any], metadata: Metadata, length: int
) -> list[bytes | memoryview]:
    """Encode a page as `encode` does, most significant byte first, that layers stand behind.

    A maker note is left out, as its own numbers cannot be turned over.

    Args:
        pixels: as for `encode`.
        metadata: of the picture.
        length: bytes of the value of `Tag.LAYERS`, which follows.

    Returns:
        The file up to there in pieces, in order.

    Raises:
        TiffSizeError: more than a classic TIFF can address.
    """
    block, strips = _begun(pixels, metadata, order=">")
    padding = _place(block, strips, length)
    return [pack(block), *strips, padding]


def _begun(
    pixels: NDArray[Any],
    metadata: Metadata,
    order: ByteOrder | None = None,
    *,
    path: Path | None = None,
    pixel_um: PixelSize | None = None,
) -> tuple[Block, list[memoryview]]:
    """Return the directory but for where things are, and the strips."""
    block = _story(metadata)
    told = None
    if path is not None:
        told = ome_xml(path, pixels, pixel_um=pixel_um, description=block.data(Tag.DESCRIPTION))
    if told is not None:
        block.put_bytes(Tag.DESCRIPTION, ASCII, told + b"\0")
    if order is not None:
        block = in_order(block, order)
    is_differenced = told is None and _is_differenced(pixels)
    strips, rows = _strips(pixels, block.order, is_differenced=is_differenced)
    _describe(block, pixels, rows, is_differenced=is_differenced)
    return block, strips


def _place(block: Block, strips: Sequence[memoryview], layers: int = 0) -> bytes:
    """Tell in the directory where the strips are, and behind them layers of so many bytes.

    Returns:
        Padding before the layers.
    """
    sizes = [len(strip) for strip in strips]
    block.put(Tag.STRIP_SIZES, LONG, *sizes)
    block.put(Tag.STRIPS, LONG, *sizes)  # a place of the right length until the offsets are known
    if layers:
        block.root[Tag.LAYERS] = Entry(UNDEFINED, layers, bytes(4))
    start = len(pack(block))
    *offsets, end = (start + np.concatenate([[0], np.cumsum(sizes)])).tolist()
    padding = bytes(end % 2) if layers else b""
    if end + len(padding) + layers > _MAX_BYTES:
        raise TiffSizeError("more than 4 GB of pixels; a TIFF cannot hold them, a PNG can")
    block.put(Tag.STRIPS, LONG, *offsets)
    if layers:  # four bytes are written as they are, and so tell where the value is
        where = struct.pack(block.order + "I", end + len(padding))
        block.root[Tag.LAYERS] = Entry(UNDEFINED, layers, where)
    return padding


def _story(metadata: Metadata) -> Block:
    """Return the directory that holds the metadata; EXIF gives its byte order to the file."""
    block = Block()
    if metadata.exif:
        try:
            block = parse_exif(metadata.exif)
        except DirectoryError:
            block = Block()
        block.root = story_of_tiff(block.root)
    if metadata.dpi:
        put_resolution(block, metadata.dpi)
    if metadata.icc:
        block.put_bytes(Tag.ICC, UNDEFINED, metadata.icc)
    if metadata.xmp:
        block.put_bytes(Tag.XMP, BYTE, metadata.xmp)
    return block


def _describe(block: Block, pixels: NDArray[Any], rows: int, *, is_differenced: bool) -> None:
    """Set the tags that tell how the pixels are stored."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    is_float = pixels.dtype.kind == "f"
    block.put(Tag.WIDTH, LONG, width)
    block.put(Tag.HEIGHT, LONG, height)
    block.put(Tag.BITS, SHORT, *[8 * pixels.itemsize] * channels)
    block.put(Tag.COMPRESSION, SHORT, _DEFLATE)
    block.put(Tag.PHOTOMETRIC, SHORT, _MIN_IS_BLACK if channels < 3 else _RGB)
    block.put(Tag.SAMPLES, SHORT, channels)
    block.put(Tag.ROWS_PER_STRIP, LONG, rows)
    block.put(Tag.PLANAR, SHORT, 1)
    block.put(Tag.SAMPLE_FORMAT, SHORT, *[_FLOAT if is_float else _UNSIGNED] * channels)
    if is_differenced:
        block.put(Tag.PREDICTOR, SHORT, _HORIZONTAL)
    if channels in (2, 4):
        block.put(Tag.EXTRA_SAMPLES, SHORT, _STRAIGHT_ALPHA)


def _is_differenced(pixels: NDArray[Any]) -> bool:
    """Whether neighbours are subtracted before deflating, which makes photographs smaller.

    ImageJ 1.53 shows deflated differences as if they were the pixels, without a word: maps, grey
    pictures and OME-TIFFs, which are measured there, go without.
    """
    return pixels.dtype.kind != "f" and pixels.ndim == 3 and pixels.shape[2] > 2


def _strips(
    pixels: NDArray[Any], order: ByteOrder, *, is_differenced: bool
) -> tuple[list[memoryview], int]:
    """Difference, deflate and return strips of about 1 MB, with the rows of a strip.

    Integers of colours are differenced along the row, d[x] = p[x] - p[x - 1] (mod 2^bits).
    """
    height = len(pixels)
    rows = max(1, min(height, (1 << 20) // max(1, pixels[:1].nbytes)))
    strips: list[memoryview] = []
    for top in range(0, height, rows):
        part = pixels[top : top + rows]
        if is_differenced:
            differences = part.copy()
            np.subtract(part[:, 1:], part[:, :-1], out=differences[:, 1:])
            part = differences
        part = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(order), copy=False))
        strips.append(deflate(part))
    return strips, rows
