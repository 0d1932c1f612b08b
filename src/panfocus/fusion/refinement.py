"""How decisions of the working scale are carried to the edges of the picture at full scale."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels


@dataclass(frozen=True)
class Refine:
    """Guided filter that carries a decision to the edges of the picture.

    Attributes:
        radius: pixels of the working scale.
        epsilon: on luminance in [0, 1].
    """

    radius: int = 2
    epsilon: float = 0.01


@dataclass(frozen=True)
class Near:
    """Working pixels that a tile depends on.

    Attributes:
        read: rows and columns with the reach of the guided filter.
        need: rows and columns within `read`: the tile's own working pixels and one more on each
            side, for bilinear enlarging.
        past: of these how many lie past the picture's border, at the top, bottom, left and right:
            its last pixels are repeated there.
    """

    read: tuple[slice, slice]
    need: tuple[slice, slice]
    past: tuple[int, int, int, int]

    def of(self, working: Float) -> Float:
        """Return what the tile needs of a map of `read`."""
        part = working[self.need]
        if not any(self.past):
            return part
        bordered = cv2.copyMakeBorder(part, *self.past, cv2.BORDER_REPLICATE)
        return np.asarray(bordered, np.float32)


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


def enlarge(part: Float, factor: int, shape: tuple[int, ...]) -> Float:
    """Enlarge a working map with a border of one to a tile of full scale, bilinear."""
    size = (part.shape[1] * factor, part.shape[0] * factor)
    large = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
    inner = large[factor : factor + shape[0], factor : factor + shape[1]]
    return np.asarray(inner, np.float32)
