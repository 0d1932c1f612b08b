"""The mask predictor: the second path, and in training alone.

FOUND: "a self-supervised denoising network on imperfect fusion masks", trained by masking.
INFERRED, after Self2Self of the same senior author: keep a random part ``b`` of an imperfect
mask, show the network what was kept, ask for what was dropped:

    M^ = f(b M~, b, guide)          loss on (1 - b) v only, see `loss.masking`

* Pixels are kept, each with probability 0.7; dropout is on at all times. (Blocks as an ablation:
  the errors of a focus measure are as wide as its window. MEASURED: pixels do a little better.)
* The guide is the mean of the frames and their spread: the same for every frame, so that from it
  nobody can tell *which* is sharp, hence not M~ with its errors; yet it shows every edge.
  ``guide="masked"`` shows each frame where its mask is kept, ``"open"`` shows it whole.
* A squared error makes the answer the mean of what the measures say, so that it is soft where
  they disagree. What teaches is the mean over drawings of ``b``, one for each imperfect mask of a
  sample, and its variance tells where it guesses:  ``c = clip(1 - 4 Var, 0.1, 1)``.

OURS: concatenating ``b`` in place of partial convolutions; sets of any N; the network family;
masks of more than two frames are squared and normalised before they teach, as they come out too
soft (MEASURED: 33.9 to 38.1 dB on stacks of eight).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath.network import FrameNet, Shape
from panfocus.train.dualpath.pooling import by_set, weights_of

#: Probability with which a pixel is kept.
KEPT_PIXELS = 0.7
#: Sides of dropped blocks, and the range of the share that is kept.
BLOCKS = (4, 8, 16)
KEPT_BLOCKS = (0.5, 0.7)

Drop = Literal["pixels", "blocks"]
Guide = Literal["symmetric", "masked", "open", "none"]
_GUIDE_CHANNELS: dict[Guide, int] = {"symmetric": 2, "masked": 1, "open": 1, "none": 0}


class Belief(NamedTuple):
    """A mask and how far to trust it.

    Attributes:
        mask: ``(B, N, H, W)``, summing to 1 over N.
        confidence: ``(B, H, W)`` in [0.1, 1].
    """

    mask: Tensor
    confidence: Tensor


class MaskPredictor(nn.Module):
    """A denoiser of imperfect masks that never sees the place it is asked about."""

    def __init__(
        self,
        shape: Shape,
        *,
        dropout: float = 0.3,
        guide: Guide = "symmetric",
        drop: Drop = "pixels",
    ) -> None:
        """Set up.

        Args:
            shape: of the network.
            dropout: share of channels dropped on the way up, at all times.
            guide: what it sees of the frames.
            drop: what is dropped of the mask.
        """
        super().__init__()
        self.guide: Guide = guide
        self.drop: Drop = drop
        self.net = FrameNet(2 + _GUIDE_CHANNELS[guide], shape, dropout=dropout)

    def forward(self, mask: Tensor, frames: Tensor, keep: Tensor) -> Tensor:
        """Predict masks ``(B, N, H, W)``.

        Args:
            mask: imperfect, ``(B, N, H, W)``.
            frames: ``(B, N, 3, H, W)``.
            keep: b, ``(B, 1, H, W)``: 1 where `mask` may be seen.
        """
        shown = [keep * (mask - 0.5), keep.expand_as(mask), *self._guide(frames, keep)]
        seen = torch.stack(shown, 2)
        return over_frames(self.net(seen.flatten(0, 1), frames.shape[0]), frames)

    def _guide(self, frames: Tensor, keep: Tensor) -> list[Tensor]:
        grey = frames.mean(2)
        if self.guide == "symmetric":
            mean, spread = grey.mean(1, keepdim=True), grey.std(1, keepdim=True, correction=0)
            return [(mean - 0.5).expand_as(grey), spread.expand_as(grey)]
        if self.guide == "none":
            return []
        return [keep * (grey - 0.5) if self.guide == "masked" else grey - 0.5]

    def drawn(self, mask: Tensor) -> Tensor:
        """Draw b for masks ``(B, N, H, W)``: ``(B, 1, H, W)``."""
        draw = random_pixels if self.drop == "pixels" else random_blocks
        return draw(mask.shape[0], mask.shape[2], mask.shape[3], mask.device)

    @torch.no_grad()
    def belief(self, given: Tensor, frames: Tensor) -> Belief:
        """Average over one drawing for each imperfect mask; their variance is doubt.

        Statistics of normalisations are those learned, and stay.

        Args:
            given: imperfect masks of every sample, ``(B, T, N, H, W)``.
            frames: ``(B, N, 3, H, W)``.
        """
        was_training = self.training
        self.eval()
        answers = [self(mask, frames, self.drawn(mask)) for mask in given.unbind(1)]
        self.train(was_training)
        stacked = torch.stack(answers)
        variance = stacked.var(0, correction=0).amax(1)
        return Belief(decided(stacked.mean(0)), (1 - 4 * variance).clamp(0.1, 1))


def decided(mask: Tensor) -> Tensor:
    """Square and normalise masks ``(B, N, H, W)`` of more than two frames."""
    if mask.shape[1] == 2:
        return mask
    squared = mask.square()
    return squared / squared.sum(1, keepdim=True)


def over_frames(logits: Tensor, frames: Tensor) -> Tensor:
    """Softmax over the frames: ``(B * N, 1, H, W)`` to ``(B, N, H, W)``."""
    return weights_of(by_set(logits.squeeze(1), frames.shape[0]))


def random_pixels(sets: int, height: int, width: int, device: torch.device) -> Tensor:
    """Draw b, ``(sets, 1, H, W)``: every pixel by itself (FOUND in Self2Self)."""
    return (torch.rand((sets, 1, height, width), device=device) < KEPT_PIXELS).float()


def random_blocks(sets: int, height: int, width: int, device: torch.device) -> Tensor:
    """Draw b, ``(sets, 1, H, W)``: squares of one side, each kept or dropped by chance."""
    side = BLOCKS[int(torch.randint(len(BLOCKS), ()))]
    low, high = KEPT_BLOCKS
    share = low + (high - low) * torch.rand((sets, 1, 1, 1), device=device)
    cells = torch.rand((sets, 1, -(-height // side) + 1, -(-width // side) + 1), device=device)
    blocks = F.interpolate((cells < share).float(), scale_factor=side, mode="nearest")
    top, left = (int(torch.randint(side, ())) for _ in range(2))
    return blocks[:, :, top : top + height, left : left + width].contiguous()
