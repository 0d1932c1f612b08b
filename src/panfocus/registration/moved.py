"""Pixels of a frame where the reference frame has them, resampled only where they are taken.

Most tiles of a picture take pixels of one or two frames. What decides sees each frame moved as a
reduced copy, or measures it as it was taken; full resampling waits until a tile is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from panfocus.arrays.pixels import luminance, shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Tile
from panfocus.registration.transforms import Crop, Matrix, from_reduced, normalised
from panfocus.registration.warp import TILE, Tiles, warp, window_of

#: Side of the cells of which pixels are made.
_CELL = 48
#: Cells along a side that are made at once, at most.
_CELLS = TILE[0] // _CELL
#: Longer side up to which luminance is interpolated with care: it is looked at pixel by pixel.
_SMALL = 1536


class MovedPixels:
    """Opaque colour of a frame, see `panfocus.frame.UnmadePixels`."""

    def __init__(self, pixels: Pixels, matrix: Matrix, field: Crop, *, is_light: bool) -> None:
        """Set up.

        Args:
            pixels: ``(H, W, 3)`` of the frame as it was taken.
            matrix: from the reference frame to it, pixels; moves it by other than whole ones.
            field: of the reference frame, to be made.
            is_light: whether colour is stored in proportion to light.
        """
        self._pixels = pixels
        self._matrix = matrix
        self._field = field
        self._is_light = is_light
        self._size = (field.bottom - field.top, field.right - field.left)
        self.shape: tuple[int, ...] = (*self._size, 3)
        self.dtype: np.dtype[Any] = pixels.dtype
        self._out = np.empty(self.shape, pixels.dtype)
        self._is_made = np.zeros([-(-side // _CELL) for side in self._size], bool)

    @cached_property
    def taken_grey(self) -> Pixels:
        """Luminance ``(H, W)`` of the frame as it was taken."""
        return luminance(self._pixels)

    def forget_grey(self) -> None:
        """Let go of `taken_grey`, which is made anew should it be asked for again."""
        vars(self).pop("taken_grey", None)

    def whole(self) -> Pixels:
        """Return all pixels ``(h, w, 3)``."""
        self._make((slice(0, self._size[0]), slice(0, self._size[1])))
        return self._out

    def region(self, tile: Tile) -> Pixels:
        """Return those of a part."""
        self._make(tile)
        return self._out[tile]

    def _make(self, part: Tile) -> None:
        """Make what is missing of a part: the cells around it, no more at a time than a tile."""
        rows, cols = (range(s.start // _CELL, -(-s.stop // _CELL)) for s in part)
        missing = [
            crop
            for top in range(rows.start, rows.stop, _CELLS)
            for left in range(cols.start, cols.stop, _CELLS)
            for crop in self._missing(
                slice(top, min(top + _CELLS, rows.stop)),
                slice(left, min(left + _CELLS, cols.stop)),
            )
        ]
        if len(missing) > 1:
            self._tiles.make_all(missing)
        elif missing:
            self._tiles.make(missing[0])

    def _missing(self, rows: slice, cols: slice) -> Iterator[Crop]:
        """Yield the part around what is missing of some cells, if any is; it counts as made."""
        missing = ~self._is_made[rows, cols]
        at = np.flatnonzero(missing.any(axis=1)), np.flatnonzero(missing.any(axis=0))
        if len(at[0]) == 0:
            return
        spans = [(s.start + int(n[0]), s.start + int(n[-1]) + 1) for s, n in zip((rows, cols), at)]
        (top, bottom), (left, right) = spans
        self._is_made[top:bottom, left:right] = True
        height, width = self._size
        yield Crop(
            top * _CELL, min(bottom * _CELL, height), left * _CELL, min(right * _CELL, width)
        )

    def grey(self) -> Pixels:
        """Return luminance ``(h, w)``, interpolated quickly."""
        way = cv2.INTER_CUBIC if max(self._size) <= _SMALL else cv2.INTER_LINEAR
        return _taken(self.taken_grey, window_of(self._matrix, self._field), self._size, way)

    def colour(self, factor: int) -> Pixels:
        """Return the pixels, averaged over blocks before they are moved."""
        matrix, (height, width) = self._reduced(factor)
        field = Crop(0, height, 0, width)
        return warp(shrink(self._pixels, factor), matrix, field, is_light=self._is_light)

    def measured(self, measure: Callable[[Pixels], Float], factor: int) -> Float:
        """Return what is measured on the frame as it was taken, moved."""
        matrix, size = self._reduced(factor)
        moved = _taken(measure(self.taken_grey), matrix, size, cv2.INTER_LINEAR)
        return np.asarray(moved, np.float32)

    @cached_property
    def _tiles(self) -> Tiles:
        matrix = window_of(self._matrix, self._field)
        return Tiles(self._pixels, matrix, self._out, is_encoded=not self._is_light)

    def _reduced(self, factor: int) -> tuple[Matrix, tuple[int, int]]:
        """Return the matrix between pixels of reduced copies, and the size of the field's."""
        grow = from_reduced(factor)
        matrix = np.linalg.inv(grow) @ window_of(self._matrix, self._field) @ grow
        return normalised(matrix), (self._size[0] // factor, self._size[1] // factor)


def _taken(plane: Pixels, matrix: Matrix, size: tuple[int, int], way: int) -> Pixels:
    """Return a plane at other places; what lies beyond it is mirrored."""
    flags = way | cv2.WARP_INVERSE_MAP
    if np.abs(matrix[2, :2]).max() == 0:
        out = cv2.warpAffine(
            plane,
            matrix[:2] / matrix[2, 2],
            size[::-1],
            flags=flags,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    else:
        out = cv2.warpPerspective(
            plane, matrix, size[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
    return np.asarray(out, plane.dtype)
