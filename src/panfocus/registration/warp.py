"""Resample a frame once, from its native pixels, into the geometry of the reference frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Pixels
from panfocus.registration.resample import REACH, interpolate
from panfocus.registration.transforms import Crop, Matrix, corner_shift, corners, move, normalised

#: Corner shift in pixels below which resampling would cost more sharpness than it mends, MEASURED.
STILL = 0.1
#: Rows and columns that are resampled at once: what they take stays near the processor's cache.
TILE = (192, 192)
#: Tiles in work at a time, at most: each takes some 5 MB, twice that where it is doubled.
_MOST_AT_ONCE = 4


def window_of(matrix: Matrix, field: Crop) -> Matrix:
    """Return the matrix from pixels of a field of the reference frame to the other frame."""
    start = np.array([[1, 0, field.left], [0, 1, field.top], [0, 0, 1]], np.float64)
    return normalised(matrix @ start)


def whole_shift(matrix: Matrix, height: int, width: int) -> tuple[int, int] | None:
    """Return by how many whole pixels, along (x, y), all of a frame is moved.

    None where some corner is off by `STILL` or more: then it has to be resampled.
    """
    away = np.rint((move(matrix, corners(height, width)) - corners(height, width)).mean(axis=0))
    back = np.array([[1, 0, -away[0]], [0, 1, -away[1]], [0, 0, 1]], np.float64)
    if corner_shift(back @ matrix, height, width) < STILL:
        return int(away[0]), int(away[1])
    return None


def _mirrored(first: int, count: int, length: int) -> NDArray[np.intp]:
    """Return `count` places from `first`, mirrored at the ends of `length` pixels."""
    period = max(2 * length - 2, 1)
    places = np.mod(np.arange(first, first + count), period)
    return np.minimum(places, period - places) if length > 1 else np.zeros(count, np.intp)


def _moved(pixels: Pixels, shift: tuple[int, int], field: Crop) -> Pixels:
    """Return a field ``(h, w[, C])`` of native pixels, moved by whole ones."""
    height, width = pixels.shape[:2]
    left, top = field.left + shift[0], field.top + shift[1]
    right, bottom = field.right + shift[0], field.bottom + shift[1]
    if min(left, top) >= 0 and right <= width and bottom <= height:
        return np.ascontiguousarray(pixels[top:bottom, left:right])
    rows = _mirrored(top, bottom - top, height)
    return pixels[rows[:, None], _mirrored(left, right - left, width)]


def _span(places: NDArray[np.float64], length: int) -> slice:
    """Return which of `length` rows or columns a tile with corners at `places` is made from."""
    first, last = int(np.floor(places.min())) - REACH, int(np.ceil(places.max())) + REACH
    end = length - 1
    # what lies outside is mirrored at the frame's border, not at the tile's
    first, last = min(first, 2 * end - last), max(last, -first)
    return slice(min(max(first, 0), end), min(max(last, 0), end) + 1)


class Tiles:
    """Makes a field of the reference frame as another frame shows it, tile by tile.

    The grid of tiles is fixed: a part is the same however much of the field is made.
    """

    def __init__(
        self,
        pixels: Pixels,
        matrix: Matrix,
        out: Pixels,
        *,
        within: tuple[float, float],
        is_encoded: bool,
    ) -> None:
        """Set up.

        Args:
            pixels: ``(H, W[, C])`` of the other frame, up to 4 channels.
            matrix: from pixels of the field to those of the other frame.
            out: ``(h, w[, C])``, filled by `make`.
            within: least and greatest value that is made, as `range_of` tells of all `pixels`.
            is_encoded: whether values stand for light as a display shows it.
        """
        self._pixels = pixels
        self._matrix = matrix
        self._out = out
        self._is_encoded = is_encoded
        self._within = within

    def make(self, tile: Crop) -> None:
        """Fill a tile of `grid`."""
        whole = window_of(self._matrix, tile)
        size = (tile.right - tile.left, tile.bottom - tile.top)
        x, y = move(whole, corners(*size[::-1])).T
        rows, cols = _span(y, self._pixels.shape[0]), _span(x, self._pixels.shape[1])
        lift = np.array([[1, 0, -cols.start], [0, 1, -rows.start], [0, 0, 1]], np.float64)
        source = np.ascontiguousarray(self._pixels[rows, cols])
        made = interpolate(source, normalised(lift @ whole), size, is_encoded=self._is_encoded)
        part = self._out[tile.top : tile.bottom, tile.left : tile.right]
        # what rings beyond black or white, or the brightest there is, is no light
        if self._within != _possible(made.dtype):
            made = np.clip(made, *self._within)
        part[...] = made.reshape(part.shape)

    def make_all(self, tiles: Sequence[Crop]) -> None:
        """Fill some of them, at once where OpenCV may take more than one thread."""
        if len(tiles) == 1:
            self.make(tiles[0])
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import

        with ThreadPoolExecutor(max(min(cv2.getNumThreads(), _MOST_AT_ONCE), 1)) as pool:
            for _ in pool.map(self.make, tiles):
                pass


def range_of(pixels: Pixels) -> tuple[float, float]:
    """Return the least and greatest value of a frame ``(H, W[, C])`` that is a number."""
    return float(np.nanmin(pixels)), float(np.nanmax(pixels))


def _possible(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the least and greatest value that a number of some kind can have."""
    return (0.0, white(dtype)) if dtype.kind == "u" else (-np.inf, np.inf)


