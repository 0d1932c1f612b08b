"""The learned proximal steps: what P on the mask is shown, and D on the picture.

Symbols and shapes as in `panfocus.train.dualpath.step`.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath.blocks import ResidualBlock, Stem, Stemmed
from panfocus.train.dualpath.network import FrameNet

#: Difference of two frames above which more of it tells nothing more.
LARGE = 0.1
#: Sides of the squares over which evidence is gathered.
WINDOWS = (5, 13)
#: What the prior on the mask is shown, and how many channels of each frame that is.
Sight = Literal["iterate", "difference", "frames", "evidence", "features"]
CHANNELS: dict[Sight, int] = {
    "iterate": 2,
    "difference": 3,
    "frames": 3,
    "evidence": len(WINDOWS),
    "features": 0,
}


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


class PicturePrior(Stemmed):
    """D: what to add to the blend, from the blend, how far frames differ and how sure M is.

    It runs once for a stack and not for every frame. It starts as 0. It has no normalisation: of
    few pictures in a batch, statistics are noise, and what was learned with them made pictures
    worse in use (MEASURED: 51.2 to 45.4 dB).
    """

    def __init__(self, width: int, blocks: int, pack: int) -> None:
        super().__init__()
        self.pack = pack
        self.stem = Stem(3, width, pack=pack, beside=False, normalised=False)
        self.blocks = nn.Sequential(
            *(ResidualBlock(width, normalised=False) for _ in range(blocks))
        )
        self.head = nn.Conv2d(width, pack**2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, blended: Tensor, spread: Tensor, largest: Tensor) -> Tensor:
        """``L(B(M))``, spread of the frames, largest weight to ``(B, 1, H, W)`` each."""
        seen = torch.cat((blended - 0.5, spread, largest), 1)
        x = self.blocks(F.relu(self.stem.see(seen, seen.shape[0])))
        return F.pixel_shuffle(self.head(F.relu(x) if len(self.blocks) else x), self.pack)


@torch.no_grad()
def silent(prior: FrameNet) -> FrameNet:
    """Let a prior start as 0: a step that follows a good mask must not begin by spoiling it."""
    assert prior.head.bias is not None
    prior.head.weight[: prior.answers] = 0
    prior.head.bias[: prior.answers] = 0
    return prior
