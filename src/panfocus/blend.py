"""Pure functions that mix pixels by weights; dtypes in are dtypes out.

`alpha` is always the weight of the *new* frame against everything before it, in [0, 1]; a weight
of exactly 0 or 1 copies native pixels bit for bit.
"""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.optics import Float

Pixels = NDArray[np.uint8 | np.uint16 | np.float32]
#: One of them, for functions that give back the dtype they were given.
SampleT = TypeVar("SampleT", bound=np.uint8 | np.uint16 | np.float32)

#: Weights nearer to 0 or 1 than this are rounded there: below one grey level of 255 they cannot
#: show, and pure copies are faster and faithful.
SNAP = 1 / 256


def snap(alpha: Float) -> Float:
    """Round weights within `SNAP` of 0 or 1 to exactly 0 or 1; same shape."""
    clipped = np.clip((alpha - SNAP) * (1 / (1 - 2 * SNAP)), 0, 1)
    return clipped.astype(np.float32, copy=False)


def mix(below: Pixels, above: Pixels, alpha: Float) -> Pixels:
    """Return ``(1 - alpha) * below + alpha * above``, rounded for integers.

    Args:
        below: ``(H, W)`` or ``(H, W, C)``.
        above: same shape and dtype.
        alpha: ``(H, W)`` float32 in [0, 1].
    """
    if below.dtype == np.uint8 and (below.ndim == 2 or below.shape[2] <= 4):
        out = cv2.blendLinear(below, above, 1 - alpha, alpha)
        return np.asarray(out, np.uint8).reshape(below.shape)
    weight = alpha if below.ndim == 2 else alpha[..., None]
    base = below.astype(np.float32)
    mixed = np.asarray(base + (above.astype(np.float32) - base) * weight, np.float32)
    if below.dtype == np.float32:
        # base + (above - base) is not above, to the last digit
        return np.where(weight == 1, above, mixed)
    return np.rint(mixed).astype(below.dtype)


def working_factor(height: int, width: int, working_pixels: int | None) -> int:
    """Return how far to shrink, per axis, so that at most `working_pixels` remain.

    Pictures stay at least 16 pixels wide and high.
    """
    factor = 1
    while (
        working_pixels is not None
        and height * width > working_pixels * factor * factor
        and min(height, width) // (factor + 1) >= 16
    ):
        factor += 1
    return factor


def shrink(image: NDArray[SampleT], factor: int) -> NDArray[SampleT]:
    """Average blocks of ``factor x factor`` pixels; a last part of a block is left out.

    Args:
        image: ``(H, W)`` or ``(H, W, C)``.
        factor: >= 1.

    Returns:
        ``(H // factor, W // factor[, C])``, same dtype, rounded for integers.
    """
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    view = image[: height * factor, : width * factor]
    small = cv2.resize(view, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, image.dtype)


def luminance(pixels: Pixels, *, has_alpha: bool = False) -> Pixels:
    """Return ``(H, W)`` luminance in the native dtype (BT.601 for RGB, else the mean channel).

    Args:
        pixels: ``(H, W)`` or ``(H, W, C)``.
        has_alpha: the last channel is opacity and carries no detail.
    """
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2] - has_alpha
    if channels == 1:
        return np.ascontiguousarray(pixels[..., 0])
    if channels == 3:
        code = cv2.COLOR_RGBA2GRAY if has_alpha else cv2.COLOR_RGB2GRAY
        return np.asarray(cv2.cvtColor(pixels, code), pixels.dtype)
    mean = pixels[..., :channels].mean(axis=-1, dtype=np.float32)
    return mean if pixels.dtype == np.float32 else np.rint(mean).astype(pixels.dtype)


def white(dtype: np.dtype[Any]) -> float:
    """Return the value that 1.0 at the seam stands for: the dtype's largest, or 1 for floats."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def weighted_sum(frames: Pixels, weights: Float) -> NDArray[np.float64]:
    """Return ``sum_n weights[n] * frames[n]`` in float64, the reference that a fold must meet.

    Args:
        frames: ``(N, H, W)`` or ``(N, H, W, C)``.
        weights: ``(N, H, W)``.
    """
    shape = weights.shape + (1,) * (frames.ndim - weights.ndim)
    return np.sum(frames.astype(np.float64) * weights.reshape(shape), axis=0)


def chain(weights: Float) -> Float:
    """Turn weights over frames into weights of each frame against all before it.

    ``alpha[n] = weights[n] / sum(weights[:n + 1])``; mixing frame after frame by `alpha` gives
    the weighted sum. Same shape ``(N, H, W)``; ``alpha[0]`` is 1.
    """
    total = np.cumsum(weights, axis=0, dtype=np.float32)
    out = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    out[0] = 1
    return out


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
    covariance = mean(guide * target) - mean_guide * mean_target
    variance = mean(guide * guide) - mean_guide * mean_guide
    slope = np.asarray(covariance / (variance + np.float32(epsilon)), np.float32)
    offset = np.asarray(mean_target - slope * mean_guide, np.float32)
    return mean(slope), mean(offset)