def grid(height: int, width: int) -> Iterator[Crop]:
    """Yield the tiles of a field, row by row."""
    for top in range(0, height, TILE[0]):
        for left in range(0, width, TILE[1]):
            bottom, right = min(top + TILE[0], height), min(left + TILE[1], width)
            yield Crop(top, bottom, left, right)


def _planes(channels: int, *, is_light: bool) -> Iterator[tuple[slice, bool]]:
    """Yield which channels are resampled at once, and whether they are encoded for a display.

    Three are colour, a fourth its opacity; any other number is taken for light, as microscopes
    measure it.
    """
    first = 3 if channels in (3, 4) else 0
    if first:
        yield slice(0, 3), not is_light
    for c in range(first, channels):
        yield slice(c, c + 1), False


def warp(pixels: Pixels, matrix: Matrix, field: Crop, *, is_light: bool = False) -> Pixels:
    """Return a field of the reference frame as another frame shows it.

    Args:
        pixels: ``(H, W[, C])`` of the other frame; uint8, uint16 or float32.
        matrix: from the reference frame to the other, pixels.
        field: what to make; what the frame does not show is mirrored at its border.
        is_light: whether colour, too, is stored in proportion to light.

    Returns:
        ``(h, w[, C])``, same dtype. Where no corner is further than `STILL` from where a move by
        whole pixels puts it, native pixels.
    """
    shift = whole_shift(matrix, *pixels.shape[:2])
    if shift is not None:
        return _moved(pixels, shift, field)
    shape = (field.bottom - field.top, field.right - field.left)
    out = np.empty((*shape, *pixels.shape[2:]), pixels.dtype)
    source, target = (p[..., None] if p.ndim == 2 else p for p in (pixels, out))
    whole = window_of(matrix, field)
    for planes, is_encoded in _planes(source.shape[-1], is_light=is_light):
        part = source[..., planes]
        within = range_of(part)
        made = Tiles(part, whole, target[..., planes], within=within, is_encoded=is_encoded)
        made.make_all(list(grid(*shape)))
    return out


def _corners_of(field: Crop) -> NDArray[np.float64]:
    return corners(field.bottom - field.top, field.right - field.left)


def cover(matrix: Matrix, field: Crop, height: int, width: int) -> NDArray[np.uint8] | None:
    """Return where a frame has pixels of a field of the reference frame.

    Args:
        matrix: from the reference frame to the other, pixels.
        field: of the reference frame.
        height: of the other frame.
        width: of the other frame.

    Returns:
        ``(h, w)`` uint8, 255 where it has and 0 where not; None when it has all.
    """
    if corner_shift(matrix, height, width) < STILL:
        return None
    places = move(window_of(matrix, field), _corners_of(field))
    if (places > -0.49).all() and (places < np.array([width, height]) - 0.51).all():
        return None
    size = (field.right - field.left, field.bottom - field.top)
    white = np.full((height, width), 255, np.uint8)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    out = cv2.warpPerspective(white, window_of(matrix, field), size, flags=flags)
    return None if out.min() == 255 else np.asarray(out, np.uint8)
