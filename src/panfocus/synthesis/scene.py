"""A made focal stack with its truth, as light and as a sensor stores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.synthesis.defocus import expose, to_linear
from panfocus.synthesis.motion import Motion

Byte = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """A focal stack with its truth.

    Attributes:
        frames: ``(N, H, W, 3)`` uint8 in focus order.
        truth: ``(H, W, 3)`` uint8, sharp everywhere (see the kind for what that means).
        index: ``(H, W)`` uint8, the frame in which each pixel's own layer is sharpest.
        band: ``(H, W)`` bool, where fusion is hard: around boundaries, lights, the void.
        motions: of each frame against the truth; empty where nothing moves.
    """

    frames: Byte
    truth: Byte
    index: Byte
    band: NDArray[np.bool_]
    motions: tuple[Motion, ...] = ()


@dataclass(frozen=True)
class Light:
    """A focal stack before it meets a sensor.

    Attributes:
        frames: linear light ``(H, W, 3)`` float32 each, in focus order.
        truth: ``(H, W, 3)`` float32, sharp everywhere.
        index: as in `Scene`.
        band: as in `Scene`.
    """

    frames: Sequence[Float]
    truth: Float
    index: Byte
    band: NDArray[np.bool_]

    def expose(self) -> Scene:
        """Return the 8-bit stack that a sensor of the same pixels sees."""
        frames = np.stack([encode(frame) for frame in self.frames])
        return Scene(frames, encode(self.truth), self.index, self.band)


def encode(linear: Float) -> Byte:
    """Expose linear light of any shape to 8 bits."""
    return np.rint(expose(linear) * 255).astype(np.uint8)


def linear_of(picture: Byte) -> Float:
    """Return the linear light of an 8-bit picture of any shape, in [0, 1]."""
    return to_linear(picture.astype(np.float32) / np.float32(255))
