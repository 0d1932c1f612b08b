"""Imperfect masks: what classical focus measures say, right mostly and wrong systematically.

FOUND: the predictor learns from "imperfect fusion masks". INFERRED: that they come from focus
measures; measure and window are drawn anew for every sample, so that errors differ from sample
to sample while the truth stays:

    S_n = window * measure(Y_n)          pooled energy of detail
    M~_n = 1[S_n = max_m S_m]            the imperfect mask
    v = 1[max_n S_n > t]                 its validity: flat places carry no evidence

``t`` is what sensor noise alone would give (OURS). The target of a sample may come from another
measure and window than its input (cross-measure, after Noise2Noise; OURS).

Here frames are luminance, float32 ``(N, H, W)`` in [0, 1].
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.systems.classical import MEASURES, Measure

Float = NDArray[np.float32]

#: Sides of the windows in which energy is pooled.
WINDOWS = (5, 7, 9, 13)
#: Sensor noise below which there is no evidence: one and a half grey levels in 255.
NOISE = 1.5 / 255


def residual(luminance: NDArray[np.generic]) -> Float:
    """``|y - G * y|`` (the prior masks of ZMFF use it), ``(H, W)`` to ``(H, W)``."""
    value = luminance.astype(np.float32)
    return np.abs(value - cv2.GaussianBlur(value, (0, 0), 1.5))


#: The measures that are drawn from.
TEACHERS: dict[str, Measure] = {**MEASURES, "residual": residual}


class Imperfect(NamedTuple):
    """What a measure says of a set of frames.

    Attributes:
        mask: ``(N, H, W)`` float32, 1 for the frame that wins.
        valid: ``(H, W)`` float32, 1 where there is evidence.
    """

    mask: Float
    valid: Float


def imperfect(frames: Float, measure: str, window: int) -> Imperfect:
    """Ask one measure with one window.

    Args:
        frames: luminance ``(N, H, W)`` in [0, 1].
        measure: a name in `TEACHERS`.
        window: side of the square in which energy is pooled.
    """
    energy = np.stack([pooled(TEACHERS[measure](f), window) for f in frames])
    mask = np.arange(len(frames))[:, None, None] == energy.argmax(0)
    valid = energy.max(0) > floor(measure)
    return Imperfect(mask.astype(np.float32), valid.astype(np.float32))


def pooled(energy: Float, window: int) -> Float:
    """Average over a square window, ``(H, W)`` to ``(H, W)``."""
    mean = cv2.blur(energy, (window, window), borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean, np.float32)


@cache
def floor(measure: str) -> float:
    """Return the mean energy that `NOISE` alone gives: the threshold ``t``."""
    noise = np.random.default_rng(0).standard_normal((128, 128), dtype=np.float32)
    return float(TEACHERS[measure](noise * np.float32(NOISE)).mean())


def draw(rng: np.random.Generator, frames: Float) -> Imperfect:
    """Ask a random measure with a random window."""
    names = sorted(TEACHERS)
    measure = names[int(rng.integers(len(names)))]
    return imperfect(frames, measure, WINDOWS[int(rng.integers(len(WINDOWS)))])


def luminance(frames: Float) -> Float:
    """Return the mean of the colours: ``(N, 3, H, W)`` to ``(N, H, W)``."""
    return frames.mean(1, dtype=np.float32)
