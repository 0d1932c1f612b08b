"""What the arbiter sees of frames and of two decisions between them, at the reduced scale."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.fine_detail import even_detail
from panfocus.arrays.pixels import floats, shrink
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.candidates import REDUCTION, grey_of
from panfocus.systems.intensity import Stretch

#: Weights of both frames in both decisions, and how far these differ; detail of three scales, in
#: six comparisons over squares, and how much of it there is; how far the frames' luminances differ
#: over squares; how far decisions differ around.
CHANNELS = 19
#: What is kept of a frame: luminance, and detail of full scale, of the reduced one, of a coarser.
_KEPT = 4
#: Sides of squares over which each of the three is compared, pixels of the reduced scale.
_SIDES = ((3, 9), (3, 9, 25), (5, 15))
#: Sigma of the coarser scale, pixels of the reduced one, and what its detail is multiplied by.
_COARSER, _RAISED = 2.0, 4.0
#: Detail, share of white, that counts as little; factors that bring channels to one order.
_LITTLE, _FAINT = 2e-3, 1e-3
_AMOUNT, _CONTRAST, _DISSENT = 0.3, 6.0, 2.0
#: What detail counts beside weights.
_HARDLY = 1e-6
#: Numbers of frames at places, ``(1, h, w)``.
Numbers: TypeAlias = "NDArray[np.intp]"


def seen_of(frame: Pixels, stretch: Stretch | None = None) -> Float:
    """Return what is kept of a frame ``(h, w, C)``, ``(4, h // 4, w // 4)``.

    Args:
        frame: as its file has it, or in [0, 1].
        stretch: what is done to its brightness first; None for nothing.
    """
    grey = levels_of(frame, stretch)
    small = shrink(grey, REDUCTION)
    out = np.empty((_KEPT, *small.shape), np.float32)
    out[0] = small
    out[1] = shrink(even_detail(grey), REDUCTION)
    out[2] = even_detail(small)
    coarser = np.asarray(cv2.GaussianBlur(small, (0, 0), _COARSER), np.float32)
    np.multiply(even_detail(coarser), np.float32(_RAISED), out=out[3])
    return out


def levels_of(frame: Pixels, stretch: Stretch | None = None) -> Float:
    """Return the luminance of a frame ``(h, w, C)``, ``(h, w)`` in [0, 1], as networks see it."""
    grey = floats(grey_of(frame))
    return grey if stretch is None else stretch.apply(grey)


def evidence(seen: Float, fine: Float, coarse: Float) -> Float:
    """Return what the arbiter sees, ``(CHANNELS, h, w)`` float32.

    At each place two frames are in question: the one that the full scale chose, and the one that
    the reduced scale chose, or, where that is the same, the next best of both.

    Args:
        seen: of each frame, see `seen_of`, ``(N, 4, h, w)``.
        fine: weights by the full scale, brought to the reduced one, ``(N, h, w)``.
        coarse: weights by the reduced scale, the same.

    Example:
        >>> one, other = np.zeros((2, 4, 6, 8), np.float32), np.full((2, 6, 8), 0.5, np.float32)
        >>> evidence(one, other, other).shape
        (19, 6, 8)
    """
    chosen, rival = _in_question(fine, coarse, seen[:, 1])
    out = np.empty((CHANNELS, *fine.shape[1:]), np.float32)
    for n, (weights, number) in enumerate(
        ((fine, chosen), (fine, rival), (coarse, chosen), (coarse, rival))
    ):
        out[n] = _taken(weights, number)
    out[4] = np.abs(fine - coarse).sum(axis=0) / 2
    channel = 5
    for scale, sides in enumerate(_SIDES, start=1):
        compared = [_compared(seen[:, scale], side, chosen, rival) for side in sides]
        for each, _ in compared:
            out[channel] = each
            channel += 1
        amount = compared[-1][1] + np.float32(_FAINT)
        out[channel] = np.log(amount) * np.float32(_AMOUNT) + 1
        channel += 1
    apart = _taken(seen[:, 0], chosen) - _taken(seen[:, 0], rival)
    out[channel] = np.abs(apart)
    out[channel + 1] = np.abs(_mean(apart, 5))
    out[channel + 2] = _mean(np.abs(apart), 15)
    out[channel : channel + 3] *= np.float32(_CONTRAST)
    out[channel + 3] = _mean(out[4], 9) * np.float32(_DISSENT)
    return out


def _compared(detail: Float, side: int, chosen: Numbers, rival: Numbers) -> tuple[Float, Float]:
    """Return by how much one frame has more detail around a place, and how much both have."""
    means = np.stack([_mean(each, side) for each in detail])
    one, other = _taken(means, chosen), _taken(means, rival)
    both = np.add(one, other, dtype=np.float32)
    more = np.subtract(one, other, dtype=np.float32)
    more /= both + np.float32(_LITTLE)
    return more, both


def _in_question(fine: Float, coarse: Float, detail: Float) -> tuple[Numbers, Numbers]:
    """Return numbers of two frames at every place, ``(1, h, w)`` each."""
    chosen, rival = _largest(fine), _largest(coarse)
    # of frames without any weight the one with most detail, whatever their order is
    both = np.add(fine, coarse, dtype=np.float32)
    both += detail * np.float32(_HARDLY)
    np.put_along_axis(both, chosen, -1, 0)
    return chosen, np.where(chosen == rival, _largest(both), rival)


def _largest(weights: Float) -> Numbers:
    return np.asarray(weights.argmax(axis=0)[None], np.intp)


def _taken(values: Float, number: Numbers) -> Float:
    """Return of ``(N, h, w)`` what one frame has at each place."""
    return np.take_along_axis(values, number, 0)[0]


def _mean(values: Float, side: int) -> Float:
    return np.asarray(cv2.blur(values, (side, side)), np.float32)
