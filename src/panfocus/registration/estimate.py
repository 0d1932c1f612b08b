"""Find the transform between two frames: coarse to fine, by Gauss-Newton steps on their detail.

    minimise over the transform T:   sum_x  w(x) rho( moving(T x) - fixed(x) )

`rho` forgives what differs for other reasons than motion, such as an edge that is sharp in one
frame only. The gradient is the mean of both frames', so that neither frame's blur tips the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.registration.models import KIND_FREEDOMS, Model, increment, motions
from panfocus.registration.pyramid import Detail, Level
from panfocus.registration.transforms import Matrix, from_reduced, normalised

#: Residual, in units of local contrast, at which a pixel counts half.
SOFT = 0.5
#: Pixels of the coarsest level by which places differ at least that are looked at beside others.
_SAME = 0.1
#: Side of the patch in which points are handed to the resampler, which takes no long lists.
_ROW = 512


@frozen
class Space:
    """Coordinates freed of size: origin in the picture's middle, half its longer side is 1."""

    height: int
    width: int

    @property
    def to_unit(self) -> Matrix:
        """Matrix from pixels of full scale to units."""
        return _ways(self)[0]

    @property
    def from_unit(self) -> Matrix:
        """Matrix from units to pixels of full scale."""
        return _ways(self)[1]

    def level_to_unit(self, factor: float) -> Matrix:
        """Matrix from pixels of a level to units."""
        return self.to_unit @ from_reduced(factor)


@lru_cache(16)
def _ways(space: Space) -> tuple[Matrix, Matrix]:
    """Return the matrices from pixels of full scale to units and back, not to be written to."""
    half = max(space.height, space.width) / 2
    x, y = (space.width - 1) / 2, (space.height - 1) / 2
    there = np.array([[1 / half, 0, -x / half], [0, 1 / half, -y / half], [0, 0, 1]])
    back = np.asarray(np.linalg.inv(there), np.float64)
    for one in (there, back):
        one.setflags(write=False)
    return there, back


def _motions(model: Model, unit: Float) -> tuple[Float, Float]:
    """Return how points ``(K, 2)`` move along x and y per parameter of a model, each ``(P, K)``."""
    moved = motions(model, unit.astype(np.float64)).astype(np.float32)
    return np.ascontiguousarray(moved[:, 0].T), np.ascontiguousarray(moved[:, 1].T)


class Points:
    """Pixels of one level of the fixed frame, ready to be compared with the moving frame."""

    def __init__(self, fixed: Level, space: Space) -> None:
        """Set up.

        Args:
            fixed: level of the fixed frame.
            space: of both frames.
        """
        points = fixed.points
        self.at = fixed.planes[points[:, 1], points[:, 0]]
        self._to_unit = space.level_to_unit(fixed.factor)
        self._to_level = np.linalg.inv(self._to_unit)
        scale = self._to_unit[0, 0]
        self.unit = (points * scale + self._to_unit[:2, 2]).astype(np.float32)
        #: units per pixel of this level
        self.pixel = float(scale)

    def sample(self, moving: Level, matrix: Matrix, *, exact: bool = False) -> Float:
        """Return the moving frame's planes ``(K, 4)`` at the points; no weight outside of it.

        Args:
            moving: same level of the moving frame.
            matrix: from the fixed to the moving frame, in units.
            exact: cubic and not linear. Linear is enough to step by, since the planes are smooth;
                but it smooths between pixels, which makes any shift look like a gain.
        """
        whole = (self._to_level @ matrix).astype(np.float32)
        moved = self.unit @ whole[:, :2].T + whole[:, 2]
        xy = moved[:, :2] / moved[:, 2:]
        count = len(xy)
        if count == 0:  # a level on which the fixed frame shows nothing
            return np.zeros((0, 4), np.float32)
        rows = -(-count // _ROW)
        padded = np.full((rows * _ROW, 2), -100, np.float32)
        padded[:count] = xy
        grid = padded.reshape(rows, _ROW, 2)
        sampled = cv2.remap(
            moving.planes,
            np.ascontiguousarray(grid[..., 0]),
            np.ascontiguousarray(grid[..., 1]),
            cv2.INTER_CUBIC if exact else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0, 0, 0, 0),
        )
        out = np.asarray(sampled, np.float32).reshape(-1, 4)[:count]
        height, width = moving.planes.shape[:2]
        x, y = xy[:, 0], xy[:, 1]
        inside = (x >= 1) & (y >= 1) & (x <= width - 2) & (y <= height - 2)
        out[:, 3] = np.clip(out[:, 3], 0, 1) * inside
        return out


#: Points of the fixed frame on some levels, each with that level of the moving frame.
Parts = Sequence[tuple[Points, Level]]


