"""Imperfect masks: what classical focus measures say, right mostly and wrong systematically.

FOUND: the predictor learns from "imperfect fusion masks". INFERRED: that they come from a focus
measure, in several windows, since errors differ more between windows than between measures:

    S_n = window * measure(Y_n)          pooled energy of detail
    M~_n = 1[S_n = max_m S_m]            the imperfect mask
    v = 1[max_n S_n > t]                 its validity: flat places carry no evidence

``t`` is what sensor noise alone would give (OURS), and so is the mask of the system `guided` among
them: other measures of its kind are lost at bright lights (24 to 29 dB where it has 35).

Here frames are luminance, float32 ``(N, H, W)`` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.systems import focus_measures

Float = NDArray[np.float32]

#: Sides of the windows in which energy is pooled.
WINDOWS = (5, 9, 13)
#: The system that serves as a measure with a window of its own.
GUIDED = "guided"
#: Sensor noise below which there is no evidence: one and a half grey levels in 255.
NOISE = 1.5 / 255


def residual(luminance: NDArray[np.generic]) -> Float:
    """``|y - G * y|`` (the prior masks of ZMFF use it), ``(H, W)`` to ``(H, W)``."""
    value = luminance.astype(np.float32)
    return np.abs(value - cv2.GaussianBlur(value, (0, 0), 1.5))


#: The measures that masks may come from.
TEACHERS: dict[str, focus_measures.Measure] = {**focus_measures.MEASURES, "residual": residual}
#: The same by name, and the guided system.
MEASURES = (*sorted(TEACHERS), GUIDED)


class Imperfect(NamedTuple):
    """What one measure says of a set of frames, or several with a leading axis.

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
    return _won(np.stack([TEACHERS[measure](f) for f in frames]), measure, window)


def _won(energies: Float, measure: str, window: int) -> Imperfect:
    energy = np.stack([pooled(e, window) for e in energies])
    return Imperfect(best_of(energy), np.asarray(energy.max(0) > floor(measure), np.float32))


def by_guided(frames: Float) -> Imperfect:
    """Ask the system `guided`; valid where the modified Laplacian has evidence."""
    system = focus_measures.classical_systems()[GUIDED]
    weights = system.decide(frames[..., None])
    energy = np.stack([pooled(TEACHERS["sml"](f), WINDOWS[-1]) for f in frames]).max(0)
    return Imperfect(best_of(weights), np.asarray(energy > floor("sml"), np.float32))


def all_of(frames: Float, measures: Sequence[str], windows: Sequence[int]) -> Imperfect:
    """Ask every measure with every window: ``(T, N, H, W)`` and ``(T, H, W)``.

    Args:
        frames: luminance ``(N, H, W)`` in [0, 1].
        measures: names in `MEASURES`; one that is named more than once counts more.
        windows: for all but `GUIDED`.
    """
    asked: dict[str, list[Imperfect]] = {}
    for measure in dict.fromkeys(measures):
        if measure == GUIDED:
            asked[measure] = [by_guided(frames)]
        else:
            energies = np.stack([TEACHERS[measure](f) for f in frames])
            asked[measure] = [_won(energies, measure, window) for window in windows]
    made = [one for measure in measures for one in asked[measure]]
    return Imperfect(np.stack([m.mask for m in made]), np.stack([m.valid for m in made]))


def best_of(values: Float) -> Float:
    """Return 1 where a frame has the largest of values ``(N, H, W)``, the first of equals."""
    won = np.arange(len(values))[:, None, None] == values.argmax(0)
    return won.astype(np.float32)


def pooled(energy: Float, window: int) -> Float:
    """Average over a square window, ``(H, W)`` to ``(H, W)``."""
    mean = cv2.blur(energy, (window, window), borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean, np.float32)


@cache
def floor(measure: str) -> float:
    """Return the mean energy that `NOISE` alone gives: the threshold ``t``."""
    noise = np.random.default_rng(0).standard_normal((128, 128), dtype=np.float32)
    return float(TEACHERS[measure](noise * np.float32(NOISE)).mean())


def luminance(frames: Float) -> Float:
    """Return the mean of the colours: ``(N, 3, H, W)`` to ``(N, H, W)``."""
    return frames.mean(1, dtype=np.float32)
