"""Whether the strips or tiles of a TIFF page can hold its pixels.

Decoders fill what is missing with zeros, or read on into what lies behind, in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_UNCOMPRESSED = 1


@dataclass(frozen=True)
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
