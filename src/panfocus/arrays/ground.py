"""Whether most of a scene is dark, as behind fluorescence."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float

#: The ground is dark when its median is above its darkest hundredth by less than this share of the
#: range, in the brightest of all frames.
DARK_GROUND = 0.12


def is_dark_ground(frames: Float) -> bool:
    """Return whether most of frames ``(N, h, w)`` is dark and alike.

    So it is also when one part is bright in every frame.
    """
    brightest = np.asarray(cv2.blur(frames.max(axis=0), (3, 3)), np.float32)
    sample = brightest[::2, ::2].ravel()
    low, high = ends(sample, 0.01)[0], float(brightest.max())
    middle = float(np.partition(sample, sample.size // 2)[sample.size // 2])
    return high > low and middle - low < DARK_GROUND * (high - low)
