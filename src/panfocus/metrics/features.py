"""Feature mutual information: how well local patterns of gradients predict each other.

From the formulas alone: no value of the authors' own program was to be had, so the numbers of
this module, unlike its neighbours', are not verified against any.
"""

from __future__ import annotations

import numpy as np

from panfocus.metrics.filters import ratio, sobel
from panfocus.metrics.picture import Picture, Plane, Sources, greys

_SIDE = 3
_CELLS = _SIDE**2
#: Windows measured at a time: their couplings fill 1.3 MB, whatever the picture's size.
_CHUNK = 2048
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
    joint = _upper_coupling(p, q)
    share = np.clip(ratio(np.abs(wanted), _place_correlation(p, q, joint), 1.0), 0, 1)
    independent = p[:, None] * q[None, :]
    joint -= independent
    joint *= share
    joint += independent
    both = _entropy(p) + _entropy(q)
    shared = both - _entropy(joint.reshape(_CELLS**2, -1))
    # equal patterns know all of each other, even level ones that correlate with nothing
    return np.where(equal, 1.0, np.clip(2 * ratio(shared, both, 0.5), 0, 1))


def _entropy(p: Plane) -> Plane:
    """Return the entropy in nats of each column.

    Logarithms are taken in single precision, which halves the metric's time; what that costs is
    under 1e-6 in the mean.
    """
    single = np.maximum(p.astype(np.float32), np.finfo(np.float32).tiny)
    return -np.einsum("in,in->n", p, np.log(single))


def _correlation(p: Plane, q: Plane) -> Plane:
    """Correlation of two patterns, 0 where one is level."""
    x, y = p - 1 / _CELLS, q - 1 / _CELLS
    energy = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    return ratio((x * y).sum(axis=0), np.where(energy > _FLOOR**2, energy, 0), 0.0)


def _upper_coupling(p: Plane, q: Plane) -> Plane:
    """Return ``(9, 9, n)``, the joint distribution whose cumulative is min(P, Q)."""
    upper_p, upper_q = p.cumsum(axis=0), q.cumsum(axis=0)
    overlap = np.minimum(upper_p[:, None], upper_q[None, :])
    overlap -= np.maximum((upper_p - p)[:, None], (upper_q - q)[None, :])
    return np.maximum(overlap, 0, out=overlap)


def _place_correlation(p: Plane, q: Plane, joint: Plane) -> Plane:
    """Correlation of the places' numbers under a joint distribution, never negative."""
    place = np.arange(_CELLS, dtype=np.float64) - _CELLS // 2
    mean_p, mean_q = place @ p, place @ q
    spread_p, spread_q = place**2 @ p - mean_p**2, place**2 @ q - mean_q**2
    product = place @ np.tensordot(place, joint, axes=1)
    spread = np.sqrt(np.maximum(spread_p * spread_q, 0))
    return np.maximum(ratio(product - mean_p * mean_q, spread, 0.0), 0)
