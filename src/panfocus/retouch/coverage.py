"""How far a stroke covers each pixel, from distances: the same at every scale and in any region.

Across its line, a stroke covers P(d) = 1 - 3 t^2 + 2 t^3 with t = (d - core) / (radius - core) cut
to [0, 1]. A pixel takes the mean of P over its width s, which is exact for a straight line:
(G(d + s/2) - G(d - s/2)) / s, with G the integral of P from 0, odd in d. So a hard edge is smooth
by a pixel, and a preview agrees with the shrunk picture.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import Stroke

_Array = NDArray[np.float64]

#: Side of the blocks that a stroke is worked out in, and of the tiles within, in pixels.
_BLOCK, _TILE = 256, 64
#: Distances of a segment to a pixel that are worked out at once.
_AT_ONCE = 1 << 16
#: The same for a block, at most: a line with more segments there is drawn, and distances are those
#: to its pixels, a quarter of the block's wide. Nobody paints such a line by hand.
_MOST = 1 << 22
#: Side of the picture that such a line is drawn into, at most.
_DRAWN = 2048
#: Samples along a pixel's side, at most, where it is wide against the stroke.
_MOST_SAMPLES = 4
#: Bits behind the point of places in a drawing, and the farthest that fit its numbers, pixels.
_BITS, _CUT = 4, 1e8


def coverage(stroke: Stroke, region: Region) -> Float:
    """Return how far a stroke covers the pixels of a region, opacity left out.

    Args:
        stroke: of any kind.
        region: of the picture, at any scale.

    Returns:
        ``(height, width)`` float32 in [0, 1]; exactly 1 in the core and exactly 0 outside.
    """
    if stroke.kind == "rectangle":
        return _rectangle(stroke, region)
    out = np.zeros((region.height, region.width), np.float32)
    part = stroke.touched(region)
    if part is not None:
        out[part.slices_in(region)] = _brush(stroke, part)
    return out


def _integral(distance: _Array, core: float, radius: float) -> _Array:
    """Return G: the integral of P from 0 to a distance of any sign."""
    away = np.abs(distance)
    soft = radius - core
    t = np.clip((away - core) / soft, 0, 1) if soft > 0 else np.zeros_like(away)
    return np.copysign(np.minimum(away, core) + soft * t * (1 - t * t * (1 - t / 2)), distance)


def _mean(distance: _Array, width: float, core: float, radius: float) -> _Array:
    """Return the mean of P over a width around distances; exactly 0 and 1 where it is that."""
    ahead = _integral(distance + width / 2, core, radius)
    behind = _integral(distance - width / 2, core, radius)
    out = np.clip((ahead - behind) / width, 0, 1)
    away = np.abs(distance)
    out[away + width / 2 <= core] = 1
    out[away - width / 2 >= radius] = 0
    return out


def _rectangle(stroke: Stroke, region: Region) -> Float:
    """Return the product of what it covers across and down."""
    sides: list[_Array] = []
    for axis, places in enumerate((region.columns(), region.rows())):
        low, high = sorted(point[axis] for point in stroke.points)
        half = (high - low) / 2
        core = half - min(stroke.radius, half) * (1 - stroke.hardness)
        sides.append(_mean(places - (low + high) / 2, region.scale, core, half))
    return np.outer(sides[1], sides[0]).astype(np.float32)


def _brush(stroke: Stroke, region: Region) -> Float:
    # where a pixel is wide against the stroke or its soft edge, its middle does not speak for it
    least = 2 if stroke.radius * (1 - stroke.hardness) < region.scale > 1 else 1
    samples = min(max(math.ceil(2 * region.scale / stroke.radius), least), _MOST_SAMPLES)
    fine = Region(
        region.left * samples,
        region.top * samples,
        region.width * samples,
        region.height * samples,
        region.scale / samples,
    )
    out = np.empty((fine.height, fine.width), np.float32)
    side = _BLOCK * samples
    for top in range(0, fine.height, side):
        for left in range(0, fine.width, side):
            high, wide = min(side, fine.height - top), min(side, fine.width - left)
            block = Region(fine.left + left, fine.top + top, wide, high, fine.scale)
            out[top : top + high, left : left + wide] = _block(stroke, block, 4 // samples)
    if samples == 1:
        return out
    blocks = out.reshape(region.height, samples, region.width, samples)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _block(stroke: Stroke, block: Region, drawn: int) -> Float:
    """Return how far a brush covers a block; `drawn` pixels to one of it if it has to be drawn."""
    core, reach = stroke.hardness * stroke.radius, stroke.radius + block.scale
    ends = _near(stroke.segments, block, reach)
    out = np.zeros((block.height, block.width), np.float32)
    if len(ends) == 0:
        return out
    try:
        field = _Field(ends, reach, core - block.scale / 2)
        distances = field.distances(block)
    except _TooManyError:
        distances = [(np.s_[:, :], _distance_drawn(ends, block, reach, drawn))]
    for part, distance in distances:
        if distance.min() < stroke.radius + block.scale / 2:
            out[part] = _mean(distance, block.scale, core, stroke.radius)
    return out


def _near(ends: _Array, block: Region, reach: float) -> _Array:
    """Return the segments whose boxes come as near to a block as the stroke reaches."""
    left, top, right, bottom = block.box
    x, y = np.sort(ends[:, 0::2], axis=1), np.sort(ends[:, 1::2], axis=1)
    beside = (x[:, 1] < left - reach) | (x[:, 0] > right + reach)
    return ends[~(beside | (y[:, 1] < top - reach) | (y[:, 0] > bottom + reach))]


class _TooManyError(Exception):
    """A line has more segments in a block than are asked one by one."""


class _Field:
    """Distances of a block's pixels to the nearest segment of a line.

    Args:
        ends: of the segments ``(M, 4)``.
        reach: distances beyond it may be told as any beyond it.
        inside: distances within it may be told as any within it.
    """

    def __init__(self, ends: _Array, reach: float, inside: float) -> None:
        self._ends = ends
        self._reach = reach
        self._inside = inside
        self._left = _MOST

    def distances(self, block: Region) -> list[tuple[tuple[slice, slice], _Array]]:
        """Return the tiles of a block, and the distances of their pixels.

        Raises:
            _TooManyError: it would take too long.
        """
        columns, rows = block.columns(), block.rows()
        out: list[tuple[tuple[slice, slice], _Array]] = []
        for top in range(0, block.height, _TILE):
            for left in range(0, block.width, _TILE):
                part = slice(top, top + _TILE), slice(left, left + _TILE)
                out.append((part, self._tile(self._ends, columns[part[1]], rows[part[0]])))
        return out

    def _tile(self, ends: _Array, xs: _Array, ys: _Array) -> _Array:
        """Return the distances of a tile's pixels ``(h, w)``.

        Only those segments are asked that can be the nearest to any of its pixels; where they are
        many, the tile is quartered.
        """
        self._take(len(ends))
        centre_x, centre_y = (xs[0] + xs[-1]) / 2, (ys[0] + ys[-1]) / 2
        half = float(np.hypot(xs[-1] - centre_x, ys[-1] - centre_y))
        middle = np.array([[centre_x]]), np.array([[centre_y]])
        from_centre = np.sqrt(_squared(ends, *middle)[:, 0, 0])
        nearest = float(from_centre.min())
        if nearest + half <= self._inside:
            return np.zeros((len(ys), len(xs)))
        if nearest - half > self._reach:
            return np.full((len(ys), len(xs)), 2 * self._reach)
        ends = ends[from_centre <= min(nearest + 2 * half, self._reach + half)]
        if len(ends) * len(xs) * len(ys) <= _AT_ONCE:
            self._take(len(ends) * len(xs) * len(ys))
            return np.sqrt(_squared(ends, xs[None, :], ys[:, None]).min(axis=0))
        if min(len(xs), len(ys)) < 2:
            raise _TooManyError
        out = np.empty((len(ys), len(xs)))
        row, column = len(ys) // 2, len(xs) // 2
        for rows in (slice(0, row), slice(row, None)):
            for columns in (slice(0, column), slice(column, None)):
                out[rows, columns] = self._tile(ends, xs[columns], ys[rows])
        return out

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise _TooManyError


def _distance_drawn(ends: _Array, block: Region, reach: float, fineness: int) -> _Array:
    """Return distances to a line that is drawn, some pixels to one of the block.

    Args:
        ends: of its segments.
        block: whose pixels are asked.
        reach: as far as distances count; what is drawn has a border of that width.
        fineness: pixels of the drawing to one of the block; fewer where the border is wide.
    """
    left, top, _, _ = block.box
    longest = max(block.width, block.height) * block.scale + 2 * reach
    pixel = max(block.scale / fineness, longest / _DRAWN)
    size = [
        math.ceil((side * block.scale + 2 * reach) / pixel) + 1
        for side in (block.height, block.width)
    ]
    canvas = np.full(size, 255, np.uint8)
    origin = np.array([left, top, left, top]) - reach
    # OpenCV cuts lines at the border of the drawing
    places = np.clip((ends - origin) / pixel - 0.5, -_CUT, _CUT)
    lines = np.rint(places * (1 << _BITS)).astype(np.int32).reshape(-1, 2, 2)
    cv2.polylines(canvas, list(lines), isClosed=False, color=0, shift=_BITS)
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    places = (
        ((centres - start) / pixel - 0.5).astype(np.float32)
        for centres, start in (
            (block.columns()[None, :], origin[0]),
            (block.rows()[:, None], origin[1]),
        )
    )
    shape = block.height, block.width
    x, y = (np.ascontiguousarray(np.broadcast_to(each, shape)) for each in places)
    found = cv2.remap(distance, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float64) * pixel


def _squared(ends: _Array, x: _Array, y: _Array) -> _Array:
    """Return squared distances ``(M, h, w)`` of places to segments ``(M, 4)``."""
    ax, ay, bx, by = (column[:, None, None] for column in ends.T)
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = ((x - ax) * dx + (y - ay) * dy) / np.where(length > 0, length, 1)
    along = np.clip(along, 0, 1)
    return (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
