"""Metrics of transferred edges."""

from __future__ import annotations

import numpy as np

from panfocus.metrics.filters import sobel
from panfocus.metrics.picture import Grey, Picture, Plane, Sources, greys

#: What stands for 0 in gradients and horizontal derivatives, so that ratios exist.
_TINY = 1e-5


def q_g(sources: Sources, fused: Picture) -> float:
    """Q^AB/F, gradient transfer; higher is better; 0..0.974794 (F = A = B, never 1).

    ``sum g_i Q_i / sum g_i`` over pixels and sources i with Sobel strengths g and
    ``Q = Q_strength Q_angle``, two sigmoids of how far strength (min/max ratio) and angle
    (1 - |difference| 2 / pi) are kept (Xydeas and Petrovic, Electronics Letters 36(4), 2000).
    Any number of sources.

    The angle is atan(gy / gx), without quadrant, and two angles may differ by pi: then the angle
    term is -1 and not 0. Other programs (per-pixel ratios, other sigmoids) differ in the second
    decimal: never mix them in one table.
    """
    planes, out = greys(sources, fused)
    strength_f, angle_f = _edges(out)
    kept = total = 0.0
    for source in planes:
        strength, angle = _edges(source)
        ratio = np.minimum(strength, strength_f) / np.maximum(strength, strength_f)
        aligned = 1 - np.abs(angle - angle_f) * (2 / np.pi)
        kept += float((strength * _sigmoids(ratio, aligned)).sum())
        total += float(strength.sum())
    return kept / total


def _edges(picture: Grey) -> tuple[Plane, Plane]:
    """Return Sobel strength, never 0, and angle in -pi/2..pi/2; zero padded."""
    along_x, along_y = sobel(picture.plane)
    strength = np.hypot(along_x, along_y)
    strength[strength == 0] = _TINY
    along_x[along_x == 0] = _TINY
    return strength, np.arctan(along_y / along_x)


def _sigmoids(ratio: Plane, aligned: Plane) -> Plane:
    """Weigh kept strength and kept angle by the constants of the paper's section 3."""
    by_strength = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5)))
    by_angle = 0.9879 / (1 + np.exp(-22 * (aligned - 0.8)))
    return by_strength * by_angle
