"""One unrolled step of the image fuser.

INFERRED (the abstract says "deep unrolling" and "each unrolled step", no more). The model ties the
picture to the composition of the frames, as the same group's matting does:

    min over X and M on the simplex   1/2 |L(X) - L(B(M))|^2 + phi(X) + psi(M)

with the blend ``B(M) = sum_n M_n Y_n`` and L the mean of the colours. A step descends in M, and
then takes the X that is best for the new M; each is followed by a learned proximal step:

    g_n = f (L(Y_n) - mean_m L(Y_m)),   f = bounded (L(B(M)) - L(X))         dE/dM_n, scaled
    Z_n = log M_n - tau g_n                        descent on the simplex, by the entropy's mirror
    M'  = softmax_n (Z_n + P(...))                                           learned proximal step
    V   = B(M')                                    exact minimum in X
    X'  = V + D(L(V), spread of L(Y_n), max_n M'_n)                          learned proximal step

At the start X^0 = B(M^0), so that the first gradient in M is 0. Afterwards ``X - B(M)`` is what D
has added, and g moves M towards frames that explain it. g holds no trace of sharpness of its own:
P must supply it, which is why the mask has to be supervised at every step.

P sees any of: the ``iterate`` (M and g), the ``difference`` of frames and picture, the ``frames``,
focus ``evidence``, and the ``features`` of the step before (FOUND in the same group's unrolled
networks, which hand features on by a recurrent layer). With M^0 = 1/N the first step's iterate
tells nothing that the frames and their mean do not.

OURS: any N; the gradient is scaled per pixel and not over the picture, so that a tile gets the
answer that the whole picture gets; descent by the mirror of the entropy, which needs no projection;
detail is restored in luminance. P and D end in layers that start as 0, so that the first step of
training is the classical algorithm.

Shapes: B sets of N frames. ``Y (B, N, 3, H, W)``, ``M, g, Z (B, N, H, W)``, ``X (B, 3, H, W)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath.blocks import PACK
from panfocus.train.dualpath.data_term import mask_gradient
from panfocus.train.dualpath.iterate import Frames, Iterate, Passed, blend
from panfocus.train.dualpath.network import FrameNet, Shape
from panfocus.train.dualpath.pooling import weights_and_largest
from panfocus.train.dualpath.priors import CHANNELS, PicturePrior, Sight, evidence, limited, silent
from panfocus.train.fields import AtLeast, Pack, Some


@dataclass(frozen=True)
class Unrolled:
    """How large one step is.

    Attributes:
        prior: of P, on the mask.
        sees: what P is shown.
        picture: channels of D, on the picture; 0 for none.
        picture_blocks: residual blocks of D.
        picture_pack: side of the square of pixels that D packs into channels.
        carry: channels of the features that P hands to the next step.
    """

    prior: Shape
    sees: Annotated[tuple[Sight, ...], AtLeast(1)]
    picture: Some
    picture_blocks: Some = 0
    picture_pack: Pack = 2 * PACK
    carry: Some = 0

    @property
    def multiple_of(self) -> int:
        """What height and width must be multiples of."""
        return max(self.prior.multiple_of, self.picture_pack if self.picture else 1)

    @property
    def reach(self) -> int:
        """How far an answer depends on the picture around it, pixels; an upper bound."""
        return self.prior.reach + self.picture_reach

    @property
    def picture_reach(self) -> int:
        """How far what D adds depends on the picture around it, pixels; an upper bound."""
        cells = 2 + 2 * self.picture_blocks + 1 if self.picture else 0
        return cells * self.picture_pack


class Step(nn.Module):
    """One unrolled step; without a size it is the plain algorithm.

    Attributes:
        sharpness: power of the weights over frames, 1 in training (`pack.sharpened`).
    """

    def __init__(self, size: Unrolled | None, before: Unrolled | None = None) -> None:
        """Set up; None for no priors, and for no step before."""
        super().__init__()
        self.tau = nn.Parameter(torch.tensor(-2.0))
        self.sharpness = 1.0
        self.sees: tuple[Sight, ...] = size.sees if size else ()
        self.mask_prior = silent(self._prior(size, before)) if size else None
        self.picture_prior = None
        if size and size.picture:
            self.picture_prior = PicturePrior(size.picture, size.picture_blocks, size.picture_pack)

    @classmethod
    def reach(cls, size: Unrolled) -> int:
        """Return how far an answer depends on the picture around it, pixels."""
        return size.reach

    def _prior(self, size: Unrolled, before: Unrolled | None) -> FrameNet:
        channels = sum(CHANNELS[sight] for sight in self.sees)
        # weights and gradients sum to a constant over the frames: their mean tells nothing
        beside = any(sight not in {"iterate", "features"} for sight in self.sees)
        follows = before and "features" in self.sees
        carried = (before.carry, before.prior.pack) if before and follows else None
        return FrameNet(channels, size.prior, beside=beside, carry=size.carry, carried=carried)

    def forward(
        self,
        now: Iterate,
        passed: Passed,
        frames: Frames,
        *,
        first: bool = False,
        restores: bool = True,
    ) -> tuple[Iterate, Passed]:
        """Take one step: X, M and Y to X', M'.

        Args:
            now: X and M.
            passed: what the step before hands on.
            frames: Y.
            first: whether it is the step from `beginning`.
            restores: whether D runs; else the picture is the blend.
        """
        logits, features = self.mask_step(now, passed, frames, first=first)
        mask, largest = weights_and_largest(
            logits if self.sharpness == 1 else self.sharpness * logits
        )
        added = torch.zeros_like(frames.middle)
        if restores and self.picture_prior is not None:
            blended = frames.middle + (mask * frames.apart).sum(1, keepdim=True)
            added = self.picture_prior(blended, frames.spread, largest)
        picture = blend(mask, frames.colour) + added
        return Iterate(picture, mask), Passed(logits, added, features)

    def mask_step(
        self, now: Iterate, passed: Passed, frames: Frames, *, first: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Take the gradient step and the proximal step on M: return its logits, and features."""
        logits = passed.logits
        # at first X^0 = B(M^0), and the gradient is 0
        gradient = torch.zeros_like(logits) if first else mask_gradient(passed.added, frames)
        if not first:
            logits = logits - F.softplus(self.tau) * gradient
        if self.mask_prior is None:
            return logits, None
        seen = self._shown(now, gradient, frames)
        features = passed.features if "features" in self.sees else None
        answer = self.mask_prior.answer(seen, logits.shape[0], features)
        return logits + answer.pixels.view_as(logits), answer.features

    def _shown(self, now: Iterate, gradient: Tensor, frames: Frames) -> Tensor:
        """Return what P is shown, ``(B * N, C, H, W)``."""
        shown: list[Tensor] = []
        if "iterate" in self.sees:
            shown += [now.mask.unsqueeze(2), gradient.unsqueeze(2)]
        if "difference" in self.sees:
            shown.append(limited(frames.colour - now.picture.unsqueeze(1)))
        if "frames" in self.sees:
            shown.append(frames.colour - 0.5)
        if "evidence" in self.sees:
            shown.append(evidence(frames.colour))
        return (torch.cat(shown, 2) if len(shown) > 1 else shown[0]).flatten(0, 1)


def importance(steps: Sequence[object]) -> list[float]:
    """Return ``gamma_k = 1 / (K - k + 1)`` of K steps, normalised: later steps count more.

    INFERRED: as both of the same group's unrolled networks that a teacher supervises.
    """
    raw = [1 / (len(steps) - k) for k in range(len(steps))]
    return [value / sum(raw) for value in raw]
