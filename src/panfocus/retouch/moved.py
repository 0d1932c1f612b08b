"""Take strokes along to where their content lies after the stack was registered anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from panfocus.retouch.stroke import FARTHEST, LARGEST_RADIUS, Source, Stroke

#: Takes (x, y, 1) of the picture before to the one after, in pixels.
Matrix = NDArray[np.float64]
#: Difference from a matrix that moves by whole pixels below which it does just that: digits only.
_DIGITS = 1e-6


def moved(strokes: Sequence[Stroke], between: Callable[[Source], Matrix]) -> tuple[Stroke, ...]:
    """Return strokes in pixels of another picture.

    Args:
        strokes: of one picture.
        between: returns, for what a stroke is painted from, the matrix ``(3, 3)`` from pixels of
            that picture to those of the other.

    Examples:
        >>> from panfocus.retouch.stroke import FusedSource
        >>> dot = Stroke("brush", ((10.0, 10.0),), FusedSource())
        >>> aside = np.array([[1, 0, -4], [0, 1, 2], [0, 0, 1]], np.float64)
        >>> moved([dot], lambda source: aside)[0].points
        ((6.0, 12.0),)
    """
    return tuple(_moved(stroke, between(stroke.source)) for stroke in strokes)


def _moved(stroke: Stroke, matrix: Matrix) -> Stroke:
    shift = np.eye(3)
    shift[:2, 2] = np.rint(matrix[:2, 2] / matrix[2, 2])
    if np.abs(matrix / matrix[2, 2] - shift).max() < _DIGITS:
        matrix = shift
        if not shift[:2, 2].any():
            return stroke
    points = np.column_stack([np.asarray(stroke.points, np.float64), np.ones(len(stroke.points))])
    places = points @ matrix.T
    places = np.clip(places[:, :2] / places[:, 2:], -FARTHEST, FARTHEST)
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:2, :2] / matrix[2, 2]))))
    return replace(
        stroke,
        points=tuple((float(x), float(y)) for x, y in places),
        radius=min(stroke.radius * scale, LARGEST_RADIUS),
    )
