"""How noisy a picture is."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.pixels import shrink
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float

#: Share of the picture that is taken to be flat.
_FLAT = 0.1
#: Blind to slopes and edges along the axes; the squares of its numbers add up to 36.
_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_MASK_GAIN = 36
_BLOCK = 9


def noise_variance(grey: Float) -> float:
    """Estimate the variance of white noise from the flattest parts of a picture ``(H, W)``.

    After Immerkaer (CVIU 1996), but on the flattest tenth of all blocks instead of their mean.
    Blocks without any variation, such as clipped ones, do not count.
    """
    residual = np.asarray(cv2.filter2D(grey, cv2.CV_32F, _MASK), np.float32)
    residual *= residual
    blocks = _block_means(residual).ravel()
    blocks = blocks[blocks > 0]
    return ends(blocks, _FLAT)[0] / _MASK_GAIN if blocks.size else 0.0


def coarse_noise_variance(grey: Float) -> float:
    """Estimate the same from pixels averaged two by two; for white noise it is the same.

    JPEG takes the finest noise away and leaves the rest of it, and demosaicing makes it coarse.
    """
    return 4 * noise_variance(shrink(grey, 2))


def deviation(values: Float) -> float:
    """Return the standard deviation of ``(H, W)``, in one pass each for both sums."""
    mean = cv2.sumElems(values)[0] / values.size
    square = cv2.norm(values, cv2.NORM_L2SQR) / values.size
    return float(np.sqrt(max(square - mean * mean, 0.0)))


def _block_means(energy: Float) -> Float:
    """Return the means of all blocks whose centre lies in the picture, mirrored at its borders."""
    height, width = energy.shape
    half = _BLOCK // 2
    rows, cols = (-(-(side - half) // _BLOCK) for side in (height, width))
    if rows < 1 or cols < 1:  # a picture of a few rows has none
        return np.zeros((0, 0), np.float32)
    below, right = rows * _BLOCK - height, cols * _BLOCK - width
    if below > 0 or right > 0:
        more = (0, max(below, 0), 0, max(right, 0))
        energy = np.asarray(cv2.copyMakeBorder(energy, *more, cv2.BORDER_REFLECT_101), np.float32)
    # rows first: sums along them are what processors do fast
    whole = energy[: rows * _BLOCK, : cols * _BLOCK]
    bands = whole.reshape(rows, _BLOCK, -1).sum(axis=1)
    return bands.reshape(rows, cols, _BLOCK).sum(axis=2) / np.float32(_BLOCK**2)
