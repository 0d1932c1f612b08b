"""Whether most of a scene is dark, as behind fluorescence."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float

#: The ground is dark when its median is above its darkest hundredth by less than this share of the
#: range, in the brightest of all frames.
DARK_GROUND = 0.12


#: A median of so much more than that, and above this share of white, is of a scene in the light;
#: noise alone has the first, in frames that show nothing.
_CLEARLY = 2 * DARK_GROUND
_LIT = 0.2


def _heights(frames: Float) -> tuple[float, float, float]:
    """Return darkest hundredth, median and brightest of the brightest of frames ``(N, h, w)``."""
    brightest = np.asarray(cv2.blur(frames.max(axis=0), (3, 3)), np.float32)
    sample = brightest[::2, ::2].ravel()
    middle = float(np.partition(sample, sample.size // 2)[sample.size // 2])
    return float(ends(sample, 0.01)[0]), middle, float(brightest.max())


def is_dark_ground(frames: Float) -> bool:
    """Return whether most of frames ``(N, h, w)`` is dark and alike.

    So it is also when one part is bright in every frame.
    """
    low, middle, high = _heights(frames)
    return high > low and middle - low < DARK_GROUND * (high - low)


def is_lit_ground(frames: Float) -> bool:
    """Return whether most of frames ``(N, h, w)`` in [0, 1] is beyond doubt in the light.

    Whatever frames of the scene follow, its ground will not be dark.
    """
    low, middle, high = _heights(frames)
    return middle > _LIT and middle - low > _CLEARLY * (high - low)
