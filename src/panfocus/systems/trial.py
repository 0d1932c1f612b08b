"""A trial of an accelerator: one small pair, answered by it and by the processor.

Accelerators compute in other orders and, some, in fewer digits; drivers have errors. What they
answer is compared once, as a picture, since the picture is what the answer is for.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.card import Card

#: Side of the pair, pixels; up to the next multiple that the network takes.
SIDE = 96
#: Largest difference of the two pictures, RMS, in parts of the full range: one grey level of 8
#: bits. MEASURED on this pair, in grey levels: bfloat16 in place of float32 0.03 (drpl) and 0.14
#: (dualpath); dualpath in floats, against its 8 bits, 0.38, and in bfloat16 0.40; the weights 1/N,
#: which know nothing, 25.
PICTURE = 1 / 255
#: Largest difference of weights, on average. MEASURED: the same 0.00005, 0.0002, 0.0005, 0.0005
#: and, for 1/N, 0.5.
WEIGHT = 0.01


def pair_for(card: Card) -> Float:
    """Return two frames ``(2, 3, H, W)`` float32 in [0, 1], each sharp in another half."""
    side = SIDE + -SIDE % card.multiple_of
    noise = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    sharp = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.float32)
    sharp = np.clip((sharp - np.float32(0.5)) * 3 + np.float32(0.5), 0, 1)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 2.5), np.float32)
    left = (np.arange(side) < side // 2)[None, :, None]
    frames = np.stack((np.where(left, sharp, blurred), np.where(left, blurred, sharp)))
    return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))


def answer_of(session: Any, card: Card, frames: Float) -> Float:  # noqa: ANN401  no complete types
    """Return what a session answers: weights ``(2, H, W)``, or a picture ``(3, H, W)``."""
    name = "picture" if card.kind == "picture" else "weights"
    return np.asarray(session.run([name], {"frames": frames})[0], np.float32)


def disagreement(card: Card, frames: Float, answer: Float, expected: Float) -> str | None:
    """Return how an answer differs from the processor's beyond bounds; None within them.

    Args:
        card: of the network.
        frames: `pair_for` it.
        answer: of the accelerator.
        expected: of the processor, the same shape.
    """
    if answer.shape != expected.shape or not np.isfinite(answer).all():
        return f"it answers {answer.shape} with {int((~np.isfinite(answer)).sum())} no numbers"
    difference = answer - expected
    weights = 0.0
    if card.kind != "picture":
        weights = float(np.abs(difference).mean())
        difference = (difference[:, None] * frames).sum(0)
    picture = float(np.sqrt(np.square(difference).mean()))
    if picture <= PICTURE and weights <= WEIGHT:
        return None
    return (
        f"on a trial it differs from the processor by {255 * picture:.2g} grey levels of 255, "
        f"weights by {weights:.2g} on average"
    )
