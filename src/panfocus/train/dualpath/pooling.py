"""What frames of a set have in common: means, maxima and weights over them, whatever their order.

B sets of N frames lie along one axis, ``(B * N, C, H, W)``, set after set, unless told otherwise.
"""

from __future__ import annotations

import torch
from torch import Tensor


def by_set(x: Tensor, sets: int) -> Tensor:
    """``(sets * N, ...)`` to ``(sets, N, ...)``."""
    return torch.unflatten(x, 0, (sets, -1))


def mean_over_frames(frames: Tensor) -> Tensor:
    """``(B, N, C, H, W)`` to ``(B, C, H, W)``."""
    if not torch.onnx.is_in_onnx_export():
        return frames.mean(1)
    # ONNX Runtime multiplies matrices two to five times faster than it averages a middle axis
    flat = frames.flatten(2)
    # ones made of values, as tracing takes any shape for constant
    ones = (0 * flat[:, :, :1] + 1).transpose(1, 2)
    mean = (ones / ones.sum(2, keepdim=True)) @ flat
    return mean.view_as(frames[:, 0])


def beside_mean(x: Tensor, sets: int) -> Tensor:
    """Put its set's mean beside each frame: ``(sets * N, C, H, W)`` to ``(sets * N, 2C, H, W)``."""
    frames = by_set(x, sets)
    mean = mean_over_frames(frames).unsqueeze(1).expand_as(frames)
    return torch.cat((frames, mean), 2).flatten(0, 1)


def weights_of(logits: Tensor) -> Tensor:
    """Softmax over the frames, ``(B, N, H, W)``, in single precision at least.

    Half-length numbers cannot tell a weight of 0.999 from 1.
    """
    return weights_and_largest(logits)[0]


def weights_and_largest(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over the frames and its largest value, ``(B, N, H, W)`` and ``(B, 1, H, W)``."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if not torch.onnx.is_in_onnx_export():
        weights = logits.softmax(1)
        return weights, weights.amax(1, keepdim=True)
    # ONNX Runtime turns the axes of a picture around for a softmax over any but the last
    share = (logits - logits.amax(1, keepdim=True)).exp()
    largest = 1 / share.sum(1, keepdim=True)  # the largest share is exp(0)
    return share * largest, largest
