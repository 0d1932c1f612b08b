"""Levels of a reduced frame by which its brightness is compared: how steep they are, or clipped."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.types import Float, Pixels

#: Darkest and brightest level that is measured, shares of white: clear of clipping and of noise.
_DARK, _BRIGHT = 0.06, 0.94
#: Range within 3 x 3 pixels, share of white, up to which it tells of lines, over which what differs
#: by focus adds up to nothing.
_STEEP = 0.3
#: Shorter side from which a picture is halved first.
_ENOUGH = 300
#: White of cameras whose counts lie in files of 16 bits, shares of the file's range.
_WHITES = tuple((2**bits - 1) / 65535 for bits in (10, 12, 14))

Mask = NDArray[np.bool_]


class FrameLevels:
    """Levels of a reduced frame that is compared with those beside it.

    Attributes:
        is_halved: whether `planes` are half as large as the frame that was given.
        planes: shares of the range that samples have, ``(C, h, w)``.
        white: the share of that range that is the camera's white: 1, or less of 10, 12 or 14 bits.
    """

    def __init__(self, pixels: Pixels, *, has_alpha: bool) -> None:
        """Take a reduced frame ``(h, w[, C])``; `has_alpha`: the last channel is opacity."""
        self.is_halved = min(pixels.shape[:2]) >= _ENOUGH
        small = shrink(pixels, 2) if self.is_halved else pixels
        self.planes = _colour(small, has_alpha=has_alpha)
        self.white = 1.0
        if pixels.dtype == np.uint16 and self.planes.size:
            most = float(self.planes.max())
            self.white = next((one for one in _WHITES if 0 < most <= one), 1.0)
        self._ranges: dict[float, Float] = {}
        self._tells: dict[float, Mask] = {}

    def ranges(self, white: float) -> Float:
        """Return how steep it is, see `range_of`."""
        if white not in self._ranges:
            self._ranges[white] = range_of(self.planes, white)
        return self._ranges[white]

    def tells(self, white: float) -> Mask:
        """Return where it is not clipped, nor steep, ``(h, w)``, by the same levels."""
        if white not in self._tells:
            self._tells[white] = tells(self.planes / np.float32(white))
        return self._tells[white]


def _colour(pixels: Pixels, *, has_alpha: bool) -> Float:
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
    planes = planes[:-1] if has_alpha else planes
    return np.ascontiguousarray(planes, np.float32) / np.float32(white(pixels.dtype))


def range_of(planes: Float, white: float) -> Float:
    """Return the range of 3 x 3 pixels, the channel that has most ``(h, w)``.

    Args:
        planes: levels ``(C, h, w)``.
        white: of which ranges are shares; they are infinite where a level is clipped or dark.
    """
    out = np.zeros(planes.shape[1:], np.float32)
    square = np.ones((3, 3), np.uint8)
    for plane in planes:
        high, low = (of(plane, square) / np.float32(white) for of in (cv2.dilate, cv2.erode))
        inside = (high < _BRIGHT) & (low > _DARK)
        np.maximum(out, np.where(inside, high - low, np.float32(np.inf)), out=out)
    return out


def tells(planes: Float) -> Mask:
    """Return where they are not clipped, nor steep: there the sums of lines tell."""
    inside = np.ones(planes.shape[1:], bool)
    for plane in planes:
        inside &= (plane < _BRIGHT) & (plane > _DARK)
    mean, square = mean_of(planes), np.ones((3, 3), np.uint8)
    steep = cv2.dilate(mean, square) - cv2.erode(mean, square)
    return np.asarray(inside & (steep < _STEEP))


def mean_of(planes: Float) -> Float:
    """Return the mean of all channels ``(h, w)``."""
    total = planes[0].copy()
    for plane in planes[1:]:
        total += plane
    return total / np.float32(len(planes))
