"""Circles of confusion: the kernel, what it makes of light, how light is encoded."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float

#: Of display encoding, near enough to sRGB's: light is blurred, once that is undone.
GAMMA = 2.2


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


def disc(light: Float, radius: float) -> Float:
    """Return light blurred by a disc of a radius in pixels; borders reflect; same shape."""
    kernel = disc_kernel(radius)
    blurred = cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float32).reshape(light.shape)
