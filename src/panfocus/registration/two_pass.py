"""Values between pixels by two passes of small matrix products: down the columns, then along rows.

An affine transform with little rotation is a move down every column, followed by one along every
row (Catmull and Smith, "3-D transformations of images in scanline order", SIGGRAPH 1980). Each pass
is a product with a band matrix, the same for all columns, or rows, that lie alike within a 48th of
a pixel; processors multiply dense matrices so fast that the zeros of a small block cost less than
going from place to place. The kernel is the least-squares design for each place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.distinct import distinct
from panfocus.arrays.types import Float
from panfocus.frozen import frozen
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
#: Lines of one product at most: OpenBLAS wakes threads, which wait by spinning, for products of
#: more than 2^18 multiplications.
_WIDE = 72
#: Rows that go through both passes before the next do: they stay in the processor's cache.
_ROWS_AT_ONCE = 4 * _BLOCK
#: By how much of a pixel places of one product may be apart from where it takes them.
_APART = 1 / 48
#: Scales that share weights: the last place of a block is off by a four-thousandth of a pixel.
_ALIKE = 1e-5
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
    taps, places = np.arange(_FIRST, _FIRST + _TAPS, 1.0), np.arange(_FINE) / _FINE
    frequency = (np.arange(48) + 0.5) * _FLAT / 48
    strength = 1 / np.square(frequency + _EVEN)

    def waves(at: NDArray[np.floating]) -> NDArray[np.float64]:
        phase = 2 * np.pi * at[:, None] * frequency
        return np.concatenate((np.cos(phase), np.sin(phase)), axis=1)

    # cos(a - b) = cos a cos b + sin a sin b: of all distances from cosines of few places
    of_taps = waves(taps) * np.tile(strength, 2)
    # a strong pull makes weights sum to one: what is flat stays what it is
    pull = 1e6 * strength.sum()
    among, right = (of_taps @ waves(at).T + pull for at in (taps, places))
    weights = np.asarray(np.linalg.solve(among, right), np.float64).T
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


class _Bands:
    """Weights of a block of places at a scale, made as they are asked for."""

    def __init__(self, scale: float) -> None:
        """Set up; `scale` is the samples from one place to the next."""
        self._scale = scale
        self._steps = scale * np.arange(_BLOCK)
        #: samples that a block is made from
        self.samples = self.needed(_BLOCK)
        # what is not written to takes no memory
        self._made = np.zeros((_PARTS, _BLOCK, self.samples), np.float32)
        self._is_made = np.zeros(_PARTS, bool)

    def needed(self, places: int) -> int:
        """Return how many samples the first so many places of a block are made from."""
        return int(self._scale * (places - 1) + 1) + _TAPS

    def of(self, parts: NDArray[np.intp]) -> Float:
        """Return the weights of blocks that begin at any part of the way between two samples.

        Args:
            parts: that will be asked for.

        Returns:
            ``(_PARTS, _BLOCK, samples)``; those of other parts may be missing.
        """
        known = self._is_made[parts]
        if not known.all():
            self._make(distinct(parts[~known]))
        return self._made

    def _make(self, parts: NDArray[np.intp]) -> None:
        places = np.rint((self._steps + parts[:, None] / _PARTS) * _FINE).astype(np.intp)
        first, place = np.divmod(places, _FINE)
        self._made[parts[:, None, None], _ROWS, first[..., None] + _ORDER] = _kernel()[place]
        self._is_made[parts] = True


_bands = lru_cache(32)(_Bands)


@frozen
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


def _taken(values: Float, rows: _Extent, columns: _Extent) -> Float:
    """Return a part of values ``(H, W, C)``, mirrored at their borders."""
    part = values[rows.inside, columns.inside]
    if max(*rows.around, *columns.around) == 0:
        return part
    around = (*rows.around, *columns.around)
    out = cv2.copyMakeBorder(part, *around, cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.float32).reshape(rows.count, columns.count, values.shape[2])


class _Product(NamedTuple):
    """Strips of lines that lie beside each other and are made from the same samples, by one call.

    Attributes:
        samples: rows, or columns, that they are made from.
        places: rows, or columns, that are made.
        lines: columns, or rows, of the strips.
        strips: how many.
        bands: weights of each strip ``(strips, places, samples)``, or ``(1, ...)`` of all.
    """

    samples: slice
    places: slice
    lines: slice
    strips: int
    bands: Float


class _Pass:
    """Where one pass takes values from: ``scale * place + slant * line + start``.

    Lines are made in strips, within which they take the same places.
    """

    def __init__(self, scale: float, slant: float, start: float) -> None:
        """Set up.

        Args:
            scale: samples from one place to the next.
            slant: samples from one line to the next.
            start: sample of place 0 in line 0.
        """
        self._scale = scale
        self._slant = slant
        self._start = start
        self._bands = _bands(round(scale / _ALIKE) * _ALIKE)
        self._width = int(min(_APART / max(abs(slant), 1e-9), _WIDE))

    def products(self, places: int, first: int, count: int, many: int) -> Iterator[_Product]:
        """Yield how all places of some lines are made.

        Args:
            places: how many.
            first: of the lines.
            count: of lines.
            many: values that lie beside each other in every line.
        """
        width = max(min(self._width, _WIDE // many), 1)
        strips = np.arange(0, count, width)
        middles = first + (strips + np.minimum(strips + width, count) - 1) / 2
        blocks = np.arange(0, places, _BLOCK)
        at = self._scale * blocks[:, None] + (self._slant * middles + self._start)
        whole, part = np.divmod(np.rint(at * _PARTS).astype(np.intp), _PARTS)
        bands = self._bands.of(part)
        # strips of one call are equally wide: the last may not be
        full = {0, count // width, len(strips)}
        # few of each: numbers in arrays are slow to ask for
        lists = (blocks.tolist(), whole.tolist(), part.tolist())
        for block, samples, parts in zip(*lists, strict=True):
            steps = [n for n in range(1, len(samples)) if samples[n] != samples[n - 1]]
            size = min(_BLOCK, places - block)
            needed = self._bands.needed(size)
            for a, b in pairwise(sorted(full.union(steps))):
                low, some = samples[a] + _FIRST, parts[a:b]
                yield _Product(
                    slice(low, low + needed),
                    slice(block, block + size),
                    slice(a * width, min(b * width, count)),
                    b - a,
                    bands[some if len({*some}) > 1 else slice(some[0], some[0] + 1)],
                )


def _down(values: Float, by: _Pass, height: int) -> Float:
    """Return values ``(height, W, C)``, moved down their columns."""
    _, width, channels = values.shape
    out = np.empty((height, width, channels), np.float32)
    for product in by.products(height, 0, width, channels):
        source, into = values[product.samples, product.lines], out[product.places, product.lines]
        count = product.strips
        strips = source.reshape(len(source), count, -1).transpose(1, 0, 2)
        made = into.reshape(len(into), count, -1).transpose(1, 0, 2)
        np.matmul(product.bands[:, : len(into), : len(source)], strips, out=made)
    return out


def _along(rows: Float, by: _Pass, first: int, out: Float) -> None:
    """Make rows ``(h, C, W)`` from others ``(h, C, w)``; `first` is the number of the first."""
    height, channels, width = out.shape
    for product in by.products(width, first, height, channels):
        source = rows[product.lines, :, product.samples]
        into = out[product.lines, :, product.places]
        count, size, needed = product.strips, into.shape[2], source.shape[2]
        strips, made = source.reshape(count, -1, needed), into.reshape(count, -1, size)
        np.matmul(strips, product.bands[:, :size, :needed].transpose(0, 2, 1), out=made)


def take(values: Float, matrix: Matrix, size: tuple[int, int]) -> Float:
    """Return values between pixels.

    Args:
        values: ``(H, W, C)``, finite: a product spreads what is not over its block.
        matrix: from pixels of the result to those of `values`, see `suits`; what lies beyond is
            mirrored.
        size: width and height of the result.

    Returns:
        ``(h, C, w)``, each row channel by channel.
    """
    (a, b, c), (d, e, f) = (matrix / matrix[2, 2])[:2].tolist()
    width, height = size
    slant = d / a
    scale, start = e - slant * b, f - slant * c
    columns = _Extent.of(
        [a * x + b * y + c for x in (0, width) for y in (0, height)], values.shape[1]
    )
    sides = columns.first, columns.first + columns.count
    rows = _Extent.of(
        [scale * y + slant * x + start for x in sides for y in (0, height)], values.shape[0]
    )
    values = _taken(values, rows, columns)
    start += slant * columns.first - rows.first
    along = _Pass(a, b, c - columns.first)
    out = np.empty((height, values.shape[2], width), np.float32)
    for y in range(0, height, _ROWS_AT_ONCE):
        made = out[y : y + _ROWS_AT_ONCE]
        down = _Pass(scale, slant, start + scale * y)
        moved = _down(values, down, len(made))
        _along(np.ascontiguousarray(moved.transpose(0, 2, 1)), along, y, made)
    return out
