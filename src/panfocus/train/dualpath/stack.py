"""One made set of frames with what is known of it: what every synthesis of Dual-Path returns."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from panfocus.arrays.types import Float

#: Pixels made around a stack and cut off again, so that blur finds real neighbours.
MARGIN = 12


class MadeStack(NamedTuple):
    """One set of frames, or a batch of them with a leading axis.

    Attributes:
        frames: ``(N, 3, H, W)`` float32 in [0, 1].
        truth: ``(3, H, W)``, the picture before it was blurred again.
        mask: ``(N, H, W)``, 1 for the frame to take.
        valid: ``(H, W)``, 1 where the frames differ.
        clean: ``(N, 3, H, W)``, the frames before noise and compression.
        noise: variance of the noise that each frame has, a scalar.
    """

    frames: Float
    truth: Float
    mask: Float
    valid: Float
    clean: Float
    noise: Float


def mirrored(rng: np.random.Generator, arrays: list[Float]) -> list[Float]:
    """Mirror and turn arrays ``(..., H, W)`` by chance, all alike."""
    up, left = (-1 if rng.random() < 0.5 else 1 for _ in range(2))
    arrays = [a[..., ::up, ::left] for a in arrays]
    if rng.random() < 0.5:
        arrays = [a.swapaxes(-1, -2) for a in arrays]
    return [np.ascontiguousarray(a, np.float32) for a in arrays]


def differing(frames: Float, least: float = 0.02) -> Float:
    """Return 1 where frames ``(N, C, H, W)`` differ by more than `least` nearby, ``(H, W)``."""
    spread = np.ptp(frames, axis=0).max(0)
    return np.asarray(cv2.dilate(spread, np.ones((9, 9), np.uint8)) > least, np.float32)
