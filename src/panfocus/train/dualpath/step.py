"""One unrolled step of the image fuser.

INFERRED (the abstract says "deep unrolling" and "each unrolled step", no more). The model:

    min over X and M on the simplex   1/2 sum_n <M_n, (X - Y_n)^2> + lambda R(X) + mu S(M)

    G_n = 1/2 mean_c (X - Y_n)^2                                          dE/dM_n
    Z   = M - tau (G - mean_m G_m) / (sum_m G_m / 2 + eps)                gradient step on M
    M'  = softmax_n (log clip Z + P(Z, Y - X))                 learned proximal step
    B   = sum_n M'_n Y_n
    V   = X - eta (X - B)                       gradient step on X, exact as sum_n M'_n = 1
    X'  = V + D(V - B, B, max_n Y_n - min_n Y_n, max_n M'_n)              learned proximal step

OURS: any N (with N = 2 the direction is ``(G_1 - G_2) / (G_1 + G_2)``); the gradient is scaled
by its sum over the frames at the same pixel and not over the picture, so that a tile gets the
answer that the whole picture gets. P and D end in layers that start as 0, so that the first
step of training is the classical algorithm.

With X a blend of the frames, G holds no trace of sharpness: P must supply it, which is why the
mask has to be supervised at every step.

Shapes: B sets of N frames. ``Y (B, N, 3, H, W)``, ``M, G, Z (B, N, H, W)``, ``X (B, 3, H, W)``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath.network import PACK, FrameNet, Shape, weights_of

#: Squared difference below which two frames are alike: about one grey level in 255.
EPSILON = 1e-5
#: Difference of two frames above which more of it tells nothing more.
LARGE = 0.1
#: Weights are kept this far from 0 and 1 before their logarithm.
CLIP = 1e-3


class Iterate(NamedTuple):
    """What a step hands to the next.

    Attributes:
        picture: X, ``(B, 3, H, W)``.
        mask: M, ``(B, N, H, W)``, summing to 1 over N.
    """

    picture: Tensor
    mask: Tensor


def blend(mask: Tensor, frames: Tensor) -> Tensor:
    """``sum_n M_n Y_n``: ``(B, N, H, W)`` and ``(B, N, 3, H, W)`` to ``(B, 3, H, W)``."""
    return (mask.unsqueeze(2) * frames).sum(1)


def data_term(picture: Tensor, mask: Tensor, frames: Tensor) -> Tensor:
    """``1/2 sum_n <M_n, mean_c (X - Y_n)^2>``: a number."""
    return 0.5 * (mask * (picture.unsqueeze(1) - frames).square().mean(2)).sum()


def mask_gradient(picture: Tensor, frames: Tensor) -> Tensor:
    """Return the direction of the mask's step, scaled per pixel: ``(B, N, H, W)``."""
    slope = 0.5 * (picture.unsqueeze(1) - frames).square().mean(2)
    mean = slope.mean(1, keepdim=True)
    # by half the sum and not by the mean: one frame far from X must not lift all the others
    return (slope - mean) / (0.5 * frames.shape[1] * mean + EPSILON)


def limited(difference: Tensor) -> Tensor:
    """Compress differences far above `LARGE`, which only lights beyond white make.

    Without it P, trained on few of them, took whole discs of defocused lights (MEASURED: 31 dB
    after two steps where the predictor alone had 44).
    """
    return difference / (1 + difference.abs() / LARGE)


class PicturePrior(nn.Module):
    """D: what to add to V, from V, the blend, how far frames differ and how sure M is.

    It starts as 0.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(8 * PACK**2, width, 3, padding=1)
        self.last = nn.Conv2d(width, 3 * PACK**2, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, moved: Tensor, blended: Tensor, frames: Tensor, mask: Tensor) -> Tensor:
        """Return ``(B, 3, H, W)``."""
        spread = (frames.amax(1) - frames.amin(1)).mean(1, keepdim=True)
        # V and B are close, so the network is shown B and how V differs from it
        seen = torch.cat((moved - blended, blended - 0.5, spread, mask.amax(1, keepdim=True)), 1)
        packed = F.pixel_unshuffle(seen, PACK).contiguous(memory_format=torch.channels_last)
        x = F.relu(self.first(packed))
        return F.pixel_shuffle(self.last(x), PACK)


def silent(prior: FrameNet) -> FrameNet:
    """Let a prior start as 0: a step that follows a good mask must not begin by spoiling it."""
    nn.init.zeros_(prior.head.weight)
    nn.init.zeros_(prior.head.bias)  # pyright: ignore[reportArgumentType]
    return prior


class Step(nn.Module):
    """One unrolled step; ``mask_prior`` and ``picture_prior`` may be None: the plain algorithm."""

    def __init__(
        self, shape: Shape | None, picture_width: int = 0, *, sees_frames: bool = False
    ) -> None:
        """Set up.

        Args:
            shape: of P; None for no prior on the mask.
            picture_width: channels of D; 0 for no prior on the picture.
            sees_frames: show P the frames too. It must see them when X starts as their mean:
                Y - X is then the same for both of a pair but for its sign.
        """
        super().__init__()
        self.tau = nn.Parameter(torch.tensor(-2.0))
        self.eta = nn.Parameter(torch.tensor(2.0))
        self.sees_frames = sees_frames
        self.mask_prior = silent(FrameNet(7 if sees_frames else 4, shape)) if shape else None
        self.picture_prior = PicturePrior(picture_width) if picture_width else None

    def forward(self, now: Iterate, frames: Tensor) -> Iterate:
        """Take one step: X, M and Y to X', M'."""
        mask = self.mask_step(now, frames)
        return Iterate(self.picture_step(now.picture, mask, frames), mask)

    def mask_step(self, now: Iterate, frames: Tensor) -> Tensor:
        """Take the gradient step and the proximal step on M."""
        moved = now.mask - F.softplus(self.tau) * mask_gradient(now.picture, frames)
        logits = moved.clamp(CLIP, 1 - CLIP).log()
        if self.mask_prior is not None:
            shown = [logits.unsqueeze(2), limited(frames - now.picture.unsqueeze(1))]
            shown += [frames - 0.5] if self.sees_frames else []
            prior = self.mask_prior(torch.cat(shown, 2).flatten(0, 1), frames.shape[0])
            logits = logits + prior.view_as(logits)
        return weights_of(logits)

    def picture_step(self, picture: Tensor, mask: Tensor, frames: Tensor) -> Tensor:
        """Take the gradient step and the proximal step on X."""
        blended = blend(mask, frames)
        moved = picture - torch.sigmoid(self.eta) * (picture - blended)
        if self.picture_prior is None:
            return moved
        return moved + self.picture_prior(moved, blended, frames, mask)
