"""Metrics against a known truth: believe these first, wherever a truth exists."""

from __future__ import annotations

import math

import cv2
import numpy as np

from panfocus.metrics.filters import Local, gaussian, prewitt, ssim_map
from panfocus.metrics.picture import Picture, Plane, pair

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_GMSD_C = 170.0


def psnr(reference: Picture, fused: Picture) -> float:
    """Peak signal to noise ratio in dB, on grey; higher is better; infinite if equal.

    ``20 log10(255 / rmse)``. One frame of bad pixels along the border can cost 10 dB: look at
    where the error is before comparing methods.
    """
    truth, out = pair(reference, fused)
    error = float(((truth.plane - out.plane) ** 2).mean())
    return 10 * math.log10(255**2 / error) if error > 0 else math.inf


def ssim(reference: Picture, fused: Picture) -> float:
    """Mean structural similarity; higher is better; -1..1, 1 if equal.

    11 x 11 Gaussian windows (sigma 1.5), valid, K = 0.01 and 0.03, **no** downsampling (Wang,
    Bovik, Sheikh and Simoncelli, TIP 13(4), 2004, eq. 13). Programs that pad the border or
    shrink the picture first give other values.
    """
    truth, out = pair(reference, fused)
    window = gaussian(11, 1.5)
    x, y = Local.of(truth.plane, window), Local.of(out.plane, window)
    return float(ssim_map(x, y, x.covariance(y, window), _C1, _C2).mean())


def gmsd(reference: Picture, fused: Picture) -> float:
    """Gradient magnitude similarity deviation; **lower** is better; >= 0, 0 if equal.

    The standard deviation (n - 1) of ``(2 g h + 170) / (g^2 + h^2 + 170)`` over the Prewitt
    strengths of both pictures averaged 2 x 2 and halved (Xue, Zhang, Mou and Bovik, TIP 23(2),
    2014). An error that is alike everywhere costs nothing.
    """
    truth, out = pair(reference, fused)
    g, h = _halved_strength(truth.plane), _halved_strength(out.plane)
    similar = (2 * g * h + _GMSD_C) / (g**2 + h**2 + _GMSD_C)
    return float(similar.std(ddof=1))


def _halved_strength(plane: Plane) -> Plane:
    mean = cv2.boxFilter(
        plane, cv2.CV_64F, (2, 2), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
    )  # fmt: skip
    return prewitt(np.ascontiguousarray(np.asarray(mean, np.float64)[::2, ::2])) / 3
