"""Measure where one frame lies on another: from a rough place to a fraction of a pixel.

A coarse search on normalised detail finds the way; shifts of patches, which blur does not bend,
tell the rest. What is measured is kept as small steps from one matrix, one for every model, so that
a whole stack can choose its model later without seeing a picture again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from panfocus.registration.estimate import Points, Space, coarse, refine
from panfocus.registration.models import Model, increment, kind_of, parameters
from panfocus.registration.patches import Patches, compare, joined
from panfocus.registration.pyramid import Detail
from panfocus.registration.robust import Fit, cell_of, fit, to_unit
from panfocus.registration.transforms import Matrix, is_plausible, move, normalised

Array = NDArray[np.float64]
#: Levels on which patches are compared.
LEVELS = 3
#: Patches, and cells of the picture, without which nothing is measured.
FEWEST, FEWEST_CELLS = 16, 6
#: By how much, in logarithms, less must remain elsewhere than at rest to begin from there.
_DOUBT = 0.02

@dataclass
class Measured:
    """Where a frame lies on another.

    Attributes:
        matrix: from the fixed to the moving frame, in units, that patches were measured at.
        patches: there.
        space: of the frames.
        fits: of each model that was asked for.
    """

    matrix: Matrix
    patches: Patches
    space: Space
    fits: dict[Model, Fit] = field(default_factory=dict)

    @property
    def is_enough(self) -> bool:
        """Whether there is enough to fit to."""
        spread = len(np.unique(cell_of(self.patches, self.space)))
        return len(self.patches.at) >= FEWEST and spread >= FEWEST_CELLS

    def fit(self, model: Model) -> Fit:
        """Return the fit of a model: a step from where patches were measured, see `base`."""
        if model not in self.fits:
            patches = self.patches
            if self.base(model) is not self.matrix:
                unit = to_unit(patches.at, self.space)
                pixel = self.space.to_unit[0, 0]
                there = move(self.matrix, unit + patches.shift * pixel)
                patches = replace(patches, shift=(there - unit) / pixel)
            self.fits[model] = fit(patches, self.space, model)
        return self.fits[model]

    def base(self, model: Model) -> Matrix:
        """Return the matrix in units that a fit is a step from: at rest for a model too poor."""
        p = parameters(model, self.matrix)
        spans = np.abs(increment(model, p) - self.matrix).max() < 1e-9
        return self.matrix if spans or "perspective" in model else np.eye(3)

    def moved(self, model: Model) -> Matrix:
        """Return the matrix in units that a model's fit arrives at."""
        return normalised(self.base(model) @ increment(model, self.fit(model).parameters))


def in_pixels(matrix: Matrix, space: Space) -> Matrix:
    """Return a matrix in units for pixels of full scale."""
    return normalised(np.linalg.inv(space.to_unit) @ matrix @ space.to_unit)


def in_units(matrix: Matrix, space: Space) -> Matrix:
    """Return a matrix for pixels of full scale in units."""
    return normalised(space.to_unit @ matrix @ np.linalg.inv(space.to_unit))


def patches_at(fixed: Detail, moving: Detail, matrix: Matrix, levels: Sequence[int]) -> Patches:
    """Measure patches on some levels at a matrix in units."""
    space = Space(fixed.height, fixed.width)
    parts: list[Patches] = []
    for n in levels:
        one, two = fixed.levels[n], moving.levels[n]
        lift = space.level_to_unit(one.factor)
        at = normalised(np.linalg.inv(lift) @ matrix @ lift)
        at = np.eye(3) if np.array_equal(matrix, np.eye(3)) else at
        parts.append(compare(one.smooth, two.smooth, at, one.factor))
    return joined(parts)


def measure(
    fixed: Detail, moving: Detail, models: Sequence[Model], starts: Sequence[Matrix] = ()
) -> Measured:
    """Find where a frame lies.

    Args:
        fixed: one frame.
        moving: another, of equal size.
        models: simple to rich; the richest is what the way may bend by.
        starts: matrices in units to begin from besides at rest.
    """
    space = Space(fixed.height, fixed.width)
    richest = models[-1]
    places = _places(fixed, moving, space, richest, starts)
    count = min(LEVELS, len(fixed.levels))
    low = list(range(1, count)) or [0]
    tried = [(p, patches_at(fixed, moving, p, low)) for p in places]
    matrix = min(tried, key=lambda t: left(t[1], tried[0][1]) + (t[0] is not places[0]) * _DOUBT)[0]
    simple = tuple(f for f in richest if f in ("shift", "scale", "rotate")) or richest
    bent = simple if np.allclose(matrix[2, :2], 0) else richest
    for levels in (low[-1:], low, low, list(range(count))):
        found = Measured(matrix, patches_at(fixed, moving, matrix, levels), space)
        if not found.is_enough:
            continue
        step = found.moved(bent)
        matrix = step if is_plausible(in_pixels(step, space), *_size(space)) else matrix
    return Measured(matrix, patches_at(fixed, moving, matrix, range(count)), space)


def _size(space: Space) -> tuple[int, int]:
    return space.height, space.width


def _places(
    fixed: Detail, moving: Detail, space: Space, richest: Model, starts: Sequence[Matrix]
) -> list[Matrix]:
    """Return where the moving frame may lie, at rest first."""
    rest = np.eye(3)
    kind = kind_of(richest)
    rough = coarse(fixed, moving, space, "translation" if kind == "translation" else "similarity", [rest, *starts])
    out = [rest, rough, *starts]
    if kind == "homography" and len(fixed.levels) > 2:
        levels = list(zip(fixed.levels[1:3], moving.levels[1:3], strict=True))
        parts = [(Points(one, space), two) for one, two in levels]
        out.append(refine(parts, rough, "homography", 8, 0.02))
    return [m for m in out if is_plausible(in_pixels(m, space), *_size(space))]


def left(patches: Patches, rest: Patches) -> float:
    """Return how much of what remains at rest remains: a mean of logarithms, 0 at rest."""
    common, here, there = np.intersect1d(patches.number, rest.number, return_indices=True)
    if len(common) < 0.25 * max(len(rest.number), 1):
        return 1.0
    return float(np.mean(np.log(patches.remains[here] / rest.remains[there])))
