"""What patches of two frames say of where one lies on the other.

It is kept as small steps from one matrix, one for every model, so that a whole stack can choose its
model later without seeing a picture again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from panfocus.registration.estimate import Space
from panfocus.registration.models import Model, increment, parameters
from panfocus.registration.patches import Patches, compare, joined
from panfocus.registration.pyramid import Detail
from panfocus.registration.robust import Fit, Regression, cell_of, to_unit
from panfocus.registration.transforms import Matrix, corner_shift, move, normalised

Array = NDArray[np.float64]
#: Levels on which patches are compared.
LEVELS = 3
#: Patches, and cells of the picture, without which nothing is measured.
FEWEST, FEWEST_CELLS = 16, 6
#: Movement of a corner, pixels of the finest level, that blur and noise can feign in a pair.
FEIGNED = 0.3
#: Standard error in pixels of its level up to which a patch has a say.
_SHARP = 1.0
#: Mean square of the slopes of noise, over the variance of the mean of both frames' noise. It is
#: .84 of white noise, a tenth of the patches have .95 and none 1.25.
_SLOPE_OF_NOISE = 1.15


@dataclass
class Measured:
    """Where a frame lies on another.

    Attributes:
        matrix: from the fixed to the moving frame, in units, that patches were measured at.
        patches: there.
        space: of the frames.
        still: patches measured at rest.
        noise: variance of what noise adds to the frames' difference, finest level.
        elsewhere: how much more than at rest remains somewhere else, a logarithm: near 0 where a
            frame shows too little to tell; infinite where nobody looked, or frames do not rest.
        fits: of each model that was asked for.
    """

    matrix: Matrix
    patches: Patches
    space: Space
    still: Patches
    noise: float = 0.0
    elsewhere: float = np.inf
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

    @cached_property
    def _regression(self) -> Regression:
        return Regression(self.patches, self.space)

    def fit(self, model: Model) -> Fit:
        """Return the fit of a model: a step from where patches were measured, see `base`."""
        if model not in self.fits:
            shift = self.patches.shift
            if self.base(model) is not self.matrix:
                unit = to_unit(self.patches.at, self.space)
                pixel = self.space.to_unit[0, 0]
                there = move(self.matrix, unit + shift * pixel)
                shift = (there - unit) / pixel
            self.fits[model] = self._regression.fit(model, shift)
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
    return normalised(space.from_unit @ matrix @ space.to_unit)


def in_units(matrix: Matrix, space: Space) -> Matrix:
    """Return a matrix for pixels of full scale in units."""
    return normalised(space.to_unit @ matrix @ space.from_unit)


def patches_at(
    fixed: Detail,
    moving: Detail,
    matrix: Matrix,
    levels: Sequence[int],
    *,
    is_rough: bool = False,
    is_thin: bool = False,
) -> Patches:
    """Measure patches on some levels at a matrix in units."""
    space = Space(fixed.height, fixed.width)
    parts: list[Patches] = []
    for n in levels:
        one, two = fixed.levels[n], moving.levels[n]
        lift = space.level_to_unit(one.factor)
        at = normalised(np.linalg.inv(lift) @ matrix @ lift)
        at = np.eye(3) if np.array_equal(matrix, np.eye(3)) else at
        part = compare(one.smooth, two.smooth, at, one.factor, is_rough=is_rough, is_thin=is_thin)
        # what is enlarged is not as noisy as it is counted
        coarser = fixed.levels[0].factor / one.factor
        noise = 0.0 if fixed.is_enlarged else (fixed.noise + moving.noise) * coarser**2
        parts.append(_without_noise(part, noise))
    return joined(parts)


def _without_noise(patches: Patches, noise: float) -> Patches:
    """Return patches that say only what their detail says.

    Slopes of noise look as if they told of a shift, and tell of none wherever they are compared: so
    a dark ground would outvote the few lights before it.

    Args:
        patches: of one level.
        noise: variance of the frames' difference there.
    """
    if noise <= 0:
        return patches
    share = 1 - _SLOPE_OF_NOISE * (noise / 4) / np.maximum(patches.slopes, 1e-12)
    return replace(patches, information=patches.information * np.clip(share, 0, 1)[:, None, None])


def moves_by(matrix: Matrix, space: Space) -> float:
    """Return the shift in pixels of the corner that a matrix in units moves most."""
    return corner_shift(in_pixels(matrix, space), space.height, space.width)


def middle_moves_by(matrix: Matrix, space: Space) -> float:
    """Return the shift in pixels of full scale of the middle by a matrix in units."""
    return float(np.hypot(*normalised(matrix)[:2, 2])) / float(space.to_unit[0, 0])


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
