"""Statistics of the fused picture alone: they know nothing of truth, only of liveliness.

All of them grow with contrast and with noise. A sharpened or noisy picture beats the truth, so
they compare methods of one family at best.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.metrics.filters import sobel
from panfocus.metrics.picture import Grey, Picture


def en(fused: Picture) -> float:
    """Entropy of the grey levels, in bits; higher is livelier; 0..8.

    ``-sum p log2 p`` over 256 levels (Shannon 1948). More than 8 bits are rounded to levels.
    """
    levels = np.floor(Grey.of(fused, "fused picture").plane + 0.5).astype(np.uint8)
    counts = np.asarray(cv2.calcHist([levels], [0], None, [256], [0, 256]), np.float64).ravel()
    p = counts[counts > 0] / levels.size
    # "+ 0.0" turns the -0.0 of a constant picture into 0.0
    return float(-(p * np.log2(p)).sum()) + 0.0


def sd(fused: Picture) -> float:
    """Standard deviation as the field's tables have it; higher is livelier; 0..about 128.

    The **mean over the columns of each column's standard deviation** (n - 1), as MATLAB's
    ``mean(std(F))``, and not that of the whole picture, which is larger.
    """
    plane = Grey.of(fused, "fused picture").plane
    return float(plane.std(axis=0, ddof=1).mean())


def ag(fused: Picture) -> float:
    """Average gradient; higher is sharper or noisier; >= 0.

    ``mean sqrt((dx^2 + dy^2) / 2)`` of forward differences, the last row and column repeated
    (their difference is 0). Other toolboxes take central differences: 20 % lower.
    """
    plane = Grey.of(fused, "fused picture").plane
    dx = np.zeros_like(plane)
    dy = np.zeros_like(plane)
    dx[:, :-1] = np.diff(plane, axis=1)
    dy[:-1] = np.diff(plane, axis=0)
    return float(np.sqrt((dx**2 + dy**2) / 2).mean())


def sf(fused: Picture) -> float:
    """Spatial frequency (Eskicioglu and Fisher 1995); higher is sharper or noisier; >= 0.

    ``sqrt(RF^2 + CF^2)``: root mean squares of horizontal and vertical differences, both divided
    by the number of **pixels** (H W), not of differences.
    """
    plane = Grey.of(fused, "fused picture").plane
    rows = float((np.diff(plane, axis=1) ** 2).sum())
    columns = float((np.diff(plane, axis=0) ** 2).sum())
    return float(np.sqrt((rows + columns) / plane.size))


def ei(fused: Picture) -> float:
    """Edge intensity: mean Sobel gradient magnitude, border repeated; higher is sharper; >= 0."""
    along_x, along_y = sobel(Grey.of(fused, "fused picture").plane, cv2.BORDER_REPLICATE)
    return float(np.hypot(along_x, along_y).mean())
