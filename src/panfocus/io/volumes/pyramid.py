"""Smaller copies of a plane, each half as large, which viewers of large pictures ask for."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Pyramid = Literal["auto", "on", "off"]
PYRAMIDS: tuple[Pyramid, ...] = get_args(Pyramid)
#: The longer side above which "auto" makes smaller copies, and that of the smallest, at most.
LARGE, SMALLEST = 4096, 512
_BAND = 128


def levels_of(height: int, width: int, pyramid: Pyramid) -> int:
    """Return how many smaller copies a picture gets.

    Examples:
        >>> levels_of(3000, 8192, "auto"), levels_of(3000, 4096, "auto"), levels_of(48, 64, "on")
        (4, 0, 1)
    """
    if pyramid == "off" or (pyramid == "auto" and max(height, width) <= LARGE):
        return 0
    count = 0
    while max(height, width) >> count > SMALLEST and min(height, width) >> (count + 1) > 0:
        count += 1
    return max(count, int(min(height, width) > 1))


def halved(plane: NDArray[Any], *, is_numbered: bool = False) -> NDArray[Any]:
    """Return a plane of half the size, whose pixels are means of four; an odd last one is left out.

    Args:
        plane: ``(Y, X)`` or ``(Y, X, S)``.
        is_numbered: pixels are numbers of frames, whose mean would be another frame: one of the
            four is taken.
    """
    height, width = plane.shape[0] // 2, plane.shape[1] // 2
    if is_numbered:
        return np.ascontiguousarray(plane[: 2 * height : 2, : 2 * width : 2])
    out = np.empty((height, width, *plane.shape[2:]), plane.dtype)
    for top in range(0, height, _BAND):  # no wide copy of the whole
        rows = plane[2 * top : 2 * min(top + _BAND, height), : 2 * width]
        wide: NDArray[Any] = rows.astype(np.float64 if plane.dtype.kind == "f" else np.int32)
        sums = wide[0::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 0::2] + wide[1::2, 1::2]
        out[top : top + _BAND] = sums / 4 if plane.dtype.kind == "f" else (sums + 2) >> 2
    return out


def shape_of(plane: tuple[int, ...], level: int) -> tuple[int, ...]:
    """Return the shape of a plane's smaller copy; level 0 is the plane itself."""
    return (plane[0] >> level, plane[1] >> level, *plane[2:])
