"""How decisions of the working scale are carried to the edges of the picture at full scale."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen


@frozen
class Refine:
    """Guided filter that carries a decision to the edges of the picture.

    Attributes:
        radius: pixels of the working scale.
        epsilon: on luminance in [0, 1].
    """

    radius: int = 2
    epsilon: float = 0.01


def within(outer: tuple[slice, slice], inner: tuple[slice, slice]) -> tuple[slice, slice]:
    """Return rows and columns of a part of the picture within a larger one."""
    spans = zip(outer, inner, strict=True)
    rows, cols = (slice(i.start - o.start, i.stop - o.start) for o, i in spans)
    return rows, cols


def mean_of(below: Pixels, above: Pixels) -> Float:
    """Return the mean luminance of both in [0, 1]."""
    scale = 0.5 / white(below.dtype)
    mean = cv2.addWeighted(below, scale, above, scale, 0, dtype=cv2.CV_32F)
    return np.asarray(mean, np.float32)
