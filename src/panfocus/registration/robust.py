"""Fit transforms to the shifts of patches, robustly, with the uncertainty that follows.

Iteratively reweighted least squares with Cauchy-like weights (Holland and Welsch, "Robust
regression using iteratively reweighted least-squares", 1977). Patches near each other err alike,
so the covariance is the clustered sandwich (Liang and Zeger, "Longitudinal data analysis using
generalized linear models", 1986) over cells of the picture.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from panfocus.frozen import frozen
from panfocus.registration.estimate import Space
from panfocus.registration.models import RICHEST, Model, columns, motions
from panfocus.registration.patches import Patches
from panfocus.registration.transforms import corners

Array = NDArray[np.float64]
#: Standard deviation in pixels of the finest level, beyond its own, that every patch is granted.
_TAU = 0.03
#: Squared residual, over its scale, at which a patch counts a quarter.
_SOFT = 6.0
#: Rounds of reweighting, at most, and the change of parameters, units, after which there are no
#: more: about three thousandths of a pixel of the finest level.
_STEPS = 8
_STEADY = 1e-5
#: Median of chi squared with two degrees of freedom.
_MEDIAN = 1.39
#: Cells per half of the picture's longer side within which patches err alike.
_CELLS = 4


@frozen
class Fit:
    """A small step, fitted to patches.

    Attributes:
        parameters: ``(P,)``, units.
        covariance: ``(P, P)``.
        squared: ``(K,)`` squared residuals, in the patches' own variances.
        scale: of them, 1 where patches know their uncertainty.
    """

    parameters: Array
    covariance: Array
    squared: Array
    scale: float


def trusted(patches: Patches) -> Array:
    """Return the information ``(K, 2, 2)`` of patches, none surer than `_TAU`."""
    small = 1e-6 * np.eye(2)
    floor = (_TAU * patches.factor.min()) ** 2 * np.eye(2)
    return _inverse(_inverse(patches.information + small) + floor)


def _inverse(matrices: Array) -> Array:
    """Return the inverses of ``(K, 2, 2)``, in a tenth of LAPACK's time."""
    (a, b), (c, d) = matrices[:, 0].T, matrices[:, 1].T
    out = np.array([[d, -b], [-c, a]]) / (a * d - b * c)
    return out.transpose(2, 0, 1)


def cell_of(patches: Patches, space: Space) -> NDArray[np.intp]:
    """Return the number of the cell that each patch lies in."""
    unit = to_unit(patches.at, space)
    x, y = np.clip((unit.T + 1) * _CELLS, 0, 2 * _CELLS - 1).astype(np.intp)
    return y * (2 * _CELLS) + x


def to_unit(points: Array, space: Space) -> Array:
    """Return points ``(K, 2)`` of full scale in units."""
    return points * space.to_unit[0, 0] + space.to_unit[:2, 2]


class Regression:
    """Patches ready to be fitted by any model; what models share is worked out once."""

    def __init__(self, patches: Patches, space: Space) -> None:
        """Set up.

        Args:
            patches: at least as many as the models have parameters.
            space: of the frames.
        """
        unit = to_unit(patches.at, space)
        information = trusted(patches)
        #: in these coordinates patches have errors of one, along both axes
        self._root = _root(information)
        slopes = np.matmul(self._root, motions(RICHEST, unit) / space.to_unit[0, 0])
        self._slopes = np.ascontiguousarray(slopes.transpose(2, 1, 0))
        self._strength = np.einsum("kii->k", information)
        self._cells = cell_of(patches, space)

    def fit(self, model: Model, shift: Array) -> Fit:
        """Fit a model to shifts.

        Args:
            model: what may change.
            shift: ``(K, 2)`` of the patches, pixels of full scale.
        """
        slopes = self._slopes[columns(model)].reshape(-1, shift.size)
        said = np.matmul(self._root, shift[..., None])[..., 0].T.ravel()
        weight = np.ones(len(shift))
        normal, p, pull, squared, scale = self._solved(slopes, said, weight)
        for _ in range(_STEPS):
            before = p
            weight = 1 / np.square(1 + squared / (_SOFT * scale))
            normal, p, pull, squared, scale = self._solved(slopes, said, weight)
            if np.abs(p - before).max() < _STEADY:
                break
        size = (2 * _CELLS) ** 2
        by_patch = pull.reshape(len(p), 2, -1).sum(axis=1)
        sums = np.array([np.bincount(self._cells, one, size) for one in by_patch])
        count = len(set(self._cells.tolist()))
        inverse = np.asarray(np.linalg.inv(normal), np.float64)
        spread = count / max(count - len(p) / 2 - 1, 0.5)
        return Fit(
            parameters=p,
            covariance=inverse @ (sums @ sums.T) @ inverse * spread,
            squared=squared,
            scale=scale,
        )

    def _solved(
        self, slopes: Array, said: Array, weight: Array
    ) -> tuple[Array, Array, Array, Array, float]:
        """Return normal equations, solution, pull, squared residuals and their scale."""
        weighted = (slopes.reshape(len(slopes), 2, -1) * weight).reshape(slopes.shape)
        normal = weighted @ slopes.T
        normal.flat[:: len(normal) + 1] += 1e-9 * np.diag(normal) + 1e-9
        p = np.asarray(np.linalg.solve(normal, weighted @ said), np.float64)
        off = said - p @ slopes
        squared = np.square(off).reshape(2, -1).sum(axis=0)
        scale = max(_weighted_median(squared, self._strength) / _MEDIAN, 1e-6)
        return normal, p, weighted * off, squared, scale


def _root(information: Array) -> Array:
    """Return upper triangles ``R`` of ``(K, 2, 2)``, by which it is ``R' R``."""
    out = np.zeros_like(information)
    out[:, 0, 0] = np.sqrt(information[:, 0, 0])
    out[:, 0, 1] = information[:, 0, 1] / out[:, 0, 0]
    rest = information[:, 1, 1] - np.square(out[:, 0, 1])
    out[:, 1, 1] = np.sqrt(np.maximum(rest, 0))
    return out


def cost(squared: Array, scale: float) -> Array:
    """Return the robust cost ``(K,)`` of squared residuals of a scale."""
    return _SOFT * np.log1p(squared / (_SOFT * scale))


def _weighted_median(values: Array, weights: Array) -> float:
    order = values.argsort()
    total = weights[order].cumsum()
    return float(values[order[total.searchsorted(total[-1] / 2)]])


def corner_error(model: Model, covariance: Array, space: Space) -> float:
    """Return the standard error in pixels of full scale of the corner that is known worst.

    Without end where detail leaves it open, as stripes leave a move along them.
    """
    unit = to_unit(corners(space.height, space.width), space)
    jacobian = motions(model, unit) / space.to_unit[0, 0]
    spread = np.einsum("kip,pq,kiq->k", jacobian, covariance, jacobian)
    worst = float(spread.max())
    return math.sqrt(worst) if worst >= 0 else math.inf
