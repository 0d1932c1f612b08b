"""The mask predictor: the first path.

FOUND: "a self-supervised denoising network on imperfect fusion masks", trained by masking.
INFERRED, after Self2Self of the same senior author: keep random blocks ``b`` of an imperfect
mask, show the network what was kept, ask for what was dropped:

    M^ = f(b M~, b Y, b)          loss on (1 - b) v only, see `loss.masking`

* Blocks and not pixels: the errors of a focus measure are as wide as its window, so that a
  network could copy a dropped pixel's error from its neighbour.
* The frames are masked alike: M~ is a function of the frames, and a network that sees them whole
  could compute M~, errors and all. ``guide="open"`` shows them whole, to measure that.
* A squared error makes the answer the mean of what the measures say, so that it is soft where
  they disagree. At inference the mean over T drawings of ``b`` (and dropout) is the mask, and
  its variance tells where it guesses:  ``c = clip(1 - 4 Var, 0.1, 1)``.

OURS: concatenating ``b`` in place of partial convolutions; sets of any N; the network family.

`RawPredictor` (OURS) is the same network without imperfect masks, for recipes that know exact
masks (`redefocus`); it is what runs after training.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath.network import FrameNet, Shape, by_set, weights_of

#: Sides of dropped blocks, and the range of the share that is kept.
BLOCKS = (4, 8, 16)
KEEP = (0.5, 0.7)
#: What a predictor is shown: the frames, focus evidence, or both.
Sees = Literal["raw", "evidence", "both"]
#: Sides of the squares over which evidence is gathered.
WINDOWS = (5, 13)


class Belief(NamedTuple):
    """A mask and how far to trust it.

    Attributes:
        mask: ``(B, N, H, W)``, summing to 1 over N.
        confidence: ``(B, H, W)`` in [0.1, 1].
    """

    mask: Tensor
    confidence: Tensor


class RawPredictor(nn.Module):
    """Masks from the frames themselves, or from what a focus measure sees in them."""

    def __init__(self, shape: Shape, sees: Sees = "raw") -> None:
        super().__init__()
        self.sees: Sees = sees
        self.net = FrameNet(
            {"raw": 3, "evidence": len(WINDOWS), "both": 3 + len(WINDOWS)}[sees], shape
        )

    def forward(self, frames: Tensor) -> Tensor:
        """``(B, N, 3, H, W)`` to masks ``(B, N, H, W)``, summing to 1 over N."""
        shown = [] if self.sees == "evidence" else [frames - 0.5]
        shown += [] if self.sees == "raw" else [evidence(frames)]
        return over_frames(self.net(torch.cat(shown, 2).flatten(0, 1), frames.shape[0]), frames)


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


class MaskPredictor(nn.Module):
    """A denoiser of imperfect masks that never sees the place it is asked about."""

    def __init__(self, shape: Shape, *, dropout: float = 0.3, open_guide: bool = False) -> None:
        super().__init__()
        self.net = FrameNet(3, shape, dropout=dropout)
        self.open_guide = open_guide

    def forward(self, mask: Tensor, frames: Tensor, keep: Tensor) -> Tensor:
        """Predict masks ``(B, N, H, W)``.

        Args:
            mask: imperfect, ``(B, N, H, W)``.
            frames: ``(B, N, 3, H, W)``.
            keep: b, ``(B, 1, H, W)``: 1 where `mask` may be seen.
        """
        grey = frames.mean(2) - 0.5
        shown = grey if self.open_guide else keep * grey
        seen = torch.stack((keep * (mask - 0.5), shown, keep.expand_as(mask)), 2)
        return over_frames(self.net(seen.flatten(0, 1), frames.shape[0]), frames)

    @torch.no_grad()
    def average(self, mask: Tensor, frames: Tensor, passes: int) -> Belief:
        """Average over `passes` drawings of the kept blocks; their variance is doubt."""
        total = torch.zeros_like(mask)
        squares = torch.zeros_like(mask)
        for _ in range(passes):
            keep = random_blocks(mask.shape[0], mask.shape[2], mask.shape[3], mask.device)
            answer = self(mask, frames, keep)
            total += answer
            squares += answer.square()
        mean = total / passes
        variance = (squares / passes - mean.square()).amax(1)
        return Belief(mean, (1 - 4 * variance).clamp(0.1, 1))


def over_frames(logits: Tensor, frames: Tensor) -> Tensor:
    """Softmax over the frames: ``(B * N, 1, H, W)`` to ``(B, N, H, W)``."""
    return weights_of(by_set(logits.squeeze(1), frames.shape[0]))


def random_blocks(sets: int, height: int, width: int, device: torch.device) -> Tensor:
    """Draw b, ``(sets, 1, H, W)``: squares of one side, each kept or dropped by chance."""
    side = BLOCKS[int(torch.randint(len(BLOCKS), ()))]
    share = KEEP[0] + (KEEP[1] - KEEP[0]) * torch.rand((sets, 1, 1, 1), device=device)
    cells = torch.rand((sets, 1, -(-height // side) + 1, -(-width // side) + 1), device=device)
    blocks = F.interpolate((cells < share).float(), scale_factor=side, mode="nearest")
    top, left = (int(torch.randint(side, ())) for _ in range(2))
    return blocks[:, :, top : top + height, left : left + width].contiguous()
