"""The kernel of a circle of confusion."""

from __future__ import annotations

import numpy as np

from panfocus.arrays.types import Float


def disc_kernel(radius: float, supersample: int = 8) -> Float:
    """Return the normalised ``(K, K)`` kernel of a circular aperture, its rim anti-aliased.

    Args:
        radius: of the circle of confusion, in pixels, >= 0; any fraction.
        supersample: sub-pixels per pixel and axis used to measure the rim's coverage.
    """
    half = int(np.ceil(radius + 0.5))
    fine = (np.arange((2 * half + 1) * supersample) + 0.5) / supersample - (half + 0.5)
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2 <= max(radius, 0.3) ** 2).astype(np.float32)
    size = 2 * half + 1
    cover = inside.reshape(size, supersample, size, supersample).mean(axis=(1, 3))
    return (cover / cover.sum()).astype(np.float32)
