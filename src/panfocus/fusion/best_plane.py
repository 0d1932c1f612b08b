"""The maps of a stack from which one frame was taken whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float


def best_plane_maps(
    shape: tuple[int, ...], scores: Sequence[float]
) -> tuple[NDArray[np.uint16], Float, Float]:
    """Return index, depth and confidence, each the same everywhere.

    Args:
        shape: of a frame, ``(H, W[, C])``.
        scores: sharpness of each frame, at least two.

    Returns:
        ``(H, W)`` uint16, float32 (frame number), and float32 in [0, 1]: by how
        much of its sharpness the best frame is ahead of the second.
    """
    best = int(np.argmax(scores))
    second, first = sorted(scores)[-2:]
    size = shape[:2]
    return (
        np.full(size, best, np.uint16),
        np.full(size, best, np.float32),
        np.full(size, (first - second) / first if first > 0 else 0.0, np.float32),
    )
