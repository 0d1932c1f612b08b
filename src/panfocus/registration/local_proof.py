"""Where a flow between two frames is proven, and where staying put explains them as well.

What remains of each patch, once brightness, contrast, blur and growth have explained what they can,
is compared with and without the flow (as a whole frame's transform is proven by
`panfocus.registration.accept`). A region is believed that holds a core of patches which gain much,
against the neighbour and against the reference, and reaches from there as far as patches gain at
all. Numbers are MEASURED, see docs/decisions/0021-local-registration.md.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.registration.flow import Grid, measured, shifted
from panfocus.registration.patches import SIDE

#: Gain (logarithm of what remains at rest over what remains after) of a core and around it.
CORE = 1.4
#: The same of a core against the reference frame.
CORE_TO_REFERENCE = 0.7
#: Share of the gain of its surroundings that each patch of a core has itself.
_OWN = 0.7
#: Gain up to which a step from frame to frame is none, and from which it is whole.
STEP = (0.2, 0.6)
#: Gain of a patch beside a core that belongs to it.
BESIDE = 0.3
#: Shift in pixels that a core has somewhere.
CORE_SHIFT = 0.8
#: Shift in pixels up to which a place rests.
RESTS = 0.3
#: Patches that a core has at least, and how far from it a region reaches.
FEWEST = 2
REACH = 8
#: Sigma in pixels over which a region fades.
_FADE = 6.0


def proven(flow: Float, fixed: Float, moving: Float, reference: Float, shown: Float) -> Float:
    """Return a flow that is 0 where it is not proven.

    Args:
        flow: ``(h, w, 2)`` from `fixed` to `moving`, pixels.
        fixed: ``(h, w)`` luminance of a neighbour, put in place.
        moving: of the frame.
        reference: of the reference frame.
        shown: ``(h, w)``, 1 where frame and neighbour show the scene.

    Returns:
        ``(h, w, 2)``, exactly 0 outside proven regions and where it is small.
    """
    height, width = flow.shape[:2]
    grid = Grid.of(height, width)
    if not grid.rows or not grid.cols:
        return np.zeros_like(flow)
    placed = shifted(moving, flow)
    near = _gains(grid, fixed, moving, placed, shown)
    core = _is_core(near, _largest(grid, flow)) & _agrees(
        _gains(grid, reference, moving, placed, shown)
    )
    core = _without_small(core)
    if not core.any():
        return np.zeros_like(flow)
    share = grid.dense(_grown(core, near, _largest(grid, flow)).astype(np.float32), height, width)
    share = cv2.GaussianBlur(share, (0, 0), _FADE)
    length = np.hypot(flow[..., 0], flow[..., 1])
    share = share * np.clip(length / np.float32(RESTS) - 1, 0, 1)
    return np.asarray(flow * share[..., None], np.float32)


def sober(flow: Float, guess: Float, fixed: Float, moving: Float, shown: Float) -> Float:
    """Return a flow that differs from where it began only as far as patches gain by that.

    What blur feigns at an edge in every step would otherwise add up from frame to frame.

    Args:
        flow: ``(h, w, 2)`` from `fixed` to `moving`, pixels.
        guess: where it began.
        fixed: ``(h, w)`` luminance of a neighbour, put in place.
        moving: of the frame.
        shown: ``(h, w)``, 1 where both show the scene.
    """
    height, width = flow.shape[:2]
    grid = Grid.of(height, width)
    low, high = STEP
    rest, placed = shifted(moving, guess), shifted(moving, flow)
    # a patch that is off too far to be measured at rest says nothing against the step
    gains = _around(_gains(grid, fixed, rest, placed, shown), fewest=0, unknown=high)
    share = grid.dense(np.clip((gains - low) / np.float32(high - low), 0, 1), height, width)
    return np.asarray(guess + (flow - guess) * share[..., None], np.float32)


def _gains(grid: Grid, fixed: Float, moving: Float, placed: Float, shown: Float) -> Float:
    """Return what each patch gains by being placed, ``(rows, cols)``; NaN where not known."""
    rest, after = (measured(fixed, frame, shown) for frame in (moving, placed))
    _, here, there = np.intersect1d(rest.number, after.number, return_indices=True)
    out = np.full(grid.rows * grid.cols, np.nan, np.float32)
    out[grid.numbers(rest)[here]] = np.log(rest.remains[here] / after.remains[there])
    return out.reshape(grid.rows, grid.cols)


def _around(gains: Float, fewest: float = 4.0, unknown: float = 0.0) -> Float:
    """Return the mean gain around each patch.

    Args:
        gains: ``(rows, cols)``, NaN where not known.
        fewest: weight of known patches, 4 for the middle one, below which the mean is less.
        unknown: what is said where no patch around is known.
    """
    tent = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32)
    known = np.isfinite(gains).astype(np.float32)
    total, count = (
        cv2.filter2D(p, -1, tent, borderType=cv2.BORDER_CONSTANT)
        for p in (np.nan_to_num(gains), known)
    )
    mean = np.where(count > 0, total / np.maximum(count, max(fewest, 1e-6)), unknown)
    return np.asarray(mean, np.float32)


def _largest(grid: Grid, flow: Float) -> Float:
    """Return the largest shift in each patch."""
    length = np.hypot(flow[..., 0], flow[..., 1])
    part = length[grid.top :, grid.left :][: grid.rows * SIDE, : grid.cols * SIDE]
    return np.asarray(part.reshape(grid.rows, SIDE, grid.cols, SIDE).max(axis=(1, 3)), np.float32)


def _is_core(gains: Float, shift: Float) -> NDArray[np.bool_]:
    own = np.nan_to_num(gains) > _OWN * CORE
    return np.asarray((_around(gains) > CORE) & own & (shift > CORE_SHIFT))


def _agrees(gains: Float) -> NDArray[np.bool_]:
    return (_around(gains) > CORE_TO_REFERENCE) | ~np.isfinite(gains)


def _without_small(core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return cores without those of few patches."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(core.astype(np.uint8), connectivity=8)
    large = facts[:, cv2.CC_STAT_AREA] >= FEWEST
    large[0] = False
    return np.asarray(large[np.asarray(labels, np.intp)])


def _grown(core: NDArray[np.bool_], gains: Float, shift: Float) -> NDArray[np.bool_]:
    """Return regions: cores, what gains beside them, and one patch more, where flow runs out."""
    joins = core | ((np.nan_to_num(gains, nan=BESIDE + 1) > BESIDE) & (shift > RESTS))
    box = np.ones((3, 3), np.uint8)
    region = core
    for _ in range(REACH):
        region = (cv2.dilate(region.astype(np.uint8), box) > 0) & joins
    return np.asarray(cv2.dilate(region.astype(np.uint8), box) > 0)
