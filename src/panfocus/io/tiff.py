"""TIFF: what its pages are, and decoding one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.frozen import frozen
from panfocus.io import cmyk
from panfocus.io.frames import Depth, Header, KindError, Span
from panfocus.io.ifd import (
    Block,
    Directory,
    DirectoryError,
    Tag,
    read_directory,
)
from panfocus.io.metadata import clean_block, clean_xmp, story_of_tiff
from panfocus.io.segments import segments_of
from panfocus.io.tiff_axes import axes_of_array, numbers_of, promised_pages, said_axes
from panfocus.io.tiff_chain import TiffError, offsets_of, walked
from panfocus.io.tiff_colours import name_of, palette, straight_alpha
from panfocus.io.tiff_samples import samples_of

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {_MIN_IS_WHITE: 1, _MIN_IS_BLACK: 1, _RGB: 3, _PALETTE: 1, _YCBCR: 3}
_OLD_JPEG, _JPEG = 6, 7
_JPEG_COMPRESSIONS = (_OLD_JPEG, _JPEG)
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_PREMULTIPLIED, _STRAIGHT = 1, 2
_SEPARATE = 2
_NOT_A_PICTURE = 1 | 4  # subfile bits: reduced copy, transparency mask
_OTHER_NUMBERS = (
    "fuse the stack alone, as one TIFF, into a .tif, which keeps its numbers; "
    "or save it with 8 or 16 bit integers first"
)
_REAL_NUMBERS = "save what shall be fused, as the magnitude, with 8 or 16 bit integers"


@frozen
class Page:
    """One picture of a TIFF: its index in the file and what its directory says."""

    index: int
    header: Header


def read_pages(file: BinaryIO) -> list[Page]:
    """Read what every page's directory says; previews and masks are left out.

    Raises:
        TiffError: damaged, cut off, or of a kind that is not read.
    """
    pages: list[Page] = []
    size = file.seek(0, 2)
    try:
        layout, offsets = offsets_of(file)
        for index, offset in enumerate(offsets):
            block = Block(layout.order, read_directory(file, layout, offset)[0])
            if int(block.number(Tag.SUBFILE)) & _NOT_A_PICTURE:
                continue
            _check_axes(block, len(offsets))
            _check_segments(block, size)
            if index == 0:
                _check_chain(block, len(offsets))
            pages.append(Page(index, _header(block)))
    except DirectoryError as error:
        raise TiffError(f"the file is cut off or damaged: {error}") from error
    if not pages:
        raise TiffError("no page holds a picture")
    return pages


_AS_VOLUME = "fuse it alone, into an .ome.tif or a picture, in Python by `panfocus.fuse_volume`"


def _check_axes(block: Block, pages: int) -> None:
    """Refuse stacks whose pages are not simply one frame each."""
    text = block.data(Tag.DESCRIPTION) or b""
    said = said_axes(text)
    # OME counts the colours of a pixel as channels
    channels = max(1, said["channels"] // int(block.number(Tag.SAMPLES, 1) or 1))
    if channels > 1 and said["slices"] * said["frames"] > 1:
        raise KindError(f"a stack with {channels} channels as pages of their own", _AS_VOLUME)
    if said["slices"] > 1 and said["frames"] > 1:
        raise KindError(f"stacks of {said['frames']} times in one file", _AS_VOLUME)
    sizes = axes_of_array(text, numbers_of(block))
    if len(sizes) > 1:
        raise KindError(f"an array of {' x '.join(map(str, sizes))} planes", _AS_VOLUME)
    if pages == 1 and (said["images"] > 1 or b'"truncated": true' in text):
        raise KindError("a stack that lists one page only", _AS_VOLUME)
    if block.number(Tag.IMAGE_DEPTH, 1) > 1:
        raise KindError("a volume in one page", "save it as one page per frame first")


def _check_chain(block: Block, pages: int) -> None:
    """Refuse a file with fewer pages than its first one tells of: the chain is broken."""
    text = block.data(Tag.DESCRIPTION) or b""
    promised = promised_pages(text, numbers_of(block))
    if text[:5] in (b"<?xml", b"<OME ") and b"FileName=" not in text:
        said = said_axes(text)
        colours = int(block.number(Tag.SAMPLES, 1))
        channels = max(1, said["channels"] // colours)
        promised = channels * said["slices"] * said["frames"]
    if pages < promised:
        raise TiffError(
            f"its first page tells of {promised} pages, and the chain of pages ends after {pages}"
        )


def _check_segments(block: Block, file_size: int) -> None:
    """Refuse a page whose strips or tiles cannot hold its pixels."""
    trouble = segments_of(block).trouble(file_size)
    if trouble:
        raise TiffError(trouble)


def _header(block: Block) -> Header:
    channels, note = _channels(block)
    numbers, span = _other_numbers(block)
    story = Block(block.order, story_of_tiff(block.root))
    clean = clean_block(story)
    is_ink = int(block.number(Tag.PHOTOMETRIC, _MIN_IS_BLACK)) == _CMYK
    icc = None if is_ink else block.data(Tag.ICC)
    xmp = clean_xmp(block.data(Tag.XMP))
    height, width = int(block.number(Tag.HEIGHT)), int(block.number(Tag.WIDTH))
    if height <= 0 or width <= 0:
        raise TiffError("a page without pixels")
    return Header(
        height,
        width,
        channels,
        _depth(block),
        Metadata(clean.data, icc, xmp, clean.dpi),
        clean.orientation,
        (note,) if note else (),
        numbers=numbers,
        span=span,
    )


def _depth(block: Block) -> Depth:
    """Return the dtype of the pixels that will be read."""
    bits = {int(b) for b in block.numbers(Tag.BITS)} or {1}
    is_plain = _sample_kinds(block) == {_UNSIGNED} and bits in ({8}, {1})
    is_palette = int(block.number(Tag.PHOTOMETRIC)) == _PALETTE
    return "uint8" if is_plain or is_palette else "uint16"


def _sample_kinds(block: Block) -> set[int]:
    return {int(f) for f in block.numbers(Tag.SAMPLE_FORMAT)} or {_UNSIGNED}


def _other_numbers(block: Block) -> tuple[str, Span | None]:
    """Return what numbers a page holds that fill neither 8 nor 16 bits, and their range if told.

    Raises:
        KindError: complex numbers, or several kinds at once.
    """
    bits = {int(b) for b in block.numbers(Tag.BITS)} or {1}
    kinds = _sample_kinds(block)
    if kinds == {_UNSIGNED} and bits in ({1}, {8}, {16}):
        return "", None
    if int(block.number(Tag.PHOTOMETRIC)) == _PALETTE:
        return "", None
    photometric, samples = int(block.number(Tag.PHOTOMETRIC, 1)), int(block.number(Tag.SAMPLES, 1))
    names = {_UNSIGNED: "unsigned", _SIGNED: "signed", _FLOAT: "floating point"}
    name = names.get(min(kinds), "")
    if len(kinds) > 1 or len(bits) > 1 or not name:
        raise KindError("complex or mixed numbers", _REAL_NUMBERS, "numbers of one kind, real")
    if photometric not in (_MIN_IS_BLACK, _RGB) or samples != _COLOURS[photometric]:
        raise KindError(f"{name} numbers, inverted or with alpha", _OTHER_NUMBERS)
    width = bits.pop()
    told = f"{width}-bit {name}" if kinds != {_FLOAT} else name
    return told, Span(0.0, 2.0**width - 1) if kinds == {_UNSIGNED} and width < 16 else None


def _channels(block: Block) -> tuple[int, str | None]:
    """Return the number of channels that will be read, with a note if it is a conversion."""
    photometric = int(block.number(Tag.PHOTOMETRIC, _MIN_IS_BLACK))
    samples = int(block.number(Tag.SAMPLES, 1))
    if photometric == _CMYK:
        return _check_inks(block, samples), cmyk.note_of(block.data(Tag.ICC))
    colours = _COLOURS.get(photometric)
    compression = int(block.number(Tag.COMPRESSION, 1))
    if colours is None or (photometric == _YCBCR and compression not in _JPEG_COMPRESSIONS):
        raise KindError(f"{name_of(photometric)} colours", "save it as grey or RGB first")
    if not 0 <= samples - colours <= (0 if photometric == _PALETTE else 1):
        raise KindError(f"{samples} channels", "save it as grey or RGB, with at most one alpha")
    note = None
    if photometric == _MIN_IS_WHITE:
        note = "its grey is stored inverted (white is 0) and is turned round"
    elif photometric == _PALETTE:
        note = "palette colours are read as 8-bit RGB"
    elif samples > colours and _extra(block) == _PREMULTIPLIED:
        note = "its colours are stored multiplied by alpha and are divided by it"
    return (3 if photometric == _PALETTE else samples), note


def _check_inks(block: Block, samples: int) -> int:
    """Return the number of channels that CMYK is read as."""
    if samples != 4 or int(block.number(Tag.COMPRESSION, 1)) == _OLD_JPEG:
        raise KindError(
            "CMYK with opacity or inks of its own, or in an old JPEG", "save it as RGB first"
        )
    return 3


def _extra(block: Block) -> int:
    return int(block.number(Tag.EXTRA_SAMPLES, _STRAIGHT))


def read_page(path: Path, index: int, *, lenient: bool = False) -> tuple[NDArray[Any], Header]:
    """Decode one page.

    Args:
        path: the file.
        index: of the page.
        lenient: whether JPEGs inside that are damaged are decoded all the same, with a note.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16, as stored: Orientation is not applied; and what the
        page's directory says.

    Raises:
        TiffError: damaged or cut off.
        DamageError: a JPEG inside is damaged.
    """
    with path.open("rb") as file:
        block, offset = _block_at(file, index)
        header = _header(block)
        pixels, trouble = samples_of(file, block, offset, index, lenient=lenient)
    if trouble:
        header = replace(header, notes=(*header.notes, trouble))
    if int(block.number(Tag.PLANAR, 1)) == _SEPARATE and header.channels > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    return np.ascontiguousarray(_as_photograph(pixels, block)), header


def _block_at(file: BinaryIO, index: int) -> tuple[Block, int]:
    """Return a page's directory, and where it lies."""
    size = file.seek(0, 2)
    try:
        layout, offsets = walked(file)
        if index >= len(offsets):
            raise TiffError(f"page {index + 1} is gone")
        root: Directory = read_directory(file, layout, offsets[index])[0]
    except DirectoryError as error:
        raise TiffError(f"the file is cut off or damaged: {error}") from error
    block = Block(layout.order, root)
    _check_segments(block, size)
    return block, offsets[index]


def _as_photograph(pixels: NDArray[Any], block: Block) -> NDArray[Any]:
    """Turn stored values, (H, W) or (H, W, C), into grey or RGB with straight alpha."""
    photometric = int(block.number(Tag.PHOTOMETRIC, _MIN_IS_BLACK))
    if photometric == _PALETTE:
        return palette(block)[pixels]
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if _other_numbers(block)[0]:
        return pixels
    if str(pixels.dtype) not in ("uint8", "uint16"):
        raise TiffError(f"pixels of type {pixels.dtype}")
    if photometric == _CMYK:
        return cmyk.to_rgb(pixels, block.data(Tag.ICC))
    if photometric == _MIN_IS_WHITE:
        pixels = ~pixels
    has_alpha = int(block.number(Tag.SAMPLES, 1)) in (2, 4)
    if has_alpha and _extra(block) == _PREMULTIPLIED:
        return straight_alpha(pixels)
    return pixels
