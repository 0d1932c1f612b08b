"""``1/2 |L(X) - L(B(M))|^2`` and its gradient in the mask; symbols as in `step`."""

from __future__ import annotations

import torch
from torch import Tensor

from panfocus.train.dualpath.iterate import Frames, blend


def data_term(picture: Tensor, mask: Tensor, frames: Tensor) -> Tensor:
    """``1/2 |L(X) - L(B(M))|^2``: a number."""
    return 0.5 * (picture - blend(mask, frames)).mean(1).square().sum()


def mask_gradient(added: Tensor, frames: Frames) -> Tensor:
    """Return the direction g of the mask's step, scaled per pixel: ``(B, N, H, W)``.

    The data term's gradient over the frames' variance, bounded by one factor for all frames of a
    pixel: at most the root of N.

    Args:
        added: ``L(X) - L(B(M))``, ``(B, 1, H, W)``.
        frames: Y.
    """
    factor = -added / (frames.spread * torch.maximum(frames.spread, added.abs()))
    return factor * frames.apart
