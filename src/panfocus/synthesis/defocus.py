"""Defocus as a lens makes it: discs of confusion, in linear light.

Light adds up linearly, so pictures are blurred after their gamma is undone and encoded again
afterwards.

Arrays are float32, colour ``(H, W, C)`` or grey ``(H, W)``, in linear light where 1.0 is the
sensor's white; brighter lights are allowed until `expose` clips them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.discs import GAMMA, disc
from panfocus.arrays.types import Float

Aperture = Literal["disc", "gaussian"]

#: A disc of radius r has the second moment of a Gaussian of sigma r / 2.
DISC_TO_SIGMA = 0.5


def to_linear(encoded: Float, gamma: float = GAMMA) -> Float:
    """Undo display encoding: values in [0, 1] to linear light in [0, 1], same shape."""
    return np.power(np.clip(encoded, 0, 1), gamma, dtype=np.float32)


def expose(linear: Float, gamma: float = GAMMA) -> Float:
    """Clip linear light at the sensor's white and encode it: any range >= 0 to [0, 1]."""
    return np.power(np.clip(linear, 0, 1), 1 / gamma, dtype=np.float32)


def defocus(image: Float, radius: float, aperture: Aperture = "disc") -> Float:
    """Blur by a circle of confusion of `radius` pixels; borders reflect; same shape.

    A Gaussian aperture gets the sigma of equal second moment. Radii under 0.3 px change nothing.
    """
    if radius < 0.3:
        return image
    if aperture == "disc":
        return disc(image, radius)
    sigma = radius * DISC_TO_SIGMA
    size = 2 * int(np.ceil(3.5 * sigma)) + 1
    blurred = cv2.GaussianBlur(image, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float32).reshape(image.shape)


def rungs(place: Float | NDArray[np.float64], count: int) -> Iterator[tuple[int, Float]]:
    """Yield which of a ladder's blurs mix to a blur of its own for each pixel, and by what shares.

    Args:
        place: of each pixel on the ladder, ``(H, W)`` in [0, count - 1]: between two rungs both
            are mixed.
        count: rungs of the ladder.

    Yields:
        The number of every rung that takes part, and its share in [0, 1], ``(H, W)``.

    Examples:
        >>> [(k, share.tolist()) for k, share in rungs(np.array([[0, 0.25]]), 3)]
        [(0, [[1.0, 0.75]]), (1, [[0.0, 0.25]])]
    """
    for k in range(count):
        share = np.maximum(1 - np.abs(place - k), 0)
        if share.any():
            yield k, np.asarray(share, np.float32)
