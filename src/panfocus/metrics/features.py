"""Feature mutual information: how well local patterns of gradients predict each other.

From the formulas alone: no value of the authors' own program was to be had, so the numbers of
this module, unlike its neighbours', are not verified against any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panfocus.metrics.filters import ratio, sobel
from panfocus.metrics.picture import Picture, Plane, Sources, greys

_SIDE = 3
_CELLS = _SIDE**2
#: Windows measured at a time, so that memory does not grow with the picture.
_CHUNK = 8192
#: Added to every strength, so that flat windows are uniform and no logarithm meets 0.
_FLOOR = 1e-9


def q_fmi(sources: Sources, fused: Picture) -> float:
    """Feature mutual information of Sobel strengths; higher is better; 0..1, 1 if F = A = B.

    In every 3 x 3 window the strengths, divided by their sum, are read as a distribution over
    the nine places. Its joint distribution with the other picture's is the mixture of the
    independent coupling and the most dependent one (Frechet's bound) that has the correlation of
    both patterns. The value is the mean over windows and sources of ``2 I / (H_S + H_F)``
    (Haghighat, Aghagolzadeh and Seyedarabi, Computers and Electrical Engineering 37(5), 2011).
    Any number of sources.

    Published values depend on the features. Programs default to binary edges, whose windows are
    mostly empty and therefore equal, which lifts the mean; and the published program compares
    the second source with what its first loop left behind. Never compare across programs.
    """
    planes, out = greys(sources, fused)
    strength_f = np.hypot(*sobel(out.plane))
    total = 0.0
    for source in planes:
        total += _mean_shared(np.hypot(*sobel(source.plane)), strength_f)
    return total / len(planes)


def _mean_shared(strength: Plane, strength_f: Plane) -> float:
    """Mean normalised information over all windows, a few rows of windows at a time."""
    windows = strength.shape[0] - _SIDE + 1
    step = max(1, _CHUNK // strength.shape[1])
    total = 0.0
    for top in range(0, windows, step):
        rows = slice(top, min(top + step, windows) + _SIDE - 1)
        shared = _shared(_patterns(strength[rows]), _patterns(strength_f[rows]))
        total += float(shared.sum(dtype=np.float64))
    return total / (windows * (strength.shape[1] - _SIDE + 1))


def _patterns(strength: Plane) -> Plane:
    """Return ``(9, n)``: the distribution over its places of each 3 x 3 window."""
    rows, columns = (side - _SIDE + 1 for side in strength.shape)
    places = [strength[y : y + rows, x : x + columns] for y in range(_SIDE) for x in range(_SIDE)]
    patterns = np.stack(places).reshape(_CELLS, -1) + _FLOOR
    return patterns / patterns.sum(axis=0)


def _shared(p: Plane, q: Plane) -> Plane:
    """Return ``(n,)`` normalised mutual informations of patterns p and q, both ``(9, n)``."""
    equal = (p == q).all(axis=0)
    wanted = _correlation(p, q)
    # the least correlated coupling is the most correlated one with the places in reverse
    q = np.where((wanted < 0) & ~equal, q[::-1], q)
    bound = _Coupling.of(p, q)
    share = np.clip(ratio(np.abs(wanted), bound.correlation, 1.0), 0, 1)
    both = _entropy(p) + _entropy(q)
    shared = both - bound.mixed_entropy(share, both)
    # equal patterns know all of each other, even level ones that correlate with nothing
    return np.where(equal, 1.0, np.clip(2 * ratio(shared, both, 0.5), 0, 1))


def _entropy(p: Plane) -> Plane:
    """Return the entropy in nats of each column."""
    return -(p * np.log(p)).sum(axis=0)


def _correlation(p: Plane, q: Plane) -> Plane:
    """Correlation of two patterns, 0 where one is level."""
    x, y = p - 1 / _CELLS, q - 1 / _CELLS
    energy = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    return ratio((x * y).sum(axis=0), np.where(energy > _FLOOR**2, energy, 0), 0.0)


@dataclass(frozen=True, eq=False)
class _Coupling:
    """The most dependent joint distributions of n pairs of patterns p and q, both ``(9, n)``.

    Their cumulative is min(P, Q): all mass lies on a stair of 17 of the 81 cells, from the first
    places to the last.

    Attributes:
        mass: ``(17, n)``, probability of each step.
        independent: ``(17, n)``, the product p q in the same cells.
        correlation: ``(n,)``, of the places' numbers, never negative.
    """

    mass: Plane
    independent: Plane
    correlation: Plane

    @classmethod
    def of(cls, p: Plane, q: Plane) -> _Coupling:
        upper_p, upper_q = p.cumsum(axis=0), q.cumsum(axis=0)
        correlation = _place_correlation(p, q, upper_p, upper_q)
        # past every end, so that rounding cannot leave the stair before its last cell
        upper_p[-1] = upper_q[-1] = 2
        ends_p, ends_q, p_flat, q_flat = (z.ravel() for z in (upper_p, upper_q, p, q))
        count, steps = p.shape[1], 2 * _CELLS - 1
        mass, independent = np.empty((steps, count)), np.empty((steps, count))
        row = np.arange(count, dtype=np.intp)  # into the flat arrays
        column = row.copy()
        low = np.zeros(count)
        for step in range(steps):
            end_p, end_q = ends_p.take(row), ends_q.take(column)
            np.multiply(p_flat.take(row), q_flat.take(column), out=independent[step])
            high = np.minimum(end_p, end_q)
            np.subtract(high, low, out=mass[step])
            low = high
            down = (end_p <= end_q) * np.intp(count)
            row += down
            column += count - down
        mass[-1] -= 1
        return cls(mass, independent, correlation)

    def mixed_entropy(self, share: Plane, both: Plane) -> Plane:
        """Return the entropy of ``share`` of this coupling and the rest of independence.

        Every cell off the stair is ``rest p q``. Over all 81 cells that has the entropy
        ``rest (both - log rest)``, `both` being the sum of the patterns' entropies; on the
        stair its part is exchanged for the mixture's.
        """
        rest = 1 - share
        independent = self.independent * rest
        joint = self.mass * share + independent
        on_stair = (_x_log_x(joint) - _x_log_x(independent)).sum(axis=0)
        return rest * both - _x_log_x(rest) - on_stair


def _place_correlation(p: Plane, q: Plane, upper_p: Plane, upper_q: Plane) -> Plane:
    """Correlation of the places' numbers if the cumulative is min(P, Q), never negative.

    By Hoeffding the covariance is the sum over all places of ``min(P_i, Q_j) - P_i Q_j``.
    """
    place = np.arange(_CELLS, dtype=np.float64) - _CELLS // 2
    mean_p, mean_q = place @ p, place @ q
    spread = (place**2 @ p - mean_p**2) * (place**2 @ q - mean_q**2)
    covariance = -upper_p[:-1].sum(axis=0) * upper_q[:-1].sum(axis=0)
    for end in upper_p[:-1]:
        covariance += np.minimum(end, upper_q[:-1]).sum(axis=0)
    return np.maximum(ratio(covariance, np.sqrt(np.maximum(spread, 0)), 0.0), 0)


def _x_log_x(x: Plane) -> Plane:
    """Return x log x, 0 where x is 0 or, by rounding, less."""
    return x * np.log(np.maximum(x, np.finfo(np.float64).tiny))
