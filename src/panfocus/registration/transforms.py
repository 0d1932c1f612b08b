"""Transforms between frames: 3x3 matrices, what they do to a picture, and the field they share.

A matrix takes coordinates (x, y, 1) of the reference frame to those of another frame, in pixels of
full scale; pixel centres have whole coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from panfocus.frozen import frozen

Matrix = NDArray[np.float64]

#: Kinds of transform, each containing the one before it.
LADDER = ("identity", "translation", "similarity", "affine", "homography")


@frozen
class PairTransform:
    """The transform between two frames, and how it was found.

    Attributes:
        matrix: coordinates of the fixed frame to those of the moving one, pixels, full scale.
        kind: of `LADDER`.
        status: "aligned", "in place", "no detail", or "refused".
        gain: share of the difference on held-out pixels that the transform removes.
        error: standard error of the corner that is known worst, pixels; NaN where nothing is known.
    """

    matrix: Matrix
    kind: str
    status: str
    gain: float = 0.0
    error: float = float("nan")


@frozen
class Crop:
    """A rectangle of the reference frame: rows ``top`` to ``bottom - 1``, and so on."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        """Pixels, 0 when nothing is left."""
        return max(self.bottom - self.top, 0) * max(self.right - self.left, 0)


def corners(height: int, width: int) -> NDArray[np.float64]:
    """Return the centres of the corner pixels ``(4, 2)``, (x, y), clockwise from top left."""
    right, bottom = width - 1.0, height - 1.0
    return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float64)


def move(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take points ``(N, 2)`` through a matrix ``(3, 3)``."""
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return moved[:, :2] / moved[:, 2:]


def normalised(matrix: Matrix) -> Matrix:
    """Scale a matrix so that its last entry is 1."""
    return matrix / matrix[2, 2]


def from_reduced(factor: float) -> Matrix:
    """Return the matrix from pixels of a copy shrunk by `factor` to those of full scale.

    Below 1 it is enlarged: by 2 for a half.
    """
    centre = (factor - 1) / 2
    return np.array([[factor, 0, centre], [0, factor, centre], [0, 0, 1]], np.float64)


def _inverse(matrix: Matrix) -> Matrix:
    return np.asarray(np.linalg.inv(matrix), np.float64)


def corner_shift(matrix: Matrix, height: int, width: int) -> float:
    """Return by how many pixels the corner that moves most is moved."""
    points = corners(height, width)
    return float(np.hypot(*(move(matrix, points) - points).T).max())


def scale_and_turn(matrix: Matrix) -> tuple[float, float]:
    """Return the mean scale and the rotation in degrees of a matrix's affine part."""
    part = normalised(matrix)[:2, :2]
    scale = float(np.sqrt(abs(np.linalg.det(part))))
    turn = float(np.degrees(np.arctan2(part[1, 0] - part[0, 1], part[0, 0] + part[1, 1])))
    return scale, turn


def is_plausible(matrix: Matrix, height: int, width: int) -> bool:
    """Tell whether a matrix can be what happens between two frames of a focal stack.

    Not mirrored, not folded, no side stretched or shrunk beyond a half, centre still inside.
    """
    if not np.isfinite(matrix).all() or abs(matrix[2, 2]) < 1e-6:
        return False
    points = corners(height, width)
    depth = points @ normalised(matrix)[2, :2] + 1
    if depth.min() < 0.5 or depth.max() > 2:
        return False
    moved = move(matrix, points)
    sides, old = (np.roll(p, -1, axis=0) - p for p in (moved, points))
    stretch = np.hypot(*sides.T) / np.maximum(np.hypot(*old.T), 1e-9)
    turned = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    centre = moved.mean(axis=0)
    inside = 0 <= centre[0] < width and 0 <= centre[1] < height
    return bool(stretch.min() > 0.5 and stretch.max() < 2 and turned.min() > 0 and inside)


def chain(steps: Sequence[Matrix], reference: int) -> list[Matrix]:
    """Compose steps between neighbours, outwards from the reference frame.

    Args:
        steps: ``steps[n]`` takes coordinates of frame n to those of frame n + 1.
        reference: number of the frame whose matrix is the identity.

    Returns:
        For every frame the matrix from the reference frame to it; one more than steps.
    """
    out = [np.eye(3)] * (len(steps) + 1)
    for n in range(reference, len(steps)):
        out[n + 1] = normalised(steps[n] @ out[n])
    for n in range(reference - 1, -1, -1):
        out[n] = normalised(np.linalg.inv(steps[n]) @ out[n + 1])
    return out


def common_field(matrices: Sequence[Matrix], height: int, width: int) -> Crop:
    """Return a rectangle of the reference frame that every frame shows."""
    top, left, bottom, right = 0.0, 0.0, height - 1.0, width - 1.0
    for matrix in matrices:
        nw, ne, se, sw = move(_inverse(matrix), corners(height, width))
        left = max(left, nw[0], sw[0])
        right = min(right, ne[0], se[0])
        top = max(top, nw[1], ne[1])
        bottom = min(bottom, sw[1], se[1])
    # a frame that is off by less than a hundredth of a pixel still shows its border
    low, high = np.ceil(np.array([top, left]) - 0.01), np.floor(np.array([bottom, right]) + 0.01)
    return Crop(int(low[0]), int(high[0]) + 1, int(low[1]), int(high[1]) + 1)
