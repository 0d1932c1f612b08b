"""Values between pixels by two passes of small matrix products: down the columns, then along rows.

An affine transform with little rotation is a move down every column, followed by one along every
row (Catmull and Smith, "3-D transformations of images in scanline order", SIGGRAPH 1980). Each pass
is a product with a band matrix, the same for all columns, or rows, that lie alike within a 48th of
a pixel; processors multiply dense matrices so fast that the zeros of a small block cost less than
going from place to place. The kernel is the least-squares design for each place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.registration.transforms import Matrix

#: Samples that a place depends on, the first of them counted from the one to its left.
_TAPS = 18
_FIRST = 1 - _TAPS // 2
#: Pixels around a place that are looked at, one of them for rounding.
REACH = _TAPS // 2 + 2
#: Cycles per pixel up to which waves are moved as they are; a wave of frequency f counts by
#: 1 / (f + `_EVEN`), about as photographs have it.
_FLAT, _EVEN = 0.45, 0.03
#: Places between two samples that are told apart.
_PARTS = 128
#: Places between two samples that the kernel is worked out for.
_FINE = 512
#: Rows, or columns, of one product: above, zeros cost more; below, calls.
_BLOCK = 48
_ROWS, _ORDER = np.ogrid[:_BLOCK, :_TAPS]
#: Numbers that a product takes at most along its free side: OpenBLAS wakes threads, which wait by
#: spinning, for products of more than 2^18 multiplications.
_WIDE = 72
#: By how much of a pixel places of one product may be apart from where it takes them.
_APART = 1 / 48
#: Lines of one product without which going from place to place is as fast.
_FEWEST = 4
#: Scales beyond which a block's matrix would hold too much for `_WIDE`.
_SCALES = (0.8, 1.2)


def suits(matrix: Matrix) -> bool:
    """Whether a transform can be made in two passes, and faster so."""
    if np.abs(matrix[2, :2]).max() != 0:
        return False
    along, down = matrix[0] / matrix[2, 2], matrix[1] / matrix[2, 2]
    if not _SCALES[0] <= along[0] <= _SCALES[1]:
        return False
    turned = max(abs(along[1]), abs(down[0] / along[0]))
    scale = down[1] - down[0] * along[1] / along[0]
    return turned * _FEWEST <= _APART and _SCALES[0] <= scale <= _SCALES[1]


@lru_cache(1)
def _kernel() -> Float:
    """Return the weights ``(_FINE, _TAPS)`` of the samples around every place between two.

    They come closest, in the mean of squares, to moving every wave up to `_FLAT` and doing nothing
    else.
    """
    taps = np.arange(_TAPS) + _FIRST
    places = np.arange(_FINE) / _FINE
    frequency = (np.arange(48) + 0.5) * _FLAT / 48
    strength = 1 / np.square(frequency + _EVEN)

    def likeness(apart: NDArray[np.float64]) -> NDArray[np.float64]:
        waves = np.cos(2 * np.pi * apart[..., None] * frequency)
        return np.asarray(waves @ strength, np.float64)

    # a strong pull makes weights sum to one: what is flat stays what it is
    pull = 1e6 * strength.sum()
    among = likeness(np.subtract.outer(taps, taps)) + pull
    right = likeness(np.subtract.outer(taps, places)) + pull
    weights = np.asarray(np.linalg.solve(among, right), np.float64).T
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


class _Bands:
    """Weights of a block of places at a scale, made as they are asked for."""

    def __init__(self, scale: float) -> None:
        self._steps = scale * np.arange(_BLOCK)
        self._kernel = _kernel()
        self._made: dict[int, tuple[Float, Float]] = {}
        #: samples that a block is made from
        self.samples = int(self._steps[-1] + 1) + _TAPS

    def at(self, part: int) -> tuple[Float, Float]:
        """Return the weights of a block that begins at a part of the way between two samples.

        Returns:
            ``(_BLOCK, S)``, and turned over in memory too, as products are fastest.
        """
        if part not in self._made:
            places = np.rint((self._steps + part / _PARTS) * _FINE).astype(np.intp)
            first, place = np.divmod(places, _FINE)
            out = np.zeros((_BLOCK, self.samples), np.float32)
            out[_ROWS, first[:, None] + _ORDER] = self._kernel[place]
            self._made[part] = out, np.ascontiguousarray(out.T)
        return self._made[part]


@lru_cache(16)
def _bands(scale: float) -> _Bands:
    return _Bands(scale)


@dataclass(frozen=True)
class _Extent:
    """Which samples along one axis are needed.

    Attributes:
        first: of them; below 0 where some are mirrored.
        count: how many.
        inside: those that there are.
        around: how many are mirrored, before and after.
    """

    first: int
    count: int
    inside: slice
    around: tuple[int, int]

    @classmethod
    def of(cls, places: Sequence[float], length: int) -> _Extent:
        """Return what places between the outermost of some are made from, of `length` samples."""
        first, last = floor(min(places)) - REACH, ceil(max(places)) + REACH + 1
        if first >= 0 and last <= length:
            return cls(first, last - first, slice(first, last), (0, 0))
        # what is mirrored may be any of them
        before, after = max(-first, 0), max(last - length, 0)
        return cls(-before, before + length + after, slice(0, length), (before, after))


def _taken(planes: Float, rows: _Extent, columns: _Extent) -> Float:
    """Return a part of planes, mirrored at their borders."""
    part = planes[:, rows.inside, columns.inside]
    if max(*rows.around, *columns.around) == 0:
        return part
    out = np.empty((len(planes), rows.count, columns.count), np.float32)
    for plane, into in zip(part, out, strict=True):
        around = (*rows.around, *columns.around)
        cv2.copyMakeBorder(plane, *around, cv2.BORDER_REFLECT_101, dst=into)
    return out


class _Pass:
    """Where one pass takes values from: ``scale * place + slant * line + start``."""

    def __init__(self, scale: float, slant: float, start: float) -> None:
        self._scale = scale
        self._slant = slant
        self._start = start
        self.bands = _bands(round(scale, 7))

    def together(self, count: int, most: int) -> list[slice]:
        """Return which of `count` lines are made by one product."""
        step = min(int(_APART / max(abs(self._slant), 1e-9)), most)
        return [slice(n, min(n + step, count)) for n in range(0, count, step)]

    def starts(self, count: int, lines: list[slice], first: int = 0) -> list[list[tuple[int, int]]]:
        """Return for every block and part of the lines the first sample, and which band it takes.

        Args:
            count: places, of which each `_BLOCK` are a block.
            lines: parts of them.
            first: of the lines.
        """
        blocks = self._scale * np.arange(0, count, _BLOCK) + self._start
        middles = first + np.array([(part.start + part.stop - 1) / 2 for part in lines])
        at = np.rint((blocks[:, None] + self._slant * middles) * _PARTS).astype(np.intp)
        whole, part = np.divmod(at, _PARTS)
        pairs = np.stack([whole + _FIRST, part], axis=-1)
        return pairs.tolist()


def take(planes: Float, matrix: Matrix, size: tuple[int, int]) -> Float:
    """Return values between pixels.

    Args:
        planes: ``(C, H, W)``, finite: a product spreads what is not over its block.
        matrix: from pixels of the result to those of `planes`, see `suits`; what lies beyond is
            mirrored.
        size: width and height of the result.

    Returns:
        ``(C, h, w)``.
    """
    (a, b, c), (d, e, f) = (matrix / matrix[2, 2])[:2].tolist()
    width, height = (-(-side // _BLOCK) * _BLOCK for side in size)
    slant = d / a
    scale, start = e - slant * b, f - slant * c
    columns = _Extent.of(
        [a * x + b * y + c for x in (0, width) for y in (0, height)], planes.shape[2]
    )
    sides = columns.first, columns.first + columns.count
    rows = _Extent.of(
        [scale * y + slant * x + start for x in sides for y in (0, height)], planes.shape[1]
    )
    planes = _taken(planes, rows, columns)
    along = _Pass(a, b, c - columns.first)
    down = _Pass(scale, slant, start + slant * columns.first - rows.first)
    moved = np.empty((len(planes), _BLOCK, planes.shape[2]), np.float32)
    out = np.empty((len(planes), height, width), np.float32)
    strips = down.together(planes.shape[2], _WIDE)
    bands = along.together(_BLOCK, _BLOCK)
    for y, starts in zip(range(0, height, _BLOCK), down.starts(height, strips), strict=True):
        for part, (start, band) in zip(strips, starts, strict=True):
            source = planes[:, start : start + down.bands.samples, part]
            np.matmul(down.bands.at(band)[0], source, out=moved[..., part])
        made = out[:, y : y + _BLOCK]
        across = along.starts(width, bands, y)
        for x, firsts in zip(range(0, width, _BLOCK), across, strict=True):
            for part, (start, band) in zip(bands, firsts, strict=True):
                source = moved[:, part, start : start + along.bands.samples]
                np.matmul(source, along.bands.at(band)[1], out=made[:, part, x : x + _BLOCK])
    return out[:, : size[1], : size[0]]