def _equations(
    points: Points, moving: Level, matrix: Matrix, along: tuple[Float, Float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one level's normal equations, ``(P, P)`` and ``(P,)``.

    They are divided by the variance that remains: a level on which the frames differ by their
    blur says less than one on which they agree.
    """
    sampled = points.sample(moving, matrix)
    residual = sampled[:, 0] - points.at[:, 0]
    squared = np.square(residual)
    weight = sampled[:, 3] * points.at[:, 3] / np.square(1 + squared / np.float32(SOFT**2))
    turn = normalised(matrix)[:2, :2].astype(np.float32)
    slope = (0.5 / points.pixel) * (points.at[:, 1:3] + sampled[:, 1:3] @ turn)
    jacobian = along[0] * slope[:, 0] + along[1] * slope[:, 1]
    remains = float(weight @ squared) / max(float(weight.sum()), 1e-6) + 1e-3
    weighted = jacobian * (weight / np.float32(remains))
    normal = np.asarray(weighted @ jacobian.T, np.float64)
    return normal, np.asarray(weighted @ residual, np.float64)


def refine(parts: Parts, start: Matrix, kind: str, steps: int, until: float = 0.005) -> Matrix:
    """Return a better transform, in units.

    Args:
        parts: what is compared, finest level first.
        start: from the fixed to the moving frame, in units.
        kind: what may change, of `models.KIND_FREEDOMS`.
        steps: at most.
        until: movement in pixels of the finest level at which it is good enough.
    """
    model = KIND_FREEDOMS[kind]
    along = [_motions(model, points.unit) for points, _ in parts]
    pixel = parts[0][0].pixel
    matrix = start
    for _ in range(steps):
        found = [_equations(*part, matrix, a) for part, a in zip(parts, along, strict=True)]
        normal = np.sum([n for n, _ in found], axis=0)
        right = np.sum([r for _, r in found], axis=0)
        normal.flat[:: len(normal) + 1] += 1e-4 * np.diag(normal) + 1e-9
        change = np.asarray(-np.linalg.solve(normal, right), np.float64)
        if not np.isfinite(change).all() or np.abs(change).max() > 0.3:
            return matrix
        matrix = normalised(matrix @ increment(model, change))
        if np.abs(change).max() < until * pixel:
            break
    return matrix


def by_phase(fixed: Level, moving: Level, space: Space) -> Matrix:
    """Return the shift that phase correlation finds, as a matrix in units."""
    a, b = (
        np.ascontiguousarray(level.planes[..., 0] * level.planes[..., 3])
        for level in (fixed, moving)
    )
    window = cv2.createHanningWindow((a.shape[1], a.shape[0]), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(a, b, window)
    pixel = space.level_to_unit(fixed.factor)[0, 0]
    out = np.eye(3)
    out[:2, 2] = x * pixel, y * pixel
    return out


def cost(points: Points, moving: Level, matrix: Matrix) -> tuple[Float, Float]:
    """Return what remains after a transform: ``rho`` in [0, 1] and the weight, each ``(K,)``."""
    sampled = points.sample(moving, matrix, exact=True)
    squared = np.square((sampled[:, 0] - points.at[:, 0]) / np.float32(SOFT))
    return np.asarray(squared / (1 + squared), np.float32), sampled[:, 3] * points.at[:, 3]


def total_cost(points: Points, moving: Level, matrix: Matrix) -> float:
    """Return the mean cost; 1 where hardly anything overlaps."""
    rho, weight = cost(points, moving, matrix)
    kept = float(weight.sum())
    if kept <= 0.25 * float(points.at[:, 3].sum()):
        return 1.0
    return float((rho * weight).sum()) / max(kept, 1e-6)


def apart_places(places: Sequence[Matrix], pixel: float) -> list[Matrix]:
    """Return matrices in units of which no two are the same within a fraction of a pixel."""
    out: list[Matrix] = []
    for place in places:
        if all(np.abs(place - one).max() >= _SAME * pixel for one in out):
            out.append(place)
    return out


def coarse(fixed: Detail, moving: Detail, space: Space, kind: str, starts: list[Matrix]) -> Matrix:
    """Return the best transform in units, found on all levels but the finest."""
    levels = list(zip(fixed.levels, moving.levels, strict=True))[::-1]
    first, second = levels[0]
    points = Points(first, space)
    found = [
        refine([(points, second)], s, "translation", 6, 0.1)
        for s in [*starts, by_phase(first, second, space)]
    ]
    found = [
        refine([(points, second)], m, kind, 8, 0.05) for m in apart_places(found, points.pixel)
    ]
    matrix = min([*starts, *found], key=lambda m: total_cost(points, second, m))
    for one, other in levels[1:-1]:
        matrix = refine([(Points(one, space), other)], matrix, kind, 5, 0.03)
    return matrix
