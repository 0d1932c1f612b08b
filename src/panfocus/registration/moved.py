"""Pixels of a frame where the reference frame has them, resampled only where they are taken.

Most tiles of a picture take pixels of one or two frames. What decides sees each frame moved as a
reduced copy, or measures it as it was taken; full resampling waits until a tile is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from panfocus.arrays.pixels import luminance, shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Tile
from panfocus.registration.transforms import Crop, Matrix, from_reduced, normalised
from panfocus.registration.warp import Tiles, grid, range_of, warp, window_of

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

    @cached_property
    def taken_grey(self) -> Pixels:
        """Luminance ``(H, W)`` of the frame as it was taken."""
        return luminance(self._pixels)

    @property
    def largest_sample(self) -> float:
        """Largest sample of the frame as it was taken."""
        return self._range[1]

    def forget_grey(self) -> None:
        """Let go of `taken_grey`, which is made anew should it be asked for again."""
        vars(self).pop("taken_grey", None)

    def whole(self) -> Pixels:
        """Return all pixels ``(h, w, 3)``, kept once they are made."""
        return self._whole

    def region(self, tile: Tile) -> Pixels:
        """Return those of a part, no more of them made than it has."""
        made = vars(self).get("_whole")
        return self._made(*tile) if made is None else made[tile]

    def region_quickly(self, tile: Tile) -> Pixels:
        """Return the same, interpolated quickly where 8 bits hide what that loses.

        Whether all pixels are made already, as a preview asks for them, changes nothing.
        """
        if self.dtype != np.uint8:
            return self._made(*tile)
        (rows, cols), matrix = tile, window_of(self._matrix, self._field)
        part = Crop(rows.start, rows.stop, cols.start, cols.stop)
        size = (rows.stop - rows.start, cols.stop - cols.start)
        return _taken(self._pixels, window_of(matrix, part), size, cv2.INTER_LINEAR)

    @cached_property
    def _whole(self) -> Pixels:
        return self._made(slice(0, self._size[0]), slice(0, self._size[1]))

    def _made(self, rows: slice, cols: slice) -> Pixels:
        field = Crop(rows.start, rows.stop, cols.start, cols.stop)
        matrix = window_of(window_of(self._matrix, self._field), field)
        out = np.empty((rows.stop - rows.start, cols.stop - cols.start, 3), self.dtype)
        tiles = Tiles(self._pixels, matrix, out, within=self._range, is_encoded=not self._is_light)
        tiles.make_all(list(grid(*out.shape[:2])))
        return out

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
    def _range(self) -> tuple[float, float]:
        return range_of(self._pixels)

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
