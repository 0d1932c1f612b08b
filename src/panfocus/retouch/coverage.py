"""How far a stroke covers each pixel, from distances: the same at every scale and in any region.

Across its line, a stroke covers P(d) = 1 - 3 t^2 + 2 t^3 with t = (d - core) / (radius - core) cut
to [0, 1]. A pixel takes the mean of P over its width s, which is exact for a straight line:
(G(d + s/2) - G(d - s/2)) / s, with G the integral of P from 0, odd in d. So a hard edge is smooth
by a pixel, and a preview agrees with the shrunk picture.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import Stroke

_Array = NDArray[np.float64]

#: Side of the tiles in which a line's segments are looked for, pixels.
_TILE = 64
#: Segments up to which a tile is worked out whole.
_FEW = 16
#: Samples along a pixel's side, at most, where it is wide against the stroke.
_MOST_SAMPLES = 4


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
    core = stroke.hardness * stroke.radius
    out = np.empty((fine.height, fine.width), np.float32)
    columns, rows = fine.columns(), fine.rows()
    for top in range(0, fine.height, _TILE):
        for left in range(0, fine.width, _TILE):
            xs, ys = columns[left : left + _TILE], rows[top : top + _TILE]
            distance = _distance(stroke.segments, xs, ys, stroke.radius + fine.scale)
            if distance.min() >= stroke.radius + fine.scale / 2:
                tile = np.zeros_like(distance)
            else:
                tile = _mean(distance, fine.scale, core, stroke.radius)
            out[top : top + _TILE, left : left + _TILE] = tile
    if samples == 1:
        return out
    blocks = out.reshape(region.height, samples, region.width, samples)
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _distance(ends: _Array, xs: _Array, ys: _Array, reach: float) -> _Array:
    """Return the distance of a tile's pixels ``(h, w)`` to the nearest segment.

    Only those segments are asked that can be the nearest to any of its pixels; where they are many,
    the tile is quartered. Distances beyond `reach` may be told as any beyond it.
    """
    centre_x, centre_y = (xs[0] + xs[-1]) / 2, (ys[0] + ys[-1]) / 2
    half = float(np.hypot(xs[-1] - centre_x, ys[-1] - centre_y))
    middle = np.array([[centre_x]]), np.array([[centre_y]])
    from_centre = np.sqrt(_squared(ends, *middle)[:, 0, 0])
    ends = ends[from_centre <= min(float(from_centre.min()) + 2 * half, reach + half)]
    out = np.full((len(ys), len(xs)), 2 * reach)
    if len(ends) > _FEW and min(out.shape) > 1:
        row, column = len(ys) // 2, len(xs) // 2
        for rows in (slice(0, row), slice(row, None)):
            for columns in (slice(0, column), slice(column, None)):
                out[rows, columns] = _distance(ends, xs[columns], ys[rows], reach)
        return out
    for start in range(0, len(ends), _FEW):
        nearest = _squared(ends[start : start + _FEW], xs[None, :], ys[:, None]).min(axis=0)
        out = np.minimum(out, np.sqrt(nearest))
    return out


def _squared(ends: _Array, x: _Array, y: _Array) -> _Array:
    """Return squared distances ``(M, h, w)`` of places to segments ``(M, 4)``."""
    ax, ay, bx, by = (column[:, None, None] for column in ends.T)
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = ((x - ax) * dx + (y - ay) * dy) / np.where(length > 0, length, 1)
    along = np.clip(along, 0, 1)
    return (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
