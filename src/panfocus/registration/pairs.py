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
from panfocus.registration.transforms import Matrix, corner_shift, is_plausible, move, normalised

Array = NDArray[np.float64]
#: Levels on which patches are compared.
LEVELS = 3
#: Patches, and cells of the picture, without which nothing is measured.
FEWEST, FEWEST_CELLS = 16, 6
#: Movement of a corner, pixels of the finest level, that blur and noise can feign in a pair.
FEIGNED = 0.3
#: Standard error in pixels of its level up to which a patch has a say.
_SHARP = 1.0
#: Pixels of the finest level from which on coarser levels show patches enough to choose by.
_LARGE = 150_000
#: Movement of a corner, pixels of the finest level, so small that shifts need no second measure.
_SETTLED = 0.1
#: The same of places that are as good as one, and of a step after which none is looked for further
#: off.
_NEAR = 1.0
#: By how much, in logarithms, less must remain elsewhere than at rest to begin from there.
_DOUBT = 0.02


@dataclass
class Measured:
    """Where a frame lies on another.

    Attributes:
        matrix: from the fixed to the moving frame, in units, that patches were measured at.
        patches: there.
        space: of the frames.
        still: patches measured at rest.
        noise: variance of what noise adds to the frames' difference, finest level.
        fits: of each model that was asked for.
    """

    matrix: Matrix
    patches: Patches
    space: Space
    still: Patches
    noise: float = 0.0
    fits: dict[Model, Fit] = field(default_factory=dict[Model, Fit])

    @property
    def factor(self) -> float:
        """Pixels of full scale per pixel of the finest level."""
        return float(self.patches.factor.min())

    @property
    def is_enough(self) -> bool:
        """Whether there is enough to fit to."""
        spread = len(set(cell_of(self.patches, self.space).tolist()))
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


def patches_at(
    fixed: Detail,
    moving: Detail,
    matrix: Matrix,
    levels: Sequence[int],
    *,
    is_rough: bool = False,
) -> Patches:
    """Measure patches on some levels at a matrix in units."""
    space = Space(fixed.height, fixed.width)
    parts: list[Patches] = []
    for n in levels:
        one, two = fixed.levels[n], moving.levels[n]
        lift = space.level_to_unit(one.factor)
        at = normalised(np.linalg.inv(lift) @ matrix @ lift)
        at = np.eye(3) if np.array_equal(matrix, np.eye(3)) else at
        parts.append(compare(one.smooth, two.smooth, at, one.factor, is_rough=is_rough))
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
    count = min(LEVELS, len(fixed.levels))
    noise = fixed.noise + moving.noise
    # small pictures have too few patches on coarser levels
    first = 1 if count > 1 and fixed.levels[0].smooth.size >= _LARGE else 0
    low = range(first, count)
    still = patches_at(fixed, moving, np.eye(3), low)
    places = _places(fixed, moving, space, richest, starts)
    tried = [patches_at(fixed, moving, p, low, is_rough=True) for p in places]
    remain = [left(patches, still) for patches in tried]
    matrix = np.eye(3)
    simple = tuple(f for f in richest if f in ("shift", "scale", "rotate")) or richest
    ways: tuple[Sequence[int], ...] = (range(count),)
    bent = simple
    if remain and min(remain) < -_DOUBT:
        best = int(np.argmin(remain))
        matrix = places[best]
        spanned = increment(simple, parameters(simple, matrix))
        bent = simple if np.allclose(spanned, matrix, atol=1e-9) else richest
        near = _step(Measured(matrix, tried[best], space, still, noise), bent, _NEAR)
        if near is None:
            ways = ([count - 1], range(min(1, count - 1), count), range(count))
        matrix = matrix if near is None else near
    else:
        still = still if first == 0 else joined([patches_at(fixed, moving, matrix, [0]), still])
        found = Measured(matrix, still, space, still, noise)
        if not found.is_enough or moves_by(found.moved(bent), space) < FEIGNED * found.factor:
            return found
    for levels in ways:
        found = Measured(matrix, patches_at(fixed, moving, matrix, levels), space, still, noise)
        if not found.is_enough:
            continue
        if len(levels) == count and _step(found, bent, _SETTLED) is not None:
            return found
        step = _step(found, bent)
        matrix = matrix if step is None else step
    return Measured(matrix, patches_at(fixed, moving, matrix, range(count)), space, still, noise)


