"""Strips of a TIFF page, unpacked straight into the picture that they are of.

tifffile unpacks every strip into memory of its own and copies it from there: half as much again as
the unpacking of a large picture. Here only the commonest kind of page is read; all others, and
those in which anything is not as it should be, are left to tifffile, and to what it says of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.frozen import frozen
from panfocus.io.ifd import Block, ByteOrder, Tag
from panfocus.io.segments import Segments, segments_of
from panfocus.resources.spare import OF_FRAMES

_UNSIGNED, _HIGH_BITS_FIRST = 1, 1
_NO_PREDICTOR, _DIFFERENCES = 1, 2
#: Compression to what unpacks it, in imagecodecs.
_DECODERS = {
    5: "lzw_decode", 8: "deflate_decode", 32946: "deflate_decode", 50000: "zstd_decode",
}  # fmt: skip
_DTYPES = {8: np.dtype(np.uint8), 16: np.dtype(np.uint16)}


@frozen
class _Page:
    """What must be known of a page in strips.

    Attributes:
        strips: where they are.
        dtype: of the samples.
        order: of the bytes of a sample.
        is_differences: whether a sample is stored as its difference from the pixel before.
        decoder: name of what unpacks a strip.
    """

    strips: Segments
    dtype: np.dtype[Any]
    order: ByteOrder
    is_differences: bool
    decoder: str


def strips_page(file: BinaryIO, block: Block) -> NDArray[Any] | None:
    """Return the samples of a page ``(H, W)`` or ``(H, W, C)``, as stored.

    Args:
        file: that the page is in.
        block: the page's directory.

    Returns:
        None where the page is of another kind, or does not unpack to what its directory says.
    """
    page = _page_of(block)
    return None if page is None else _unpacked(file, page)


def _page_of(block: Block) -> _Page | None:
    strips = segments_of(block)
    bits = {int(b) for b in block.numbers(Tag.BITS)}
    kinds = {int(k) for k in block.numbers(Tag.SAMPLE_FORMAT)} or {_UNSIGNED}
    predictor = int(block.number(Tag.PREDICTOR, _NO_PREDICTOR))
    decoder, dtype = _DECODERS.get(strips.compression), _DTYPES.get(strips.bits)
    is_plain = (
        strips.tile is None
        and not (strips.separate and strips.samples > 1)
        and len(bits) == 1
        and kinds == {_UNSIGNED}
        and predictor in (_NO_PREDICTOR, _DIFFERENCES)
        and int(block.number(Tag.FILL_ORDER, _HIGH_BITS_FIRST)) == _HIGH_BITS_FIRST
    )
    if not is_plain or decoder is None or dtype is None:
        return None
    return _Page(strips, dtype, block.order, predictor == _DIFFERENCES, decoder)


def _unpacked(file: BinaryIO, page: _Page) -> NDArray[Any] | None:
    import imagecodecs  # noqa: PLC0415 - slow to import, and other formats do without

    decode: Callable[..., Any] = getattr(imagecodecs, page.decoder)
    strips = page.strips
    out = OF_FRAMES.empty((strips.height, strips.width, strips.samples), page.dtype)
    tops = range(0, strips.height, strips.rows)
    if len(strips.offsets) != len(tops):
        return None
    for top, offset, size in zip(tops, strips.offsets, strips.sizes, strict=True):
        strip = out[top : top + strips.rows]
        file.seek(offset)
        try:
            made = decode(file.read(size), out=strip.reshape(-1).view(np.uint8))
        except (RuntimeError, ValueError):  # what its codecs raise for what is damaged
            return None
        if len(made) != strip.nbytes:
            return None
        if page.order == ">":
            strip.byteswap(inplace=True)
        if page.is_differences:
            imagecodecs.delta_decode(strip, axis=1, out=strip)
    return out[..., 0] if strips.samples == 1 else out
