"""What of a frame is compared: detail freed of brightness, contrast and the finest blur.

Focus changes how strong detail is, not where it is. So luminance is smoothed a little, its local
mean is taken off and it is divided by its local contrast; where there is hardly any contrast, it
counts little.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from panfocus.arrays.likeness import Thumbnail
from panfocus.arrays.noise import noise_variance
from panfocus.arrays.pixels import shrink, without_negatives
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen

#: Pixels at which the finest comparison is made.
WORKING_PIXELS = 400_000
#: By how much a picture may be shrunk: mostly what a JPEG decoder can shrink by while it decodes.
_FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
#: Smallest side of the coarsest level.
COARSEST_SIDE = 40
#: Contrast (share of the picture's range) at which detail counts half.
FLOOR = 0.01
#: Standard deviation of what smooths luminance a little, and the share of noise that it leaves.
_SMOOTHED = 1.0
_KEPT_NOISE = 1 / (4 * np.pi * _SMOOTHED**2)
#: Side of the square over which mean and contrast are taken.
WINDOW = 17
#: Smallest side of the level that a thumbnail is made of.
_THUMB = 96
#: Shorter side below which a picture of full scale is enlarged, and by how much at most: patches
#: of it would be too few, and blur changes within one.
_TINY, _MOST_ENLARGED = 256, 4
#: Side of the cells of which each gives its strongest point.
CELL = 3


@frozen
class Level:
    """One scale of a frame.

    Attributes:
        factor: pixels of full scale per pixel of this level; less than 1 where it is enlarged.
        smooth: ``(h, w)`` float32, the luminance that detail is made of, a little smoothed.
    """

    factor: float
    smooth: Float

    @cached_property
    def planes(self) -> Float:
        """Normalised detail, its derivatives along x and y, and how much it counts in [0, 1].

        ``(h, w, 4)`` float32; derivatives per pixel of this level.
        """
        return _planes(self.smooth)

    @cached_property
    def points(self) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
        """The strongest pixel of every cell, ``(K, 2)`` int, (x, y)."""
        return _strongest(self.planes)


@frozen
class Detail:
    """A frame as the estimate sees it.

    Attributes:
        height: of the frame, full scale.
        width: of the frame.
        levels: fine to coarse.
        noise: variance of noise in the finest level's `smooth`.
    """

    height: int
    width: int
    levels: tuple[Level, ...]
    noise: float = 0.0

    @property
    def is_enlarged(self) -> bool:
        """Whether it is so small that it was enlarged to be compared."""
        return self.levels[0].factor < 1

    @property
    def pixel(self) -> float:
        """Pixels of full scale of which small movements are judged: no less than one."""
        return max(float(self.levels[0].factor), 1.0)

    @cached_property
    def thumbnail(self) -> Thumbnail:
        """What tells whether it is of the same scene as another."""
        level = next(
            (one for one in self.levels[::-1] if min(one.smooth.shape) >= _THUMB), self.levels[0]
        )
        return Thumbnail.of(level.smooth)

    def shows(self, fewest: int) -> bool:
        """Whether so many points of a level show detail; the finest is only looked at last."""
        return any(len(level.points) >= fewest for level in (*self.levels[1:2], self.levels[0]))


def reduction(height: int, width: int) -> int:
    """Return by how much a picture is shrunk for the finest comparison."""
    fits = [f for f in _FACTORS if height * width <= WORKING_PIXELS * f * f]
    large = [f for f in _FACTORS if min(height, width) // f >= COARSEST_SIDE] or [1]
    return min(fits[0] if fits else _FACTORS[-1], large[-1])


def enlargement(height: int, width: int) -> int:
    """Return by how much a picture of full scale is enlarged before it is compared: 1, 2 or 4."""
    grown = 1
    while (
        grown < _MOST_ENLARGED
        and min(height, width) * grown < _TINY
        and height * width * (2 * grown) ** 2 <= WORKING_PIXELS
    ):
        grown *= 2
    return grown


def _enlarged(image: Float, by: int) -> Float:
    if by == 1:
        return image
    size = (image.shape[1] * by, image.shape[0] * by)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.float32)


def in_range(grey: Pixels) -> Float:
    """Return luminance ``(h, w)`` as float32, its darkest to brightest permille 0 to 1.

    Frames that use a small part of their range, as many 16-bit ones do, become like any other.
    """
    grey = np.nan_to_num(grey) if grey.dtype == np.float32 else grey
    sample = grey[::3, ::3]
    low, high = ends(sample, 0.001)
    span = (high - low) or 1.0
    return np.asarray((grey.astype(np.float32) - np.float32(low)) / np.float32(span), np.float32)


def _planes(smooth: Float) -> Float:
    mean = cv2.blur(smooth, (WINDOW, WINDOW))
    power = cv2.blur(smooth * smooth, (WINDOW, WINDOW))
    variance = without_negatives(np.asarray(power - mean * mean, np.float32))
    variance += np.float32(FLOOR**2)
    value = (smooth - mean) / np.sqrt(variance)
    along_x = cv2.Scharr(value, cv2.CV_32F, 1, 0, scale=1 / 32)
    along_y = cv2.Scharr(value, cv2.CV_32F, 0, 1, scale=1 / 32)
    return np.asarray(cv2.merge([value, along_x, along_y, 1 - FLOOR**2 / variance]), np.float32)


def _strongest(planes: Float) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Return the pixel of every cell where detail changes most, (x, y)."""
    strength = (planes[..., 1] ** 2 + planes[..., 2] ** 2) * planes[..., 3]
    rows, cols = strength.shape[0] // CELL, strength.shape[1] // CELL
    cells = strength[: rows * CELL, : cols * CELL].reshape(rows, CELL, cols, CELL)
    flat = cells.transpose(0, 2, 1, 3).reshape(rows, cols, CELL * CELL)
    best = flat.argmax(axis=2)
    y, x = np.mgrid[:rows, :cols] * CELL + np.stack(np.divmod(best, CELL))
    useful = np.take_along_axis(flat, best[..., None], 2)[..., 0] > 1e-4
    return np.column_stack([x[useful], y[useful]]).astype(np.int32)


def make_detail(grey: Pixels, factor: int, height: int, width: int) -> Detail:
    """Return what of a frame is compared.

    Args:
        grey: ``(h, w)`` luminance, already shrunk by `factor` in whole blocks.
        factor: by which it was shrunk.
        height: of the frame, full scale.
        width: of the frame.
    """
    image = in_range(grey)
    grown = enlargement(*image.shape) if factor == 1 else 1
    noise = noise_variance(image) * _KEPT_NOISE * grown**2
    image = _enlarged(image, grown)
    levels: list[Level] = []
    scale = factor / grown if grown > 1 else factor
    while True:
        smooth = np.asarray(cv2.GaussianBlur(image, (0, 0), _SMOOTHED), np.float32)
        levels.append(Level(scale, smooth))
        if min(image.shape) < 2 * COARSEST_SIDE:
            return Detail(height, width, tuple(levels), noise)
        image, scale = shrink(image, 2), scale * 2