def _step(found: Measured, model: Model, most: float = np.inf) -> Matrix | None:
    """Return the matrix in units that patches lead to by a model.

    None where they are too few, it is no transform of frames, or it moves a corner by `most` pixels
    of the finest level or more from where they were measured.
    """
    if not found.is_enough:
        return None
    step, space = found.moved(model), found.space
    apart = moves_by(np.linalg.inv(found.matrix) @ step, space)
    is_near = apart < most * found.factor
    return step if is_near and is_plausible(in_pixels(step, space), *_size(space)) else None


def measure_near(fixed: Detail, moving: Detail, models: Sequence[Model], start: Matrix) -> Measured:
    """Measure where a frame lies whose place is known within a pixel, on coarser levels.

    Args:
        fixed: one frame.
        moving: another, of equal size.
        models: simple to rich.
        start: matrix in units.
    """
    space = Space(fixed.height, fixed.width)
    count = min(LEVELS, len(fixed.levels))
    noise = fixed.noise + moving.noise
    low = list(range(1, count)) or [0]
    patches = patches_at(fixed, moving, start, low)
    found = Measured(start, patches, space, patches, noise)
    if found.is_enough and _step(found, models[-1], _SETTLED) is None:
        matrix = found.moved(models[-1])
        patches = patches_at(fixed, moving, matrix, low)
        found = Measured(matrix, patches, space, patches, noise)
    return found


def moves_by(matrix: Matrix, space: Space) -> float:
    """Return the shift in pixels of the corner that a matrix in units moves most."""
    return corner_shift(in_pixels(matrix, space), space.height, space.width)


def _size(space: Space) -> tuple[int, int]:
    return space.height, space.width


def _places(
    fixed: Detail, moving: Detail, space: Space, richest: Model, starts: Sequence[Matrix]
) -> list[Matrix]:
    """Return where the moving frame may lie."""
    rest = np.eye(3)
    kind = kind_of(richest)
    rough = coarse(
        fixed,
        moving,
        space,
        "translation" if kind == "translation" else "similarity",
        [rest, *starts],
    )
    out = [rough, *starts]
    if kind in ("affine", "homography") and len(fixed.levels) > 2:
        levels = list(zip(fixed.levels[1:3], moving.levels[1:3], strict=True))
        parts = [(Points(one, space), two) for one, two in levels]
        out.append(refine(parts, rough, kind, 8, 0.02))
    pixel = float(fixed.levels[0].factor)
    apart: list[Matrix] = []
    for place in out:
        if all(moves_by(np.linalg.inv(a) @ place, space) >= _NEAR * pixel for a in apart):
            apart += [place] if is_plausible(in_pixels(place, space), *_size(space)) else []
    return apart


def left(patches: Patches, rest: Patches) -> float:
    """Return how much of what remains at rest remains: a mean of logarithms, 0 at rest."""
    gains, _ = gains_of(patches, rest)
    return -float(np.mean(gains)) if len(gains) else 1.0


def gains_of(patches: Patches, rest: Patches) -> tuple[Array, NDArray[np.intp]]:
    """Return what patches gain by a transform: logarithms of what remains at rest over after it.

    Args:
        patches: measured at the transform.
        rest: measured at rest, on the same levels or more.

    Returns:
        Gains of the patches that show detail ``(K,)``, and their places in `patches`.
    """
    common, here, there = np.intersect1d(patches.number, rest.number, return_indices=True)
    both = np.logical_or.reduce([rest.factor == f for f in set(patches.factor.tolist())])
    if len(common) < 0.25 * both.sum():
        return np.zeros(0), np.zeros(0, np.intp)
    sure = _sure(patches)[here] | _sure(rest)[there]
    gains = np.log(rest.remains[there] / patches.remains[here])
    return gains[sure], here[sure]


def _sure(patches: Patches) -> NDArray[np.bool_]:
    trace = np.einsum("kii->k", patches.information)
    return np.asarray(2 / np.sqrt(trace + 1e-12) < _SHARP * patches.factor)
