"""Losses of both paths. No term anywhere compares a fused picture with a source picture.

Symbols as in `step`; ``M^`` is the predictor's mask, ``c`` its confidence, ``b`` what was kept,
``v`` validity, ``sg`` stops the gradient, ``gamma_k`` as `step.importance` says.

FOUND (abstract): the predictor learns by masking; it supervises the fuser's mask at each unrolled
step; a fusion consistency loss aligns the two; no similarity between fused and source pictures.
INFERRED: the equations below.

    L_pred = sum (1-b) v (f(b M~, b, guide) - M~')^2 / sum (1-b) v                      masking
    L_mask = sum_k gamma_k mean(c |M^k - sg(M^)|)                                   supervision
    L_cons = sum_k gamma_k (mean|X^k - B^| + 0.2 mean|grad X^k - grad B^|)          consistency

with M~' of another window than M~ and ``B^ = B(M^)``.

OURS, in addition, for pictures that were blurred again (`redefocus`), where the picture T before
and the mask M* are known exactly: M* in place of M~' in L_pred, and

    L_known = sum_k gamma_k (10 |B(M^k) - T|_1 + 100 |B(M^k) - T|_2^2 + 100 s^2 |M^k|^2
                             + w_m CE(M^k, M*) + w_p (... X^k ...)                     known
                             + w_d ln(|B(M^k) - T|_2^2 + 1e-5) + w_s (1 - SSIM(B(M^k), T)))

where B blends the frames as they were before noise and compression, and ``s^2 sum_n M_n^2`` is
the noise that a blend of frames with noise of variance s^2 keeps: its mean, without its scatter.
The weights are `config.Known`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from panfocus.train.dualpath.config import Known
from panfocus.train.dualpath.iterate import Iterate, blend
from panfocus.train.dualpath.predictor import Belief
from panfocus.train.dualpath.step import importance
from panfocus.train.similarity import similarity

Terms = dict[str, Tensor]

#: Least weight whose logarithm is taken.
LEAST = 1e-30
#: Mean squared error below which a picture is not asked to be better: 50 dB.
GOOD = 1e-5


def masking(answer: Tensor, target: Tensor, keep: Tensor, valid: Tensor) -> Tensor:
    """L_pred: squared error on dropped valid pixels only.

    Args:
        answer: of the predictor, ``(B, N, H, W)``.
        target: imperfect or exact mask, ``(B, N, H, W)``.
        keep: b, ``(B, 1, H, W)``.
        valid: v, ``(B, H, W)``.
    """
    asked = (1 - keep) * valid.unsqueeze(1)
    error = (answer - target).square().mean(1, keepdim=True)
    return (asked * error).sum() / asked.sum().clamp_min(1)


def supervision(steps: Sequence[Iterate], belief: Belief) -> Tensor:
    """L_mask: the predictor teaches the mask of every step, and learns nothing from it.

    Args:
        steps: iterates 1 to K.
        belief: the predictor's.
    """
    taught = belief.mask.detach()
    trust = belief.confidence.detach().unsqueeze(1)
    errors = [(trust * (now.mask - taught).abs()).mean() for now in steps]
    return weighted(errors)


def consistency(steps: Sequence[Iterate], composite: Tensor) -> Tensor:
    """L_cons: the fuser's picture of every step and the predictor's composite agree.

    Args:
        steps: iterates 1 to K.
        composite: B^, ``(B, 3, H, W)``.
    """
    return weighted([_apart(now.picture - composite) for now in steps])


def _apart(difference: Tensor) -> Tensor:
    across = difference[..., 1:] - difference[..., :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    return difference.abs().mean() + 0.2 * (across.abs().mean() + down.abs().mean())


def weighted(errors: Sequence[Tensor]) -> Tensor:
    """Return ``sum_k gamma_k e_k``."""
    parts = [gamma * error for gamma, error in zip(importance(errors), errors, strict=True)]
    return torch.stack(parts).sum()


def followed(belief: Belief, answer: Tensor, share: float) -> Tensor:
    """Return M^, through which a share of the gradient reaches the predictor.

    Args:
        belief: the average that teaches, of which no gradient is kept.
        answer: one drawing of the predictor's, ``(B, N, H, W)``.
        share: of the gradient.
    """
    return belief.mask.detach() + share * (answer - answer.detach())


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


def known(  # noqa: PLR0917  a batch has as many arrays
    steps: Sequence[Iterate],
    frames: Tensor,
    truth: Tensor,
    mask: Tensor,
    valid: Tensor,
    noise: Tensor,
    *,
    weights: Known,
) -> Terms:
    """L_known: every step against the picture before it was blurred again.

    Args:
        steps: iterates 1 to K.
        frames: before noise and compression, ``(B, N, 3, H, W)``.
        truth: T, ``(B, 3, H, W)``.
        mask: M*, ``(B, N, H, W)``.
        valid: ``(B, H, W)``.
        noise: s^2 of the frames that the iterates were made from, ``(B,)``.
        weights: of its parts.

    Returns:
        The loss under ``"known"``, and decibels of every step.
    """
    errors: list[Tensor] = []
    terms: Terms = {}
    for k, now in enumerate(steps, start=1):
        composite = blend(now.mask, frames)
        error = picture_error(composite, truth) + weights.mask * exact_mask(now.mask, mask, valid)
        error = error + 100 * noise_kept(now.mask, noise)
        error = error + weights.picture * picture_error(now.picture, truth)
        if weights.decibel:
            error = error + weights.decibel * log_error(composite, truth)
        if weights.similarity:
            error = error + weights.similarity * dissimilarity(composite, truth)
        errors.append(error)
        terms[f"psnr_mask_{k}"] = decibel(composite, truth)
        terms[f"psnr_picture_{k}"] = decibel(now.picture, truth)
    return {"known": weighted(errors), **terms}


def log_error(picture: Tensor, truth: Tensor) -> Tensor:
    """Mean of the logarithm of each picture's squared error, ``(B, 3, H, W)`` twice, from 0 on."""
    each = (picture.float() - truth.float()).square().mean((1, 2, 3))
    return ((each + GOOD) / GOOD).log().mean()


def dissimilarity(picture: Tensor, truth: Tensor) -> Tensor:
    """``1 - SSIM`` of the colours' mean over squares of 7 pixels, ``(B, 3, H, W)`` twice.

    In float32 whatever the networks work in: variances are differences of near numbers.
    """
    a, b = (p.float().mean(1, keepdim=True) for p in (picture, truth))
    stack = torch.cat((a, b, a * a, b * b, a * b), 1)
    return 1 - similarity(*F.avg_pool2d(stack, 7, 1).unbind(1))


@torch.no_grad()
def decibel(picture: Tensor, truth: Tensor) -> Tensor:
    """Return the mean PSNR of ``(B, 3, H, W)``, each at most 60 dB."""
    error = (picture - truth).square().mean((1, 2, 3))
    return (-10 * torch.log10(error.clamp_min(1e-6))).mean()
