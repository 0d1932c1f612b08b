"""Frames that look alike in a tile: between them nothing has to be decided there.

Neighbours in depth of a finely sampled stack differ by less than can be seen. More than that is not
taken for noise: where it was, the borders of hard masks lost half a decibel.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.candidates import BLOCK, SIDE, pooled

#: Difference in every block of a tile, RMS, up to which frames are alike; in shares of white.
ALIKE = 1 / 255


def distinct(
    named: NDArray[np.bool_], shares: Float, greys: Sequence[Pixels], gain: float = 1
) -> NDArray[np.bool_]:
    """Return the frames that are looked at, ``(N, rows, columns)``.

    Of frames that are alike the one with most weight stays.

    Args:
        named: which frames can matter in which tile, ``(N, rows, columns)``.
        shares: of the weight at the reduced scale, ``(N, rows, columns)``.
        greys: of the frames, ``(h, w)`` each.
        gain: by which the frames are stretched.
    """
    bound = (white(greys[0].dtype) * ALIKE / gain) ** 2
    out = named.copy()
    for row, column in zip(*(named.sum(axis=0) > 1).nonzero(), strict=True):
        tile = slice(row * SIDE, (row + 1) * SIDE), slice(column * SIDE, (column + 1) * SIDE)
        kept: list[Pixels] = []
        for n in np.argsort(-shares[:, row, column], kind="stable"):
            if not named[n, row, column]:
                continue
            new: Pixels = greys[int(n)][tile]
            if any(_difference(new, other) <= bound for other in kept):
                out[n, row, column] = False
            else:
                kept.append(new)
    return out


def _difference(one: Pixels, other: Pixels) -> float:
    """Return the largest mean square of the difference in a block."""
    apart = cv2.absdiff(one, other)
    square = cv2.multiply(apart, apart, dtype=cv2.CV_32F)
    return float(pooled(np.asarray(square, np.float32), BLOCK).max())
