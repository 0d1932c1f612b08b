"""One unrolled step of the image fuser.

INFERRED (the abstract says "deep unrolling" and "each unrolled step", no more). The model ties the
picture to the composition of the frames, as the same group's matting does:

    min over X and M on the simplex   1/2 |X - B(M)|^2 + phi(X) + psi(M),     B(M) = sum_n M_n Y_n

    g_n = mean_c (B(M) - X) (Y_n - mean_m Y_m)                          dE/dM_n on the simplex
    Z   = M - tau g / (mean_m mean_c (Y_m - mean Y)^2 + eps)            gradient step on M
    M'  = softmax_n (log clip Z + P(...))                               learned proximal step
    V   = X - eta (X - B(M'))                                           gradient step on X
    X'  = V + D(V - B, B, max_n Y_n - min_n Y_n, max_n M'_n)            learned proximal step

At the start X^0 = B(M^0), so that the first gradient in M is 0 and Z = M^0. Afterwards D has
changed the blend, and g moves M towards what explains the change. g holds no trace of sharpness of
its own: P must supply it, which is why the mask has to be supervised at every step.

P sees any of: the ``iterate`` (log Z and Y - X), the ``frames``, focus ``evidence``. With M^0 = 1/N
the first step's iterate tells nothing that the frames and their mean do not.

OURS: any N; the gradient is scaled per pixel and not over the picture, so that a tile gets the
answer that the whole picture gets. P and D end in layers that start as 0, so that the first step
of training is the classical algorithm.

Shapes: B sets of N frames. ``Y (B, N, 3, H, W)``, ``M, g, Z (B, N, H, W)``, ``X (B, 3, H, W)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath.network import PACK, FrameNet, Shape, mean_over_frames, weights_of

#: Variance of the frames at a pixel below which they are alike: about one grey level in 255.
EPSILON = 1e-5
#: Difference of two frames above which more of it tells nothing more.
LARGE = 0.1
#: Weights are kept this far from 0 and 1 before their logarithm.
CLIP = 1e-4
#: Sides of the squares over which evidence is gathered.
WINDOWS = (5, 13)

#: What the prior on the mask is shown, and how many channels of each frame that is.
Sight = Literal["iterate", "frames", "evidence"]
CHANNELS: dict[Sight, int] = {"iterate": 4, "frames": 3, "evidence": len(WINDOWS)}


@dataclass(frozen=True)
class Unrolled:
    """How large one step is.

    Attributes:
        prior: of P, on the mask.
        sees: what P is shown.
        picture_width: channels of D, on the picture; 0 for none.
    """

    prior: Shape
    sees: tuple[Sight, ...]
    picture_width: int


class Iterate(NamedTuple):
    """What a step hands to the next.

    Attributes:
        picture: X, ``(B, 3, H, W)``.
        mask: M, ``(B, N, H, W)``, summing to 1 over N.
    """

    picture: Tensor
    mask: Tensor


def blend(mask: Tensor, frames: Tensor) -> Tensor:
    """``B(M) = sum_n M_n Y_n``: ``(B, N, H, W)`` and ``(B, N, 3, H, W)`` to ``(B, 3, H, W)``."""
    return (mask.unsqueeze(2) * frames).sum(1)


def beginning(frames: Tensor) -> Iterate:
    """``M^0 = 1/N`` and ``X^0 = B(M^0)``."""
    mask = torch.full_like(frames[:, :, 0], 1 / frames.shape[1])
    return Iterate(mean_over_frames(frames), mask)


def data_term(picture: Tensor, mask: Tensor, frames: Tensor) -> Tensor:
    """``1/2 |X - B(M)|^2``, mean over colours: a number."""
    return 0.5 * (picture - blend(mask, frames)).square().mean(1).sum()


def mask_gradient(now: Iterate, frames: Tensor) -> Tensor:
    """Return the direction of the mask's step, scaled per pixel: ``(B, N, H, W)`` in [-1, 1]."""
    apart = frames - mean_over_frames(frames).unsqueeze(1)
    excess = blend(now.mask, frames) - now.picture
    slope = (excess.unsqueeze(1) * apart).mean(2)
    scale = apart.square().mean(2).mean(1, keepdim=True)
    # bounded by one factor for all frames of a pixel, so that the step stays on the simplex
    direction = slope / (scale + EPSILON)
    return direction / direction.abs().amax(1, keepdim=True).clamp_min(1)


