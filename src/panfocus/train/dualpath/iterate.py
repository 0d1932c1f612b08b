"""What the unrolled steps work on: the frames, picture and mask, and what one hands the next.

Symbols and shapes as in `panfocus.train.dualpath.step`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from panfocus.train.dualpath.pooling import mean_over_frames

#: Variance of the frames at a pixel below which they are alike: about one grey level in 255.
EPSILON = 1e-5


class Iterate(NamedTuple):
    """What a step answers.

    Attributes:
        picture: X, ``(B, 3, H, W)``.
        mask: M, ``(B, N, H, W)``, summing to 1 over N.
    """

    picture: Tensor
    mask: Tensor


class Passed(NamedTuple):
    """What a step hands to the next, besides its answer.

    Attributes:
        logits: log M but for a number of each pixel, ``(B, N, H, W)``.
        added: what D has added to the blend, L(X - B(M)), ``(B, 1, H, W)``.
        features: of P, ``(B * N, carry, H / pack, W / pack)``; None where there are none.
    """

    logits: Tensor
    added: Tensor
    features: Tensor | None = None


class Frames(NamedTuple):
    """The frames and what every step needs of them.

    Attributes:
        colour: Y, ``(B, N, 3, H, W)``.
        apart: ``L(Y_n) - mean_m L(Y_m)``, ``(B, N, H, W)``.
        middle: ``mean_m L(Y_m)``, ``(B, 1, H, W)``.
        spread: standard deviation of ``L(Y_n)`` over the frames, ``(B, 1, H, W)``, above 0.
    """

    colour: Tensor
    apart: Tensor
    middle: Tensor
    spread: Tensor

    @classmethod
    def of(cls, colour: Tensor) -> Frames:
        """Look at frames ``(B, N, 3, H, W)``."""
        grey = luminance(colour)
        middle = mean_over_frames(grey.unsqueeze(2))
        apart = grey - middle
        variance = mean_over_frames(apart.square().unsqueeze(2))
        return cls(colour, apart, middle, (variance + EPSILON).sqrt())


def luminance(colour: Tensor) -> Tensor:
    """L, the mean of the colours: ``(B, N, 3, H, W)`` to ``(B, N, H, W)``."""
    # two sums: ONNX Runtime turns axes around for a mean over any but the last
    return (colour[:, :, 0] + colour[:, :, 1] + colour[:, :, 2]) * (1 / 3)


def blend(mask: Tensor, frames: Tensor) -> Tensor:
    """``B(M) = sum_n M_n Y_n``: ``(B, N, H, W)`` and ``(B, N, 3, H, W)`` to ``(B, 3, H, W)``."""
    return (mask.unsqueeze(2) * frames).sum(1)


def beginning(frames: Frames) -> tuple[Iterate, Passed]:
    """``M^0 = 1/N`` and ``X^0 = B(M^0)``."""
    alike = torch.zeros_like(frames.apart)
    mask = alike + 1 / frames.apart.shape[1]
    start = Iterate(mean_over_frames(frames.colour), mask)
    return start, Passed(alike, torch.zeros_like(frames.middle))
