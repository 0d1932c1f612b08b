"""What curves of focus tell: where they peak, how far frames are apart, whether to believe them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float

#: Share of all changes from frame to frame that lead to the peak before it and from it afterwards:
#: at most in frames out of order, and from which on they are in order. MEASURED: .97 and more in
#: stacks with defocus of 6 to 24 pixels, noise, JPEG, breathing or motion; .80 and .90 where one
#: frame was out of its place, and at most .78 where all were.
_DISORDER, _ORDER = 0.92, 0.96
#: The same of one place, where two depths may meet.
_TWO_PEAKS, _ONE_PEAK = 0.6, 0.9
#: Places that are enough to tell something of a whole stack.
_FEWEST = 50
#: Radius of defocus between frames whose curves bend by 1, working pixels. MEASURED on made stacks.
_STEP = 2.25
#: Least bend of a curve that has a peak, in logarithms.
_BEND = 1e-3
#: How far a peak may lie from the frame that was chosen, as a share of the way to its neighbour:
#: past the middle that neighbour is nearer, and was not chosen for some reason.
_REACH = 0.75


def peaks(curves: Float) -> tuple[Float, Float]:
    """Return how far each frame's peak lies from it, and the bend of its curve, both ``(N, a, b)``.

    0 where no peak is near, and for the first and the last frame, which lack a neighbour.

    Args:
        curves: logarithms of detail, ``(N, a, b)``, of frames at even distances. A frame that was
            left out counts as none: whether it left a gap nobody knows. MEASURED: where it did,
            stacks gain all the same.

    Example:
        >>> import numpy as np
        >>> curve = np.array([-1.0, 0.0, -0.5], np.float32).reshape(3, 1, 1)
        >>> away, bend = peaks(curve)
        >>> round(float(away[1, 0, 0]), 4), float(bend[1, 0, 0])
        (0.1667, 1.5)
    """
    away, bend = np.zeros_like(curves), np.zeros_like(curves)
    for n in range(1, len(curves) - 1):
        before, here, after = curves[n - 1 : n + 2]
        np.maximum(2 * here - before - after, 0, out=bend[n])
        slope = (after - before) / 2
        sharp = np.maximum(bend[n], np.float32(_BEND))
        np.copyto(away[n], slope / sharp, where=np.abs(slope) < _REACH * sharp)
    return away, bend


def step_of(curves: Float, bend: Float, told: NDArray[np.bool_]) -> float:
    """Return the radius of the defocus between two neighbours, working pixels.

    The median over all places that have a peak within the stack. A curve's bend is ``w^2 s^2 / 2``,
    with ``s`` the step: one for the whole stack, while ``w`` goes by what there is to be seen.

    Args:
        curves: logarithms of detail, ``(N, a, b)``.
        bend: of them, see `peaks`.
        told: places that may be asked, ``(a, b)``.

    Returns:
        0 where fewer than `_FEWEST` places tell.
    """
    best = curves.argmax(axis=0)
    found = np.take_along_axis(bend, best[None], axis=0)[0]
    found = found[told & (best > 0) & (best < len(curves) - 1) & (found > _BEND)]
    return _STEP * float(np.sqrt(median(found))) if found.size >= _FEWEST else 0.0


def trust(curves: Float) -> Float:
    """Return how far curves of frames in order may be believed, ``(a, b)`` in [0, 1].

    Detail rises up to one frame and falls from it on. Where it does not, two depths meet, something
    moves, or, if that is so all over, the frames are out of order.

    Args:
        curves: logarithms of detail, ``(N, a, b)``.
    """
    steps = np.diff(curves, axis=0)
    is_before = np.arange(len(steps))[:, None, None] < curves.argmax(axis=0)
    right = np.where(is_before, np.maximum(steps, 0), np.maximum(-steps, 0)).sum(axis=0)
    changes = np.abs(steps).sum(axis=0)
    order = _between(float(right.sum()) / max(float(changes.sum()), 1e-6), _DISORDER, _ORDER)
    return order * _between(right / np.maximum(changes, np.float32(1e-6)), _TWO_PEAKS, _ONE_PEAK)


def _between(value: Any, low: float, high: float) -> Float:  # noqa: ANN401  a number or a map
    """Return how far values lie on the way, in [0, 1]."""
    return np.clip((np.asarray(value, np.float32) - low) / (high - low), 0, 1).astype(np.float32)


def fall(values: Float, by: Float) -> float:
    """Return how fast values fall by another, the slope of least squares; 0 where few tell.

    Args:
        values: ``(K,)``.
        by: the other, ``(K,)``.
    """
    if values.size < _FEWEST:
        return 0.0
    aside = by - by.mean()
    scatter = float(np.square(aside).sum())
    return -float((aside * (values - values.mean())).sum()) / scatter if scatter > 0 else 0.0
