"""Frames that do not lie in the order of focus: shaken ones, and pictures of the same focus twice.

Through a stack the detail of a place rises up to one frame and falls from it on. A frame that was
shaken, or missed its focus, dips below both its neighbours wherever these have detail; one of the
same focus has the detail of the frame beside it. Both break the curve of all frames around them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float

#: By how much, in logarithms of energy, a place must lie below both neighbours to dip.
_BELOW = 0.15
#: Share of places from which on a frame dips, and up to which the others must not. MEASURED: frames
#: shaken by 5 to 20 px among others dip in .21 to .87 of places; of 19 real stacks and 126 made
#: ones no frame dips alone, but one held by hand (.21); bright field, in which contrast turns over,
#: dips in several frames.
_DIPS, _OTHERS = 0.12, 0.1
#: Frames that make such an order, at least, and how many may dip: one in so many.
_LEAST, _ONE_IN = 4, 4
#: Frames of which one may be told to dip: of the rest, fewer than four are no order to believe in.
#: Two sharp halves with blurred frames around them were taken for neighbours in focus.
_LEAST_TO_DIP = 5
#: By how much a frame must lead to be the sharpest at a place.
_LEAD = 0.05
#: Share of the usual change from a frame to the next up to which focus is the same, and up to which
#: it is if one is nowhere sharper. MEASURED: .02 to .09 where a frame was taken twice, .09 to
#: .27 where it was shaken by 3 px, .11 and more in real stacks.
_SAME, _SOFTER = 0.08, 0.3
#: Share of places in which a frame leads up to which it does nowhere.
_NOWHERE = 0.01


def dips(curves: Float) -> Float:
    """Return in what share of places each frame has less detail than both frames beside it.

    Args:
        curves: logarithms of the energy of detail, ``(N, K)``, frames in order.

    Returns:
        ``(N,)``; 0 for the first and the last, which have one neighbour.
    """
    out = np.zeros(len(curves), np.float32)
    if len(curves) >= 3:
        beside = np.minimum(curves[:-2], curves[2:])
        out[1:-1] = (curves[1:-1] < beside - np.float32(_BELOW)).mean(axis=1)
    return out


def dipping(curves: Float) -> list[int]:
    """Return the frames that dip below their neighbours, where all others are in order.

    Args:
        curves: logarithms of the energy of detail, ``(N, K)``, frames in order.

    Example:
        >>> import numpy as np
        >>> focus = -np.square(np.arange(6)[:, None] - np.linspace(0, 5, 50)).astype(np.float32)
        >>> focus[2] -= 4
        >>> dipping(focus)
        [2]
    """
    if len(curves) < _LEAST_TO_DIP or not curves.size:
        return []
    found = [int(n) for n in np.flatnonzero(dips(curves) >= _DIPS)]
    if not found or len(found) * _ONE_IN > len(curves):
        return []
    if any(after == before + 1 for before, after in pairwise(found)):
        return []
    rest = np.delete(curves, found, axis=0)
    return found if float(dips(rest).max()) <= _OTHERS else []


def leads(curves: Float, number: int, others: Float, by: float = _LEAD) -> float:
    """Return in what share of places a frame has more detail than all of some others.

    Args:
        curves: logarithms of the energy of detail, ``(N, K)``.
        number: of the frame.
        others: the same of those others, ``(M, K)``.
        by: how much more, in logarithms of energy.
    """
    return float((curves[number] > others.max(axis=0) + np.float32(by)).mean())


def same_focus(curves: Float) -> dict[int, int]:
    """Return frames that show the same focus as one beside them, or the same shaken a little.

    Args:
        curves: logarithms of the energy of detail, ``(N, K)``, frames in order.

    Returns:
        The frame that tells less, and the other: the softer, and of two that are alike the later.
    """
    if len(curves) < _LEAST or not curves.size:
        return {}
    change: NDArray[np.float32] = np.abs(np.diff(curves, axis=0)).mean(axis=1)
    usual = float(median(change))
    found: dict[int, int] = {}
    for first in np.flatnonzero(change <= _SOFTER * usual):
        before, after = int(first), int(first) + 1
        if before in found:
            continue
        if change[before] <= _SAME * usual or leads(curves, after, curves[[before]]) <= _NOWHERE:
            found[after] = before
        elif leads(curves, before, curves[[after]]) <= _NOWHERE:
            found[before] = after
    return found


def strays(curves: Float) -> dict[int, int | None]:
    """Return the frames that tell nothing of the order of focus: shaken ones and repeated ones.

    Args:
        curves: logarithms of the energy of detail, ``(N, K)``, frames in order.

    Returns:
        Each with the frame that shows the same focus; None where none does.
    """
    found: dict[int, int | None] = {**same_focus(curves)}
    rest = [n for n in range(len(curves)) if n not in found]
    return found | {rest[n]: None for n in dipping(curves[rest])}
