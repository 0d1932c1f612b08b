"""Depth: from what the fold and the picture know of it to frame numbers or micrometres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from panfocus.arrays.types import Float
from panfocus.fusion.composite import Composer
from panfocus.fusion.decision import Fold
from panfocus.fusion.focus_curves import FocusCurves
from panfocus.fusion.fold import upsample


def finest_depth(composer: Composer, fold: Fold, curves: FocusCurves | None) -> Float | None:
    """Return depth ``(H, W)`` in frames, with fractions; None when maps are not wanted.

    The working scale knows the fractions, the full scale the edges: where the two are more than a
    frame apart, an edge has been moved to where the picture has it, and the whole frame is right.

    Args:
        composer: knows which frame won, and the mean frame by its weights.
        fold: knows fractions where its system measures every frame alone.
        curves: know them for other systems; None where nobody asked for them.
    """
    index, fine = composer.index, fold.depth()
    if index is None:
        return composer.depth
    height, width = index.shape
    whole = index.astype(np.float32)
    if fine is not None:
        fine = upsample(fine, height, width)
        return np.where(np.abs(fine - whole) <= 1, fine, whole)
    depth, told = composer.depth, curves.depth() if curves else None
    if depth is None or told is None:
        return depth
    fine, trust = (upsample(one, height, width) for one in told)
    trust[np.abs(fine - whole) > 1] = 0
    return np.asarray(depth + trust * (fine - depth), np.float32)


def knows_distances(step_um: float | None, places_um: Sequence[float | None]) -> bool:
    """Whether it is known how far the frames are from each other in micrometres."""
    return step_um is not None or (bool(places_um) and None not in places_um)


def measured_depth(depth: Float, step_um: float | None, places_um: Sequence[float | None]) -> Float:
    """Return depth in micrometres where it is known how far the frames are from each other.

    Args:
        depth: float32 of any shape, in frames.
        step_um: distance between any two neighbours, micrometres; None where not known or uneven.
        places_um: where each frame says that it is; between two of them depth is linear.

    Examples:
        >>> measured_depth(np.float32([0, 1.5]), None, [0.0, 1.0, 4.0]).tolist()
        [0.0, 2.5]
    """
    if step_um is not None:
        return depth * np.float32(step_um)
    if not knows_distances(None, places_um):
        return depth
    known = [place for place in places_um if place is not None]
    return np.interp(depth, np.arange(len(known)), known).astype(np.float32)
