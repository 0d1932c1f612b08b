"""What the scout sees of a frame: five measures of every block."""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.pixels import floats
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.candidates import (
    BLOCK,
    REDUCTION,
    detail,
    energy_of,
    grey_of,
    pooled,
    reduced,
)
from panfocus.systems.intensity import Stretch

#: How many measures there are: detail of pixels, of four and of eight pixels, luminance, and by how
#: much the brightest fourth of a block is brighter than the block.
MEASURES = 5
#: Frames that are looked at for a plain ground; steps of luminance, how many of them count as
#: alike, and the share of blocks from which on that is a ground.
_LOOKED_AT, _STEPS, _ALIKE, _PLAIN = 5, 64, 6, 0.35


def evidence(frame: Pixels, stretch: Stretch | None = None) -> Float:
    """Return the measures of a frame ``(h, w, C)``, ``(5, h / 8, w / 8)`` rounded up.

    Detail is the energy of a Laplacian in squares of white; luminance is in [0, 1].

    Args:
        frame: as its file has it, or in [0, 1].
        stretch: what is done to its brightness first; None for nothing.
    """
    return measured(frame, detail(frame), stretch)


def measured(frame: Pixels, finest: Float, stretch: Stretch | None = None) -> Float:
    """Return the same of a frame whose finest detail is known, ``(h / 8, w / 8)`` rounded up."""
    small = floats(grey_of(reduced(frame)))
    gain = np.float32(1 if stretch is None else stretch.gain)
    luminance = small if stretch is None else stretch.apply(small)
    side = BLOCK // REDUCTION
    brightest = np.asarray(cv2.dilate(luminance, np.ones((side, side), np.uint8)), np.float32)
    block, peak = (_fitted(pooled(each, side), finest) for each in (luminance, brightest))
    middle = _fitted(pooled(energy_of(luminance), side), finest)
    return np.stack([finest * gain**2, middle, energy_of(block), block, peak - block])


def has_plain_ground(measures: Float) -> bool:
    """Whether much of a scene is as bright as the rest of it, as in bright field.

    There what is out of focus has rims of more contrast than what is in focus, and the scout is
    often wrong (MEASURED, docs/decisions/0038); photographs before one are as well off without it.

    Args:
        measures: of all frames, ``(N, 5, a, b)``.
    """
    luminance = np.median(measures[:: max(len(measures) // _LOOKED_AT, 1), 3], axis=0)
    steps = np.clip((luminance * _STEPS).astype(np.intp), 0, _STEPS - 1)
    counts = np.bincount(steps.ravel(), minlength=_STEPS)
    alike = np.convolve(counts, np.ones(_ALIKE), "valid").max()
    return bool(alike >= _PLAIN * luminance.size)


def _fitted(measure: Float, like: Float) -> Float:
    """Repeat the last row and column where blocks are wanted that a small frame has no pixel of."""
    below, right = (a - b for a, b in zip(like.shape, measure.shape, strict=True))
    if not below and not right:
        return measure
    return np.pad(measure, ((0, below), (0, right)), "edge")