def evidence(frames: Tensor) -> Tensor:
    """How much more fine detail each frame has than the mean of all, ``(B, N, 2, H, W)``.

    ``(E_n - mean_m E_m) / (mean_m E_m + eps)`` of the local energy E of what a 3 x 3 mean leaves,
    over each of `WINDOWS`: signed, without unit, 0 for frames alike.

    Args:
        frames: ``(B, N, 3, H, W)``.
    """
    grey = frames.mean(2)
    fine = (grey - F.avg_pool2d(grey, 3, 1, 1, count_include_pad=False)).square()
    energies = [F.avg_pool2d(fine, w, 1, w // 2, count_include_pad=False) for w in WINDOWS]
    energy = torch.stack(energies, 2)
    mean = energy.mean(1, keepdim=True)
    return (energy - mean) / (mean + 1e-6)


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
    """One unrolled step; without a size it is the plain algorithm.

    Attributes:
        sharpness: power of the weights over frames, 1 in training (`pack.sharpened`).
    """

    def __init__(self, size: Unrolled | None) -> None:
        """Set up; None for no priors."""
        super().__init__()
        self.tau = nn.Parameter(torch.tensor(-2.0))
        self.eta = nn.Parameter(torch.tensor(6.0))
        self.sharpness = 1.0
        self.sees: tuple[Sight, ...] = size.sees if size else ()
        channels = sum(CHANNELS[sight] for sight in self.sees)
        self.mask_prior = silent(FrameNet(channels, size.prior)) if size else None
        width = size.picture_width if size else 0
        self.picture_prior = PicturePrior(width) if width else None

    def forward(self, now: Iterate, frames: Tensor, *, first: bool = False) -> Iterate:
        """Take one step: X, M and Y to X', M'; `first` for that from `beginning`."""
        mask = self.mask_step(now, frames, first=first)
        return Iterate(self.picture_step(now.picture, mask, frames), mask)

    def mask_step(self, now: Iterate, frames: Tensor, *, first: bool = False) -> Tensor:
        """Take the gradient step and the proximal step on M."""
        moved = now.mask
        if not first:  # there X^0 = B(M^0), and the gradient is 0
            moved = moved - F.softplus(self.tau) * mask_gradient(now, frames)
        logits = moved.clamp(CLIP, 1 - CLIP).log()
        if self.mask_prior is not None:
            prior = self.mask_prior(self._shown(now, logits, frames), frames.shape[0])
            logits = logits + prior.view_as(logits)
        return weights_of(logits if self.sharpness == 1 else self.sharpness * logits)

    def _shown(self, now: Iterate, logits: Tensor, frames: Tensor) -> Tensor:
        """Return what P is shown, ``(B * N, C, H, W)``."""
        shown: list[Tensor] = []
        if "iterate" in self.sees:
            shown += [logits.unsqueeze(2), limited(frames - now.picture.unsqueeze(1))]
        if "frames" in self.sees:
            shown.append(frames - 0.5)
        if "evidence" in self.sees:
            shown.append(evidence(frames))
        return (torch.cat(shown, 2) if len(shown) > 1 else shown[0]).flatten(0, 1)

    def picture_step(self, picture: Tensor, mask: Tensor, frames: Tensor) -> Tensor:
        """Take the gradient step and the proximal step on X."""
        blended = blend(mask, frames)
        moved = picture - torch.sigmoid(self.eta) * (picture - blended)
        if self.picture_prior is None:
            return moved
        return moved + self.picture_prior(moved, blended, frames, mask)


def importance(steps: Sequence[object]) -> list[float]:
    """Return ``gamma_k = 1 / (K - k + 1)`` of K steps, normalised: later steps count more.

    INFERRED: as both of the same group's unrolled networks that a teacher supervises.
    """
    raw = [1 / (len(steps) - k) for k in range(len(steps))]
    return [value / sum(raw) for value in raw]
