"""Whether the strips or tiles of a TIFF page can hold its pixels.

Decoders fill what is missing with zeros, or read on into what lies behind, in silence.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from panfocus.frozen import frozen
from panfocus.io.ifd import Block, Tag

_UNCOMPRESSED, _JPEG, _JPEG_BITS = 1, 7, 8
_SEPARATE = 2
_APP14, _YCCK = 0xEE, b"\2"


@frozen
class Segments:
    """Where a page's pixels are, and what they should be.

    Attributes:
        offsets: of strips or tiles in the file.
        sizes: their bytes.
        height: of the page, pixels.
        width: of the page.
        samples: per pixel.
        bits: per sample.
        separate: whether every sample has strips of its own.
        compression: TIFF's number.
        rows: of a strip; as many as the page has, or more, for one strip.
        tile: (height, width) of a tile; None for strips.
    """

    offsets: Sequence[int]
    sizes: Sequence[int]
    height: int
    width: int
    samples: int
    bits: int
    separate: bool
    compression: int
    rows: int
    tile: tuple[int, int] | None = None

    def trouble(self, file_size: int) -> str | None:
        """Return what is wrong with them, None when they can hold the page."""
        if not self.offsets:
            return "a page without pixels"
        if len(self.sizes) != len(self.offsets):
            return "the table of strips is damaged"
        return self._outside(file_size) or self._short()

    def _outside(self, file_size: int) -> str | None:
        if any(o <= 0 for o in self.offsets) or any(s <= 0 for s in self.sizes):
            return "the table of strips is damaged: one of them is nowhere"
        if any(o + s > file_size for o, s in zip(self.offsets, self.sizes, strict=True)):
            return "the file is cut off: a part of its pixels lies behind its end"
        return None

    def _short(self) -> str | None:
        count = self._count_of_plane() * (self.samples if self.separate else 1)
        if len(self.offsets) < count:
            return f"{len(self.offsets)} strips or tiles in place of {count}"
        if self.compression != _UNCOMPRESSED:
            return None  # their length shows when they are decoded
        for number, size in enumerate(self.sizes[:count]):
            needed = self._bytes(number)
            if size < needed:
                return f"strip or tile {number + 1} has {size} bytes in place of {needed}"
        return None

    def _count_of_plane(self) -> int:
        if self.tile is None:
            return -(-self.height // self.rows)
        return -(-self.height // self.tile[0]) * -(-self.width // self.tile[1])

    def _bytes(self, number: int) -> int:
        """Return the bytes of a strip or tile, uncompressed."""
        samples = 1 if self.separate else self.samples
        height, width = self.tile or (self.rows, self.width)
        if self.tile is None:
            top = number % self._count_of_plane() * self.rows
            height = min(self.rows, self.height - top)
        return height * -(-width * samples * self.bits // 8)


def segments_of(block: Block) -> Segments:
    """Return what a page's directory says."""
    height, width = int(block.number(Tag.HEIGHT)), int(block.number(Tag.WIDTH))
    rows = int(block.number(Tag.ROWS_PER_STRIP, 0))
    tile = (int(block.number(Tag.TILE_HEIGHT, 1)) or 1, int(block.number(Tag.TILE_WIDTH, 1)) or 1)
    return Segments(
        [int(n) for n in block.numbers(Tag.STRIPS) or block.numbers(Tag.TILES)],
        [int(n) for n in block.numbers(Tag.STRIP_SIZES) or block.numbers(Tag.TILE_SIZES)],
        height,
        width,
        int(block.number(Tag.SAMPLES, 1)),
        int(block.number(Tag.BITS, 1)),
        int(block.number(Tag.PLANAR, 1)) == _SEPARATE,
        int(block.number(Tag.COMPRESSION, 1)),
        rows or height,
        tile if block.numbers(Tag.TILES) else None,
    )


def jpeg_trouble(page: Any) -> str | None:  # noqa: ANN401  tifffile has no complete types
    """Return which of a tifffile page's JPEGs is damaged and how; None for none.

    libjpeg only warns of it, and tifffile's decoder drops the warning.
    """
    first = page.keyframe
    if int(first.compression) != _JPEG or first.bitspersample != _JPEG_BITS:
        return None
    from panfocus.io.jpeg_decode import stream_trouble  # noqa: PLC0415 - few TIFFs hold JPEGs

    handle = page.parent.filehandle
    tables: bytes = page.jpegtables or b""
    for number, (offset, size) in enumerate(
        zip(page.dataoffsets, page.databytecounts, strict=True), start=1
    ):
        handle.seek(offset)
        data: bytes = handle.read(size)
        trouble = stream_trouble(tables[:-2] + data[2:] if tables else data)
        if trouble:
            return f"the JPEG in strip or tile {number}: {trouble}"
    return None


def holds_ycck(page: Any) -> bool:  # noqa: ANN401  tifffile has no complete types
    """Whether the JPEGs of a tifffile page say that their inks are coded as YCCK.

    A TIFF's own tags say what its colours are: libtiff reads such inks as they are, libjpeg
    converts them, and nobody can tell which of both pictures was meant.
    """
    if int(page.keyframe.compression) != _JPEG:
        return False
    from panfocus.io.jpeg import JpegError, segments  # noqa: PLC0415 - few TIFFs hold JPEGs

    handle = page.parent.filehandle
    handle.seek(page.dataoffsets[0])
    try:
        found = list(segments(io.BytesIO(handle.read(page.databytecounts[0]))))
    except JpegError:  # told of by the decoder
        return False
    return any(m == _APP14 and p[:5] == b"Adobe" and p[11:12] == _YCCK for m, p in found)
