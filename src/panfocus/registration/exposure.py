"""Match brightness and white balance, only where frames truly differ in them.

Defocus changes edges and leaves flat parts as they are. So the ratio of two frames is taken where
both are flat and neither is clipped, block by block; only what all of the picture agrees upon is
believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.ranks import median
from panfocus.arrays.types import Float, Pixels

#: Difference of gain that is never mended.
TOLERANCE = 0.02
#: Difference between neighbours, in logarithms, that is taken for none.
_NOISE = 0.005
#: Darkest and brightest level that is measured, shares of white: clear of clipping and of noise.
_DARK, _BRIGHT = 0.06, 0.94
#: Range within 3 x 3 pixels, share of white, up to which a place is flat.
_FLAT = 0.05
#: Blocks along the shorter side of the picture.
_BLOCKS = 8
#: Shorter side from which a picture is halved first.
_ENOUGH = 300
#: Flat pixels that make a block speak, and blocks that make a picture speak.
_FEWEST_PIXELS, _FEWEST_BLOCKS = 25, 6
#: Level, share of white, from which a gain fades so that white stays white.
_KNEE = 0.9


@dataclass(frozen=True)
class Ratio:
    """How much brighter one frame is than the next.

    Attributes:
        log: natural logarithm of fixed over moving, per channel ``(C,)``.
        scatter: spread of the blocks about it, per channel ``(C,)``.
    """

    log: NDArray[np.float64]
    scatter: NDArray[np.float64]


def _colour(pixels: Pixels, *, has_alpha: bool) -> Float:
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    planes = planes[..., :-1] if has_alpha else planes
    return np.ascontiguousarray(planes, np.float32) / np.float32(white(pixels.dtype))


def _flat(planes: Float) -> NDArray[np.bool_]:
    out = np.ones(planes.shape[:2], bool)
    square = np.ones((3, 3), np.uint8)
    for c in range(planes.shape[2]):
        plane = np.ascontiguousarray(planes[..., c])
        high, low = cv2.dilate(plane, square), cv2.erode(plane, square)
        out &= (high < _BRIGHT) & (low > _DARK) & (high - low < _FLAT)
    return out


def _blocks(values: Float, useful: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the median of every block that has enough useful pixels, ``(B, C)``."""
    side = max(min(useful.shape) // _BLOCKS, 1)
    medians: list[NDArray[np.float64]] = []
    for top in range(0, useful.shape[0] - side + 1, side):
        for left in range(0, useful.shape[1] - side + 1, side):
            block = (slice(top, top + side), slice(left, left + side))
            chosen = values[block][useful[block]]
            if len(chosen) >= _FEWEST_PIXELS:
                medians.append(median(chosen).astype(np.float64))
    return np.array(medians).reshape(-1, values.shape[2])


def compare(
    fixed: Pixels, moving: Pixels, matrix: NDArray[np.float64], *, has_alpha: bool = False
) -> Ratio | None:
    """Measure how much brighter `fixed` is than `moving`.

    Args:
        fixed: ``(h, w[, C])`` reduced frame.
        moving: the same of another frame.
        matrix: from the fixed frame to the moving one, pixels of the reduced scale.
        has_alpha: the last channel is opacity.

    Returns:
        The ratio, or None where too little is flat and unclipped in both.
    """
    if min(fixed.shape[:2]) >= _ENOUGH:
        fixed, moving = shrink(fixed, 2), shrink(moving, 2)
        half = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], np.float64)
        matrix = np.linalg.inv(half) @ matrix @ half
    one, other = (_colour(p, has_alpha=has_alpha) for p in (fixed, moving))
    size = (one.shape[1], one.shape[0])
    # channels one by one: OpenCV resamples four at most
    moved = np.stack(
        [
            cv2.warpPerspective(
                np.ascontiguousarray(other[..., c]),
                matrix,
                size,
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderValue=(0,),  # too dark to be measured
            )
            for c in range(other.shape[2])
        ],
        axis=-1,
    )
    useful = _flat(one) & _flat(np.asarray(moved, np.float32))
    if not useful.any():
        return None
    ratio = np.zeros_like(one)
    ratio[useful] = np.log(one[useful] / moved[useful])
    blocks = _blocks(ratio, useful)
    if len(blocks) < _FEWEST_BLOCKS:
        return None
    log = median(blocks)
    scatter = 1.4826 * median(np.abs(blocks - log))
    return Ratio(log, scatter)


def gains(ratios: Sequence[Ratio | None], reference: int) -> list[NDArray[np.float64] | None]:
    """Return the factors that give every frame the reference's brightness.

    Args:
        ratios: between neighbours, ``ratios[n]`` of frame n over frame n + 1.
        reference: number of the reference frame.

    Returns:
        For every frame factors per channel ``(C,)``, or None where nothing is to be done.
    """
    out: list[NDArray[np.float64] | None] = [None] * (len(ratios) + 1)
    for way in (range(reference, len(ratios)), range(reference - 1, -1, -1)):
        total: NDArray[np.float64] | float = 0.0
        scatter: NDArray[np.float64] | float = 0.0
        for n in way:
            ratio = ratios[n]
            if ratio is not None:
                real = np.abs(ratio.log) > _NOISE + ratio.scatter / np.sqrt(_FEWEST_BLOCKS)
                sign = 1 if n >= reference else -1
                total = total + sign * np.where(real, ratio.log, 0)
                scatter = np.maximum(scatter, ratio.scatter)
            if np.any(np.abs(total) > np.log1p(TOLERANCE) + scatter):
                out[n + (n >= reference)] = np.exp(total)
    return out


def _curve(levels: NDArray[np.float64], gain: float) -> NDArray[np.float64]:
    """Return levels in [0, 1] times a gain; a darkening fades so that clipped white stays white."""
    if gain >= 1:
        return np.minimum(levels * gain, 1)
    top = gain * _KNEE + (levels - _KNEE) * (1 - gain * _KNEE) / (1 - _KNEE)
    return np.where(levels <= _KNEE, levels * gain, top)


def apply_gain(pixels: Pixels, gain: NDArray[np.float64], *, has_alpha: bool = False) -> Pixels:
    """Multiply the colour channels of ``(H, W[, C])`` by factors; same dtype, opacity untouched."""
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    out = planes.copy()
    for c in range(planes.shape[2] - has_alpha):
        plane = planes[..., c]
        if pixels.dtype == np.float32:
            out[..., c] = _curve(plane.astype(np.float64), float(gain[c]))
            continue
        top = int(white(pixels.dtype))
        table = np.rint(_curve(np.arange(top + 1) / top, float(gain[c])) * top)
        out[..., c] = table.astype(pixels.dtype)[plane.astype(np.intp)]
    return out.reshape(pixels.shape)
