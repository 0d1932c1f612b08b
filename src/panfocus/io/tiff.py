"""TIFF: pages and their kinds, decoding through tifffile, and a writer that keeps all metadata."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.io.frames import Depth, Header, Metadata
from panfocus.io.ifd import (
    BYTE,
    LONG,
    SHORT,
    UNDEFINED,
    Block,
    ByteOrder,
    Directory,
    DirectoryError,
    Layout,
    pack,
    read_directory,
    read_header,
)
from panfocus.io.metadata import (
    clean_block,
    clean_xmp,
    parse_exif,
    put_resolution,
    story_of_tiff,
    text_entry,
)

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_DESCRIPTION, _STRIPS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_SIZES = 270, 273, 277, 278, 279
_PLANAR, _PREDICTOR, _TILES, _TILE_SIZES, _EXTRA, _SAMPLE_FORMAT = 284, 317, 324, 325, 338, 339
_XMP, _ICC = 700, 34675
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_JPEG_COMPRESSIONS = (6, 7)
_DEFLATE, _HORIZONTAL = 8, 2
_UNSIGNED, _FLOAT = 1, 3
_PREMULTIPLIED, _STRAIGHT = 1, 2
_NOT_A_PICTURE = 1 | 4  # subfile bits: reduced copy, transparency mask
_MAX_PAGES = 100_000
_MAX_BYTES = 0xFFFF_FFFF

# tifffile reports oddities through logging, which would print on stderr where nobody asked for it
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class TiffError(ValueError):
    """The file is not a whole TIFF of a kind that is read."""


@dataclass(frozen=True)
class Page:
    """One picture of a TIFF: its index in the file and what its directory says."""

    index: int
    header: Header


def _directories(file: BinaryIO) -> Iterator[tuple[Layout, Directory]]:
    """Yield the directories of all pages."""
    layout, offset = read_header(file)
    seen: set[int] = set()
    while offset:
        if offset in seen or len(seen) >= _MAX_PAGES:
            raise TiffError("the chain of pages runs in a circle")
        seen.add(offset)
        directory, offset = read_directory(file, layout, offset)
        yield layout, directory


def read_pages(file: BinaryIO) -> list[Page]:
    """Read what every page's directory says; previews and masks are left out.

    Raises:
        TiffError: damaged, cut off, or of a kind that is not read.
    """
    pages: list[Page] = []
    size = file.seek(0, 2)
    try:
        for index, (layout, root) in enumerate(_directories(file)):
            block = Block(layout.order, root)
            if int(block.number(_SUBFILE)) & _NOT_A_PICTURE:
                continue
            _check_segments(block, size)
            pages.append(Page(index, _header(block)))
    except DirectoryError as error:
        raise TiffError(f"the file is cut off or damaged: {error}") from error
    if not pages:
        raise TiffError("no page holds a picture")
    return pages


def _check_segments(block: Block, file_size: int) -> None:
    """Refuse a page whose strips or tiles are not all inside the file.

    Decoders fill a missing strip with zeros, in silence.
    """
    offsets = block.numbers(_STRIPS) or block.numbers(_TILES)
    sizes = block.numbers(_STRIP_SIZES) or block.numbers(_TILE_SIZES)
    if not offsets:
        raise TiffError("a page without pixels")
    if len(sizes) != len(offsets):
        raise TiffError("the table of strips is damaged")
    for offset, size in zip(offsets, sizes, strict=True):
        if offset <= 0 or size <= 0 or offset + size > file_size:
            raise TiffError("the file is cut off: a part of its pixels lies behind its end")


def _header(block: Block) -> Header:
    channels, note = _channels(block)
    icc, xmp = block.data(_ICC), block.data(_XMP)
    story = Block(block.order, story_of_tiff(block.root))
    clean = clean_block(story)
    metadata = Metadata(clean.data, icc, clean_xmp(xmp), clean.dpi)
    height, width = int(block.number(_HEIGHT)), int(block.number(_WIDTH))
    if height <= 0 or width <= 0:
        raise TiffError("a page without pixels")
    notes = (note,) if note else ()
    return Header(height, width, channels, _depth(block), metadata, clean.orientation, notes)


def _depth(block: Block) -> Depth:
    """Return the dtype of the pixels that will be read, or refuse."""
    bits = {int(b) for b in block.numbers(_BITS)} or {1}
    kinds = {int(f) for f in block.numbers(_SAMPLE_FORMAT)} or {_UNSIGNED}
    if kinds != {_UNSIGNED}:
        name = "floating point" if kinds == {_FLOAT} else "signed or complex"
        raise TiffError(f"{name} pixels; save it with 8 or 16 bit integers first")
    if bits in ({8}, {1}) or int(block.number(_PHOTOMETRIC)) == _PALETTE:
        return "uint8"
    if bits == {16}:
        return "uint16"
    raise TiffError(f"{sorted(bits)} bits per channel; save it with 8 or 16 first")


def _channels(block: Block) -> tuple[int, str | None]:
    """Return the number of channels that will be read, with a note if it is a conversion."""
    photometric = int(block.number(_PHOTOMETRIC, _MIN_IS_BLACK))
    samples = int(block.number(_SAMPLES, 1))
    colours = {_MIN_IS_WHITE: 1, _MIN_IS_BLACK: 1, _RGB: 3, _PALETTE: 1, _YCBCR: 3}.get(photometric)
    if photometric == _CMYK:
        raise TiffError("CMYK colours; save it as RGB first")
    compressed = int(block.number(_COMPRESSION, 1))
    if colours is None or (photometric == _YCBCR and compressed not in _JPEG_COMPRESSIONS):
        raise TiffError(f"colour kind {photometric}; save it as grey or RGB first")
    if not 0 <= samples - colours <= (0 if photometric == _PALETTE else 1):
        raise TiffError(f"{samples} channels; save it as grey or RGB, with at most one alpha")
    note = None
    if photometric == _MIN_IS_WHITE:
        note = "its grey is stored inverted (white is 0) and is turned round"
    elif photometric == _PALETTE:
        note = "palette colours are read as 8-bit RGB"
    elif samples > colours and _extra(block) == _PREMULTIPLIED:
        note = "its colours are stored multiplied by alpha and are divided by it"
    return (3 if photometric == _PALETTE else samples), note


def _extra(block: Block) -> int:
    return int(block.number(_EXTRA, _STRAIGHT))


def decode(path: Path, index: int) -> NDArray[Any]:
    """Decode one page through tifffile; the codecs release the GIL.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16, as stored: Orientation is not applied.
    """
    import tifffile  # noqa: PLC0415 - slow to import, and not needed for other formats

    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[index]
        if not isinstance(page, tifffile.TiffPage):
            page = page.aspage()
        pixels = page.asarray()
        colormap = page.colormap
        block = _block_of(path, index)
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and page.samplesperpixel > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    return np.ascontiguousarray(_as_photograph(pixels, block, colormap))


def _block_of(path: Path, index: int) -> Block:
    with path.open("rb") as file:
        for number, (layout, root) in enumerate(_directories(file)):
            if number == index:
                return Block(layout.order, root)
    raise TiffError(f"page {index + 1} is gone")


def _as_photograph(
    pixels: NDArray[Any], block: Block, colormap: NDArray[np.uint16] | None
) -> NDArray[Any]:
    """Turn stored values into grey or RGB with straight alpha."""
    photometric = int(block.number(_PHOTOMETRIC, _MIN_IS_BLACK))
    if photometric == _PALETTE:
        if colormap is None:
            raise TiffError("a palette picture without palette")
        return (colormap >> 8).astype(np.uint8).T[pixels]
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if str(pixels.dtype) not in ("uint8", "uint16"):
        raise TiffError(f"pixels of type {pixels.dtype}")
    if photometric == _MIN_IS_WHITE:
        pixels = ~pixels
    has_alpha = int(block.number(_SAMPLES, 1)) in (2, 4)
    if has_alpha and _extra(block) == _PREMULTIPLIED:
        return _straight_alpha(pixels)
    return pixels


def _straight_alpha(pixels: NDArray[Any]) -> NDArray[Any]:
    """Divide colours by alpha: c = round(c' * top / alpha); (H, W, C) with alpha last."""
    top = int(np.iinfo(pixels.dtype).max)
    out = pixels.copy()
    for row in out:  # row by row: a wide copy of the whole picture is not needed
        alpha = np.maximum(row[:, -1:], 1).astype(np.uint64)
        wide = (row[:, :-1].astype(np.uint64) * top + alpha // 2) // alpha
        row[:, :-1] = np.minimum(wide, top)
    return out


def encode(
    pixels: NDArray[Any], metadata: Metadata, description: str | None = None
) -> list[bytes | memoryview]:
    """Encode (H, W) or (H, W, C) pixels of uint8, uint16 or float32 as one deflated page.

    The directory comes first and the strips behind it, so that a maker note can stay where it was.

    Returns:
        The file in pieces, in order.

    Raises:
        TiffError: more than a classic TIFF can address.
    """
    block = _story(metadata)
    strips, rows = _strips(pixels, block.order)
    _describe(block, pixels, rows)
    if description is not None:
        block.root[_DESCRIPTION] = text_entry(description)
    sizes = [len(strip) for strip in strips]
    block.put(_STRIP_SIZES, LONG, *sizes)
    block.put(_STRIPS, LONG, *sizes)  # a place of the right length until the offsets are known
    start = len(pack(block))
    offsets = (start + np.concatenate([[0], np.cumsum(sizes)])).tolist()
    if offsets[-1] > _MAX_BYTES:
        raise TiffError("more than 4 GB of pixels; a TIFF cannot hold them, a PNG can")
    block.put(_STRIPS, LONG, *offsets[:-1])
    return [pack(block), *strips]


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
        block.put_bytes(_ICC, UNDEFINED, metadata.icc)
    if metadata.xmp:
        block.put_bytes(_XMP, BYTE, metadata.xmp)
    return block


def _describe(block: Block, pixels: NDArray[Any], rows: int) -> None:
    """Set the tags that tell how the pixels are stored."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    is_float = pixels.dtype.kind == "f"
    block.put(_WIDTH, LONG, width)
    block.put(_HEIGHT, LONG, height)
    block.put(_BITS, SHORT, *[8 * pixels.itemsize] * channels)
    block.put(_COMPRESSION, SHORT, _DEFLATE)
    block.put(_PHOTOMETRIC, SHORT, _MIN_IS_BLACK if channels < 3 else _RGB)
    block.put(_SAMPLES, SHORT, channels)
    block.put(_ROWS_PER_STRIP, LONG, rows)
    block.put(_PLANAR, SHORT, 1)
    block.put(_SAMPLE_FORMAT, SHORT, *[_FLOAT if is_float else _UNSIGNED] * channels)
    if not is_float:
        block.put(_PREDICTOR, SHORT, _HORIZONTAL)
    if channels in (2, 4):
        block.put(_EXTRA, SHORT, _STRAIGHT)


def _strips(pixels: NDArray[Any], order: ByteOrder) -> tuple[list[memoryview], int]:
    """Difference, deflate and return strips of about 1 MB, with the rows of a strip.

    Integers are differenced along the row, d[x] = p[x] - p[x - 1] (mod 2^bits).
    """
    import imagecodecs  # noqa: PLC0415 - slow to import, and not needed for other formats

    height = len(pixels)
    rows = max(1, min(height, (1 << 20) // max(1, pixels[:1].nbytes)))
    strips: list[memoryview] = []
    for top in range(0, height, rows):
        part = pixels[top : top + rows]
        if part.dtype.kind != "f":
            differences = part.copy()
            np.subtract(part[:, 1:], part[:, :-1], out=differences[:, 1:])
            part = differences
        part = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(order), copy=False))
        strips.append(memoryview(imagecodecs.deflate_encode(part.view(np.uint8).data, 1)))
    return strips, rows
