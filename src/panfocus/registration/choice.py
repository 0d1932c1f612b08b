"""Choose by what frames move: the simplest model of their steps that none explains better."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import median
from panfocus.frozen import frozen
from panfocus.registration.estimate import Space
from panfocus.registration.models import Model
from panfocus.registration.pairs import Measured, moves_by
from panfocus.registration.robust import corner_error, cost
from panfocus.registration.transforms import Matrix

#: Movement of a corner, pixels of the finest level, by which a model must differ from simpler ones.
RICHER = {"scale": 0.15, "rotate": 0.15, "shear": 0.5, "perspective": 0.5}
#: The same of a turn that so many steps agree on: blur feigns none.
_TURNS, _MANY = 0.05, 3
#: What blur does not feign step after step.
_ADDS_UP = ("scale", "rotate")
#: By how much patches that lie near each other and on several levels repeat themselves.
_REPEATED = 3.0

Array = NDArray[np.float64]


@frozen
class Reading:
    """What was measured of a pair, for each model, pictures no longer needed.

    Attributes:
        matrices: from the fixed to the moving frame, in units.
        covariances: ``(P, P)`` of a small step at the matrix.
        costs: robust, comparable between models.
        count: of patches that count for themselves.
    """

    matrices: dict[Model, Matrix]
    covariances: dict[Model, Array]
    costs: dict[Model, float]
    count: float

    def error(self, model: Model, space: Space) -> float:
        """Return the standard error in pixels of the corner that is known worst."""
        return corner_error(model, self.covariances[model], space)


def read(measured: Measured, models: Sequence[Model]) -> Reading:
    """Return what a pair says of each model."""
    scale = measured.fit(models[-1]).scale
    fits = {model: measured.fit(model) for model in models}
    return Reading(
        {model: measured.moved(model) for model in models},
        {model: found.covariance for model, found in fits.items()},
        {m: float(cost(f.squared, scale).sum()) / _REPEATED for m, f in fits.items()},
        len(measured.patches.at) / _REPEATED,
    )


def choose(
    readings: Sequence[Reading], models: Sequence[Model], space: Space, factor: float
) -> Model:
    """Return the simplest model that none explains better (Schwarz's information criterion).

    Args:
        readings: of one pair or of many that move alike.
        models: simple to rich.
        space: of the frames.
        factor: pixels of full scale per pixel of the finest level.
    """
    chosen, best = models[0], np.inf
    for model in models:
        size = sum(len(r.covariances[model]) * np.log(r.count) for r in readings)
        value = sum(r.costs[model] for r in readings) + size
        if value >= best:
            continue
        least = factor * _richer(model, len(readings))
        if best < np.inf and not _are_apart(readings, chosen, model, space, least):
            continue
        chosen, best = model, value
    return chosen


def _richer(model: Model, count: int) -> float:
    """Return by how many pixels of the finest level a model of so many steps must differ."""
    is_turn = model[-1] == "rotate" and count >= _MANY
    return _TURNS if is_turn else RICHER.get(model[-1], 0.0)


def _are_apart(
    readings: Sequence[Reading], poor: Model, rich: Model, space: Space, least: float
) -> bool:
    """Whether a richer model leads elsewhere: most steps, or all of them added up twice as far."""
    apart = [np.linalg.inv(r.matrices[poor]) @ r.matrices[rich] for r in readings]
    if float(median(np.array([moves_by(matrix, space) for matrix in apart]))) >= least:
        return True
    total = reduce(np.matmul, apart)
    return rich[-1] in _ADDS_UP and moves_by(total, space) >= 2 * least
