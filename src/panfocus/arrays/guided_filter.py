"""The guided filter: what follows the edges of a guide."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.types import Float


def guided_coefficients(
    guide: Float, target: Float, radius: int, epsilon: float
) -> tuple[Float, Float]:
    """Return the averaged slope and offset of the guided filter (He et al., ECCV 2010, eq. 5-8).

    Locally ``target ~ slope * guide + offset``. Evaluating the two on a guide of higher
    resolution is the fast guided filter (He and Sun, 2015).

    Args:
        guide: ``(h, w)`` in [0, 1].
        target: ``(h, w)``.
        radius: of the square window, pixels.
        epsilon: variance of the guide under which an edge does not count.
    """
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(x: Float) -> Float:
        return np.asarray(cv2.blur(x, size, borderType=cv2.BORDER_REFLECT), np.float32)

    mean_guide, mean_target = mean(guide), mean(target)
    covariance = mean(guide * target)
    covariance -= mean_guide * mean_target
    variance = mean(guide * guide)
    variance -= mean_guide * mean_guide
    variance += np.float32(epsilon)
    slope = np.divide(covariance, variance, out=covariance)
    mean_guide *= slope
    mean_target -= mean_guide
    return mean(slope), mean(mean_target)
