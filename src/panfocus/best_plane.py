"""The maps of a stack from which one frame was taken whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from panfocus.optics import Float
from panfocus.settings import Settings

Maps = tuple[NDArray[np.uint16] | None, Float | None, Float | None]


def best_plane_maps(shape: tuple[int, ...], scores: Sequence[float], settings: Settings) -> Maps:
    """Return index, depth and confidence, each the same everywhere.

    Args:
        shape: of a frame, ``(H, W[, C])``.
        scores: sharpness of each frame, at least two.
        settings: whether maps are wanted, and the z-step.

    Returns:
        ``(H, W)`` uint16, float32 (frame number, or micrometres), and float32 in [0, 1]: by how
        much of its sharpness the best frame is ahead of the second; Nones when not wanted.
    """
    if not settings.maps:
        return None, None, None
    best = int(np.argmax(scores))
    second, first = sorted(scores)[-2:]
    size = shape[:2]
    depth = best if settings.z_step_um is None else best * settings.z_step_um
    return (
        np.full(size, best, np.uint16),
        np.full(size, depth, np.float32),
        np.full(size, (first - second) / first if first > 0 else 0.0, np.float32),
    )
