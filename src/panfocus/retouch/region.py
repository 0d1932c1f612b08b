"""A rectangle of a picture at some scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: A rectangle in pixels of full scale: left, top, right, bottom.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Region:
    """A rectangle of a picture that is shrunk by `scale`.

    Attributes:
        left: first column, in pixels of the shrunk picture.
        top: first row.
        width: columns.
        height: rows.
        scale: pixels of full scale that a pixel is wide; 1 for the picture itself.
    """

    left: int
    top: int
    width: int
    height: int
    scale: float = 1.0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns within the whole picture at this scale."""
        rows = slice(self.top, self.top + self.height)
        return rows, slice(self.left, self.left + self.width)

    @property
    def box(self) -> Box:
        """Its edges in pixels of full scale."""
        right, bottom = self.left + self.width, self.top + self.height
        left, top, right, bottom = (
            self.scale * edge - 0.5 for edge in (self.left, self.top, right, bottom)
        )
        return left, top, right, bottom

    def columns(self) -> NDArray[np.float64]:
        """Return the centres of its columns ``(width,)`` in pixels of full scale."""
        return self._centres(self.left, self.right)

    def rows(self) -> NDArray[np.float64]:
        """Return the centres of its rows ``(height,)`` in pixels of full scale."""
        return self._centres(self.top, self.bottom)

    def _centres(self, first: int, end: int) -> NDArray[np.float64]:
        return self.scale * (np.arange(first, end, dtype=np.float64) + 0.5) - 0.5

    def within(self, box: Box) -> Region | None:
        """Return the part of it that a box of full scale touches; None where there is none."""
        left, top, right, bottom = (_edge(edge, self.scale) for edge in box)
        first, last = max(math.floor(left), self.left), min(math.ceil(right), self.right)
        above, below = max(math.floor(top), self.top), min(math.ceil(bottom), self.bottom)
        if first >= last or above >= below:
            return None
        return Region(first, above, last - first, below - above, self.scale)

    @property
    def right(self) -> int:
        """The column behind its last."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The row below its last."""
        return self.top + self.height

    def slices_in(self, whole: Region) -> tuple[slice, slice]:
        """Return its rows and columns within a region that holds it, of the same scale."""
        top, left = self.top - whole.top, self.left - whole.left
        return slice(top, top + self.height), slice(left, left + self.width)


def _edge(place: float, scale: float) -> float:
    """Return a place of full scale as an edge between pixels of the shrunk picture."""
    return (place + 0.5) / scale
