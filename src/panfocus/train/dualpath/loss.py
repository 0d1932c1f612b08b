"""Losses of both paths. No term anywhere compares a fused picture with a source picture.

Symbols as in `step`; ``M^`` is the predictor's mask, ``c`` its confidence, ``b`` the kept blocks,
``v`` validity, ``sg`` stops the gradient.

FOUND (abstract): the predictor learns by masking; it supervises the fuser's mask at each unrolled
step; a fusion consistency loss aligns the two; no similarity between fused and source pictures.
INFERRED: the equations below.

    L_pred = sum (1-b) v (f(b M~, b Y, b) - M~)^2 / sum (1-b) v                         masking
    L_mask = 1/K sum_k mean(c |M^k - sg(M^)|)                                       supervision
    L_cons = mean|X^K - B^| + 0.2 mean|grad X^K - grad B^|,  B^ = sum_n M^_n Y_n    consistency
    L      = L_pred + L_mask + L_cons                                                     paper

OURS, for pictures that were blurred again (`redefocus`), T the picture before, M* the exact mask:

    L = sum_k w_k (10 |B^k - T|_1 + 100 |B^k - T|_2^2 + 100 s^2 |M^k|^2 + 0.05 CE(M^k, M*)
                   + 0.3 (... X^k ...))

where B^k blends the frames as they were before noise and compression, and ``s^2 sum_n M_n^2`` is
the noise that a blend of frames with noise of variance s^2 keeps: its mean, without its scatter.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from panfocus.train.dualpath.predictor import Belief
from panfocus.train.dualpath.step import Iterate, blend

Terms = dict[str, Tensor]

#: Least weight whose logarithm is taken.
LEAST = 1e-30
#: Weight of the exact mask against the picture.
MASK_SHARE = 0.05


def masking(answer: Tensor, target: Tensor, keep: Tensor, valid: Tensor) -> Tensor:
    """L_pred: squared error on dropped valid pixels only.

    Args:
        answer: of the predictor, ``(B, N, H, W)``.
        target: imperfect mask, ``(B, N, H, W)``.
        keep: b, ``(B, 1, H, W)``.
        valid: v, ``(B, H, W)``.
    """
    asked = (1 - keep) * valid.unsqueeze(1)
    error = (answer - target).square().mean(1, keepdim=True)
    return (asked * error).sum() / asked.sum().clamp_min(1)


def supervision(iterates: Sequence[Iterate], belief: Belief) -> Tensor:
    """L_mask: the predictor teaches the mask of every step, and learns nothing from it."""
    taught = belief.mask.detach()
    trust = belief.confidence.detach().unsqueeze(1)
    errors = [(trust * (i.mask - taught).abs()).mean() for i in iterates]
    return torch.stack(errors).mean()


def consistency(picture: Tensor, composite: Tensor) -> Tensor:
    """L_cons: the fuser's picture and the predictor's composite, ``(B, 3, H, W)``, agree."""
    difference = picture - composite
    across = difference[..., 1:] - difference[..., :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    return difference.abs().mean() + 0.2 * (across.abs().mean() + down.abs().mean())


def slowed(tensor: Tensor, share: float) -> Tensor:
    """Return `tensor` itself, through which only a share of the gradient passes."""
    return share * tensor + (1 - share) * tensor.detach()


def exact_mask(mask: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Cross entropy to an exact mask: ``(B, N, H, W)`` twice and ``(B, H, W)``.

    The bound below the logarithm only keeps it finite. With 1e-4, pixels that were wrong and sure
    of it had no gradient: after an hour 7 % of all were, and 99.9 % of all masks were 0 or 1.
    """
    entropy = -(target * mask.clamp_min(LEAST).log()).sum(1)
    return (valid * entropy).sum() / valid.sum().clamp_min(1)


def noise_kept(mask: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error that noise adds to a blend: ``s^2 sum_n M_n^2``, mean over pixels.

    Args:
        mask: ``(B, N, H, W)``.
        noise: s^2 of each frame, ``(B,)``.
    """
    return (noise * mask.square().sum(1).mean((1, 2))).mean()


def picture_error(picture: Tensor, truth: Tensor) -> Tensor:
    """``10 L1 + 100 MSE`` of pictures ``(B, 3, H, W)``."""
    difference = picture - truth
    return 10 * difference.abs().mean() + 100 * difference.square().mean()


def redefocus(
    iterates: Sequence[Iterate],
    frames: Tensor,
    truth: Tensor,
    mask: Tensor,
    valid: Tensor,
    *,
    weights: Sequence[float],
    noise: Tensor | None = None,
) -> Terms:
    """Loss against the picture before it was blurred again.

    Args:
        iterates: the predictor's mask first, then those of the K steps.
        frames: before noise and compression, ``(B, N, 3, H, W)``.
        truth: T, ``(B, 3, H, W)``.
        mask: M*, ``(B, N, H, W)``.
        valid: ``(B, H, W)``.
        weights: w_k of each iterate; a predictor alone counts 1.
        noise: s^2 of the frames that the iterates were made from, ``(B,)``.
    """
    used = weights if len(iterates) > 1 else (1.0,)
    total = frames.new_zeros(())
    terms: Terms = {}
    for k, (now, weight) in enumerate(zip(iterates, used, strict=True)):
        composite = blend(now.mask, frames)
        error = picture_error(composite, truth) + MASK_SHARE * exact_mask(now.mask, mask, valid)
        if noise is not None:
            error = error + 100 * noise_kept(now.mask, noise)
        terms[f"psnr_mask_{k}"] = decibel(composite, truth)
        if k:
            error = error + 0.3 * picture_error(now.picture, truth)
            terms[f"psnr_picture_{k}"] = decibel(now.picture, truth)
        total = total + weight / sum(used) * error
    return {"loss": total, **terms}


@torch.no_grad()
def decibel(picture: Tensor, truth: Tensor) -> Tensor:
    """Return the mean PSNR of ``(B, 3, H, W)``, each at most 60 dB."""
    error = (picture - truth).square().mean((1, 2, 3))
    return (-10 * torch.log10(error.clamp_min(1e-6))).mean()
