"""Turn stored pixels upright, as EXIF Orientation asks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TRANSPOSED = 5  # from here on the orientations exchange rows and columns


def upright_shape(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Return (height, width) after the orientation is applied."""
    return (width, height) if orientation >= _TRANSPOSED else (height, width)


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Apply an EXIF orientation.

    Args:
        pixels: (H, W) or (H, W, C) as stored.
        orientation: 1 to 8.

    Returns:
        The upright pixels, contiguous: (H, W[, C]), or (W, H[, C]) for orientations 5 to 8.
    """
    if orientation >= _TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
