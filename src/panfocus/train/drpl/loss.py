"""The losses of DRPL, one function a term, in the symbols of the paper.

``I1, I2`` the pair, ``o1, o2`` the predicted maps, ``F`` the fused picture, ``T`` the truth.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from panfocus.train.drpl.config import LossWeights
from panfocus.train.drpl.network import first_weight
from panfocus.train.similarity import similarity


def composite(maps: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """``F = o1 * I1 + o2 * I2``, soft and not normalised.

    Args:
        maps: ``(B, 2, H, W)``.
        first: ``(B, 3, H, W)``.
        second: ``(B, 3, H, W)``.
    """
    return maps[:, :1] * first + maps[:, 1:] * second


def blend(maps: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """``w * I1 + (1 - w) * I2`` with the weight of test time; shapes as in `composite`."""
    weight = first_weight(maps)[:, None]
    return second + weight * (first - second)


def mask_loss(maps: Tensor, mask: Tensor) -> Tensor:
    """Mean ``|o1 - M| + |o2 - (1 - M)|`` over both maps (halved).

    Args:
        maps: ``(B, 2, H, W)``.
        mask: ``(B, H, W)``, 1 where the first picture is in focus.
    """
    return functional.l1_loss(maps, torch.stack((mask, 1 - mask), 1))


def laplacian(picture: Tensor) -> Tensor:
    """``lap(x) = x - x * [[0, 1, 0], [1, -4, 1], [0, 1, 0]]``, the filter summed over colours.

    Args:
        picture: ``(B, 3, H, W)``; outside it is 0.
    """
    cross = picture.new_tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    filtered = functional.conv2d(picture.sum(1, keepdim=True), cross[None, None], padding=1)
    return picture - filtered


def gradient_loss(fused: Tensor, truth: Tensor) -> Tensor:
    """``mean |lap(F) - lap(T)|``; 0 exactly when the Laplacians agree."""
    return functional.l1_loss(laplacian(fused), laplacian(truth))


@cache
def banded(side: int, size: int, sigma: float) -> Tensor:
    """Return the matrix ``(side, side)`` that averages with a Gaussian window, 0 outside.

    As a product of matrices the window costs a tenth of what it does as a convolution of planes
    with one channel each, which was a sixth of a training step (MEASURED).

    Args:
        side: of the picture.
        size: of the window; odd.
        sigma: of the window.
    """
    axis = torch.arange(side, dtype=torch.float64)
    away = (axis[:, None] - axis[None, :]).abs()
    near = torch.arange(size, dtype=torch.float64) - size // 2
    total = torch.exp(-(near**2) / (2 * sigma**2)).sum()
    return torch.exp(-(away**2) / (2 * sigma**2)) * (away <= size // 2) / total


def ssim(fused: Tensor, truth: Tensor, size: int = 11, sigma: float = 1.5) -> Tensor:
    """Mean structural similarity, per colour, Gaussian window, pictures 0 outside.

    Args:
        fused: ``(B, 3, H, W)`` in [0, 1].
        truth: the same shape.
        size: of the window.
        sigma: of the window.
    """
    rows, columns = (banded(side, size, sigma).to(fused) for side in fused.shape[-2:])
    stack = torch.stack((fused, truth, fused * fused, truth * truth, fused * truth))
    return similarity(*(rows @ stack @ columns))


def ssim_loss(fused: Tensor, truth: Tensor) -> Tensor:
    """``1 - SSIM(F, T)``."""
    return 1 - ssim(fused, truth)


def teacher_loss(maps: Tensor, taught: Tensor) -> Tensor:
    """``mean |o - o'|`` over both maps of a network and of its teacher, ``(B, 2, H, W)`` (OURS)."""
    return functional.l1_loss(maps, taught)


def total(  # noqa: PLR0917  the equation has six symbols
    maps: Tensor,
    first: Tensor,
    second: Tensor,
    truth: Tensor,
    mask: Tensor,
    weights: LossWeights,
    taught: Tensor | None = None,
) -> dict[str, Tensor]:
    """Return every term in use, unweighted, and their weighted sum as ``"loss"``.

    Args:
        maps: ``(B, 2, H, W)`` from the network.
        first: ``(B, 3, H, W)``.
        second: ``(B, 3, H, W)``.
        truth: ``(B, 3, H, W)``, sharp everywhere.
        mask: ``(B, H, W)``, 1 where the first picture is in focus.
        weights: of the terms.
        taught: a teacher's maps ``(B, 2, H, W)``, if it was asked.
    """
    fused = composite(maps, first, second)
    terms = {"mask": mask_loss(maps, mask)}
    if weights.gradient:
        terms["gradient"] = gradient_loss(fused, truth)
    if weights.ssim:
        terms["ssim"] = ssim_loss(fused, truth)
    if weights.picture_l1 or weights.picture_l2:
        blended = blend(maps, first, second)
        terms["picture_l1"] = functional.l1_loss(blended, truth)
        terms["picture_l2"] = functional.mse_loss(blended, truth)
    if taught is not None:
        terms["teacher"] = teacher_loss(maps, taught)
    weighted = [getattr(weights, name) * value for name, value in terms.items()]
    return terms | {"loss": torch.stack(weighted).sum()}
