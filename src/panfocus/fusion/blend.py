"""Pure functions that mix pixels by weights; dtypes in are dtypes out.

`alpha` is always the weight of the *new* frame against everything before it, in [0, 1]; a weight
of exactly 0 or 1 copies native pixels bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float, Pixels

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


def weighted_sum(frames: Pixels, weights: Float) -> NDArray[np.float64]:
    """Return ``sum_n weights[n] * frames[n]`` in float64, the reference that a fold must meet.

    Args:
        frames: ``(N, H, W)`` or ``(N, H, W, C)``.
        weights: ``(N, H, W)``.
    """
    shape = weights.shape + (1,) * (frames.ndim - weights.ndim)
    return np.sum(frames.astype(np.float64) * weights.reshape(shape), axis=0)


def chain(weights: Float) -> Iterator[Float]:
    """Turn weights over frames ``(N, H, W)`` into those of each frame against all before it.

    ``alpha[n] = weights[n] / sum(weights[:n + 1])``; mixing frame after frame by `alpha` gives
    the weighted sum. Yields N maps ``(H, W)``, one at a time; the first is 1.
    """
    return (alpha for alpha, _ in chain_with_sums(weights))


def chain_with_sums(weights: Float) -> Iterator[tuple[Float, Float]]:
    """Yield the same, each beside ``sum(weights[:n + 1])``, ``(H, W)``."""
    total = weights[0].copy()
    yield np.ones_like(total), total
    for weight in weights[1:]:
        if not weight.any():
            yield np.zeros_like(total), total
            continue
        total = total + weight
        yield np.divide(weight, total, out=np.zeros_like(total), where=total > 0), total
