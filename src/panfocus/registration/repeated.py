"""Frames that show what a frame elsewhere in the stack shows: taken again, or put out of order.

Between them focus has gone on, so the order of focus is broken wherever the second one lies. Where
they may be is told by the energies of detail that every frame leaves; whether they are the same
picture by a second look at both (`panfocus.registration.redundant.difference`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from panfocus.arrays.focus_order import leads
from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float

#: Share of the usual change from a frame to the next up to which two are looked at again.
_ALIKE = 0.35
#: Share of places in which both must be sharper than all others, of the first pair that is found:
#: frames that are blurred throughout look alike on either side of what is in focus.
_SHARPEST = 0.02
#: Share of the usual change by which the way from frame to frame may be longer for one of two.
_DETOUR = 0.5
#: Pairs that are looked at again at most, of so many times as many; frames among which they are
#: sought, and places of each.
_MOST_PAIRS, _SIFTED, _MOST_FRAMES, _PLACES = 64, 4, 512, 512
#: By how much the second of two frames is softer, squares of a pixel; None where they differ.
Softer = Callable[[int, int], float | None]


def repeated(curves: Float, softer: Softer, as_sharp: float) -> set[int]:
    """Return the frames that another shows as well, nearer to its place in the order of focus.

    Args:
        curves: logarithms of the energy of detail, ``(N, K)``, frames in order.
        softer: looks at two frames again.
        as_sharp: softness up to which they are equally sharp.
    """
    if not 4 <= len(curves) <= _MOST_FRAMES or not curves.size:
        return set()
    usual = float(median(np.array([_apart(*two) for two in pairwise(curves)], np.float32)))
    groups: dict[int, dict[int, float]] = {}
    taken: set[int] = set()
    for first, second, is_sharp in _candidates(curves, usual):
        if taken & {first, second} or not (is_sharp or groups):
            continue
        by = softer(first, second)
        if by is not None:
            groups.setdefault(first, {first: 0.0})[second] = by
            taken.add(second)
    return {
        n for group in groups.values() for n in {*group} - {_best(curves, group, usual, as_sharp)}
    }


def _candidates(curves: Float, usual: float) -> list[tuple[int, int, bool]]:
    """Return pairs of frames that are no neighbours and may show the same, sharp ones first."""
    few = curves[:, :: max(curves.shape[1] // _PLACES, 1)]
    out: list[tuple[int, int, bool]] = []
    for first in range(len(few) - 2):
        if len(out) >= _MOST_PAIRS * _SIFTED:
            break
        apart = np.abs(few[first + 2 :] - few[first]).mean(axis=1)
        for second in (first + 2 + np.flatnonzero(apart <= _ALIKE * usual)).tolist():
            others = np.delete(curves, (first, second), axis=0)
            least = min(leads(curves, n, others) for n in (first, second))
            out.append((first, second, least >= _SHARPEST))
    return sorted(out, key=lambda pair: not pair[2])[:_MOST_PAIRS]


def _best(curves: Float, group: Mapping[int, float], usual: float, as_sharp: float) -> int:
    """Return the first of the sharpest that lies as well in the order of focus as any."""
    sharp = [n for n, by in sorted(group.items()) if by <= min(group.values()) + as_sharp]
    detours = [_detour(curves, n, {*group}) for n in sharp]
    return next(
        n for n, d in zip(sharp, detours, strict=True) if d <= min(detours) + _DETOUR * usual
    )


def _detour(curves: Float, number: int, group: set[int]) -> float:
    """Return by how much the way from frame to frame is longer for one of a group."""
    before = next((curves[n] for n in range(number - 1, -1, -1) if n not in group), None)
    after = next((curves[n] for n in range(number + 1, len(curves)) if n not in group), None)
    way = sum(_apart(curves[number], beside) for beside in (before, after) if beside is not None)
    return way if before is None or after is None else way - _apart(before, after)


def _apart(one: Float, other: Float) -> float:
    return float(np.abs(one - other).mean())
