"""What the refiner sees of two pictures and a weight between them, at half of full scale."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.fine_detail import even_detail
from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Float

#: Four pixels of each picture, the weight, three comparisons of detail, and how much there is.
CHANNELS = 13
#: Sides of the squares over which detail is compared, and over which luminance is levelled, pixels
#: of half scale.
_SIDES = (1, 3, 7)
_LEVELLED = 5
#: Context that evidence needs on each side, pixels of full scale: half of the largest square, and
#: that of the Laplacian.
REACH = _SIDES[-1] // 2 * 2 + 2
#: Detail, share of white, that counts as little; factors that bring channels to one order.
_LITTLE, _FAINT = 0.01, 0.004
_CONTRAST, _AMOUNT = 4.0, 0.3


def evidence(below: Float, above: Float, weight: Float) -> Float:
    """Return what the refiner sees, ``(CHANNELS, h / 2, w / 2)`` float32.

    Args:
        below: luminance of what was fused so far, ``(h, w)`` in [0, 1], both sides even.
        above: that of the frame that is mixed in.
        weight: of the frame, ``(h, w)`` in [0, 1].

    Example:
        >>> flat = np.zeros((4, 6), np.float32)
        >>> evidence(flat, flat, flat).shape
        (13, 2, 3)
    """
    level = cv2.blur(shrink((below + above) * np.float32(0.5), 2), (_LEVELLED, _LEVELLED))
    out = np.empty((CHANNELS, *level.shape), np.float32)
    for picture, first in ((below, 0), (above, 4)):
        rows, columns = level.shape
        pixels = picture.reshape(rows, 2, columns, 2).transpose(1, 3, 0, 2)
        channels = out[first : first + 4].reshape(2, 2, rows, columns)
        np.subtract(pixels, level, out=channels)
    out[:8] *= np.float32(_CONTRAST)
    out[8] = shrink(weight, 2) * 2 - 1
    detail = [shrink(even_detail(picture), 2) for picture in (below, above)]
    both = level  # of the largest square in the end
    for n, side in enumerate(_SIDES, start=9):
        old, new = (np.asarray(cv2.blur(one, (side, side)), np.float32) for one in detail)
        both = old + new
        out[n] = (new - old) / (both + np.float32(_LITTLE))
    np.log(both + np.float32(_FAINT), out=out[12])
    out[12] *= np.float32(_AMOUNT)
    return out
