"""How strong fine detail is in every part of a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float

#: A tile tells of focus if its best frame has this many times the detail of the flattest tiles,
#: and more than rounding makes.
TELLS, _LEAST = 3.0, 2 / 255
#: A Laplacian that weighs all directions nearly alike.
_EVEN = np.array([[-1, -2, -1], [-2, 12, -2], [-1, -2, -1]], np.float32) / 4


def even_detail(grey: Float) -> Float:
    """Return the absolute Laplacian of a luminance ``(H, W)``, nearly alike in all directions."""
    return np.abs(np.asarray(cv2.filter2D(grey, cv2.CV_32F, _EVEN), np.float32))


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


def relative_detail(detail: Float) -> tuple[Float, NDArray[np.bool_]]:
    """Return detail as a share of each tile's best, and which tiles tell of focus.

    Noise is what the flattest twentieth of all tiles shows.

    Args:
        detail: in the tiles of every frame, ``(N, T)``, see `tile_detail`.

    Returns:
        ``(N, T)`` in [0, 1], and ``(T,)``.
    """
    noise = ends(detail, 0.05)[0]
    best = detail.max(axis=0)
    share = np.maximum(detail - noise, 0) / np.maximum(best - noise, 1e-9)
    return share.astype(np.float32), best > TELLS * noise + _LEAST
