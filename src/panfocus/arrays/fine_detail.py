"""How strong fine detail is in every part of a picture."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float


def tile_detail(grey: Float, tiles: int) -> Float:
    """Return the mean absolute Laplacian of each tile, ``(rows * columns,)``.

    Args:
        grey: luminance ``(H, W)``.
        tiles: along the longer side; none is narrower than 4 pixels.
    """
    detail = np.asarray(cv2.Laplacian(grey, cv2.CV_32F), np.float32)
    np.abs(detail, out=detail)
    step = max(max(grey.shape) / tiles, 4)
    rows = area_means(detail, max(round(grey.shape[0] / step), 1))
    return area_means(rows.T, max(round(grey.shape[1] / step), 1)).T.ravel()


def area_means(values: Float, count: int) -> Float:
    """Return the means of so many equal parts of the rows, ``(H, W)`` to ``(count, W)``.

    What `cv2.resize` by area gives, which takes several times as long for parts that end within
    a pixel.
    """
    edges = np.linspace(0, len(values), count + 1)
    whole = np.minimum(edges.astype(np.intp), len(values) - 1)
    sums = np.add.reduceat(values, whole[:-1], axis=0)
    # the last row is within the last part, wherever that ends
    beyond = (edges - whole)[:, None].astype(np.float32) * values[whole]
    beyond[-1] = 0
    sums += np.diff(beyond, axis=0)
    return np.asarray(sums / np.float32(len(values) / count), np.float32)
