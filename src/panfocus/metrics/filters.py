"""Windows and gradients that several metrics share, all on ``(H, W)`` float64 planes.

*Valid* keeps only the pixels whose whole window lies in the picture (a K x K window leaves
``(H - K + 1, W - K + 1)``); *same* pads with zeros, as MATLAB's filter2 does, which is why some
metrics see an edge along the border of the picture. The published values contain that edge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from panfocus.metrics.picture import Plane

Window = Callable[[Plane], Plane]
#: Variances are noise below this: whole grey levels differ by at least 0.0154 in an 8 x 8 window.
NOISE = 1e-9


def gaussian_profile(size: int, sigma: float) -> Plane:
    """Return ``(size,)`` samples of exp(-x^2 / 2 sigma^2) around the middle, not normalised."""
    offsets = np.arange(size) - (size - 1) / 2
    return np.exp(-(offsets**2) / (2 * sigma**2))


def _valid(plane: Plane, size: int) -> Plane:
    """Cut a filtered plane (anchor at size // 2) down to its complete windows."""
    start = size // 2
    rows, columns = plane.shape[0] - size + 1, plane.shape[1] - size + 1
    return plane[start : start + rows, start : start + columns]


def box(plane: Plane, size: int = 8) -> Plane:
    """Mean over ``size x size`` windows, valid.

    Running sums of whole numbers are exact in float64, so that the variance of a flat window of
    an 8-bit picture is exactly 0 and not a rounding error that a ratio would blow up.
    """
    middle = (size // 2, size // 2)
    sums = cv2.boxFilter(
        plane, cv2.CV_64F, (size, size), anchor=middle, normalize=False,
        borderType=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    return _valid(np.asarray(sums, np.float64), size) / size**2


def separable(plane: Plane, along_x: Plane, along_y: Plane) -> Plane:
    """Correlate with the kernel ``along_y[:, None] * along_x``, same size, zero padded."""
    out = cv2.sepFilter2D(plane, cv2.CV_64F, along_x, along_y, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(out, np.float64)


def gaussian(size: int, sigma: float) -> Window:
    """Return the window that takes Gaussian-weighted means, valid, weights summing to 1."""
    profile = gaussian_profile(size, sigma)
    profile /= profile.sum()
    return lambda plane: _valid(separable(plane, profile, profile), size)


def sobel(plane: Plane, border: int = cv2.BORDER_CONSTANT) -> tuple[Plane, Plane]:
    """Return the Sobel derivatives along x and y (weights 1 2 1), same size."""
    along_x = cv2.Sobel(plane, cv2.CV_64F, 1, 0, borderType=border)
    along_y = cv2.Sobel(plane, cv2.CV_64F, 0, 1, borderType=border)
    return np.asarray(along_x, np.float64), np.asarray(along_y, np.float64)


def prewitt(plane: Plane) -> Plane:
    """Return the Prewitt gradient magnitude (weights 1 1 1), same size, zero padded."""
    step, level = np.array([-1.0, 0.0, 1.0]), np.ones(3)
    return np.hypot(separable(plane, step, level), separable(plane, level, step))


@dataclass(frozen=True, eq=False)
class Local:
    """A plane with its local statistics under one window.

    Attributes:
        plane: ``(H, W)``.
        mean: local mean, in the window's shape.
        variance: local variance, never negative, 0 where it is only noise.
    """

    plane: Plane
    mean: Plane
    variance: Plane

    @classmethod
    def of(cls, plane: Plane, window: Window, noise: float = NOISE) -> Local:
        """Measure mean and variance; variances below `noise` count as 0.

        A `noise` of -inf keeps even negative rounding errors, as the unguarded formulas do.
        """
        mean = window(plane)
        variance = window(plane * plane) - mean * mean
        variance[variance < noise] = 0
        return cls(plane, mean, variance)

    def covariance(self, other: Local, window: Window, noise: float = NOISE) -> Plane:
        """Return the local covariance with another plane; magnitudes below `noise` count as 0."""
        shared = window(self.plane * other.plane) - self.mean * other.mean
        shared[np.abs(shared) < noise] = 0
        return shared


def ssim_map(x: Local, y: Local, covariance: Plane, c1: float, c2: float) -> Plane:
    """Structural similarity (Wang et al. 2004, eq. 13), in the window's shape.

    ``(2 mx my + c1)(2 sxy + c2) / ((mx^2 + my^2 + c1)(sx + sy + c2))`` with variances sx, sy.
    With c1 and c2 next to 0 this is the universal quality index of Wang and Bovik (2002).
    """
    light = (2 * x.mean * y.mean + c1) / (x.mean**2 + y.mean**2 + c1)
    return light * ((2 * covariance + c2) / (x.variance + y.variance + c2))


def ratio(numerator: Plane, denominator: Plane, otherwise: float) -> Plane:
    """Divide; where the denominator is 0, take `otherwise`."""
    out = np.full(numerator.shape, otherwise)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out
