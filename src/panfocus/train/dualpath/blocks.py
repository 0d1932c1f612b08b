"""The layers that `panfocus.train.dualpath.network` is built of; shapes as there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath.pooling import beside_mean, by_set, mean_over_frames

#: Side of the square of pixels that a network packs into channels before anything else.
PACK = 2


class Unit(nn.Module):
    """A convolution and its normalisation, if any, which `folded` makes one."""

    def __init__(
        self, inputs: int, outputs: int, side: int, dilation: int = 1, *, normalised: bool = True
    ) -> None:
        super().__init__()
        stride = side if side == 2 else 1
        padding = dilation * (side // 2) if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, side, stride, padding, dilation)
        self.norm: nn.BatchNorm2d | nn.Identity = (
            nn.BatchNorm2d(outputs) if normalised else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs, H, W)`` to ``(B, outputs, H, W)``, half the size for ``side=2``."""
        return self.norm(self.conv(x))


class ResidualBlock(nn.Module):
    """``x + conv(relu(norm(conv(relu(x)))))``, starting near the identity."""

    def __init__(self, width: int, dilation: int = 1, *, normalised: bool = True) -> None:
        super().__init__()
        self.first = Unit(width, width, 3, dilation, normalised=normalised)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.2)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same shape."""
        return x + self.second(F.relu(self.first(F.relu(x))))


class Exchange(nn.Module):
    """``x_n + E(mean x, max x)``: how frames see each other, whatever their order."""

    def __init__(self, width: int, *, maximum: bool = True) -> None:
        super().__init__()
        self.maximum = maximum
        self.mix = nn.Conv2d(2 * width if maximum else width, width, 1)

    def forward(self, x: Tensor, sets: int) -> Tensor:
        """``(sets * N, C, H, W)`` to the same shape."""
        frames = by_set(x, sets)
        pooled = mean_over_frames(frames)
        if self.maximum:
            pooled = torch.cat((pooled, frames.amax(1)), 1)
        return (frames + self.mix(pooled).unsqueeze(1)).flatten(0, 1)


class Stem(Unit):
    """The first convolution, of packed pictures, each beside the mean of all or by itself."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        pack: int = PACK,
        beside: bool = True,
        normalised: bool = True,
    ) -> None:
        super().__init__((1 + beside) * inputs * pack**2, outputs, 3, normalised=normalised)
        self.pack = pack
        self.beside = beside
        start_as_high_pass(self.conv)

    def see(self, x: Tensor, sets: int) -> Tensor:
        """``(sets * N, inputs, H, W)`` to ``(sets * N, outputs, H / pack, W / pack)``."""
        packed = F.pixel_unshuffle(beside_mean(x, sets) if self.beside else x, self.pack)
        # unshuffling loses the layout that convolutions are fastest in
        return self(packed.contiguous(memory_format=torch.channels_last))


class StridedStem(nn.Module):
    """The same without packing, for inference: a wider convolution with a stride."""

    def __init__(self, stem: Stem) -> None:
        super().__init__()
        outputs, packed, side, _ = stem.conv.weight.shape
        assert stem.conv.bias is not None
        pack = stem.pack
        inputs, wide = packed // pack**2, pack * side
        cells = stem.conv.weight.view(outputs, inputs, pack, pack, side, side)  # o c i j y x
        weight = cells.permute(0, 1, 4, 2, 5, 3).reshape(outputs, inputs, wide, wide)
        self.conv = nn.Conv2d(inputs, outputs, wide, pack, padding=pack)
        self.conv.weight.data = weight.contiguous()
        self.conv.bias = stem.conv.bias
        self.beside = stem.beside

    def see(self, x: Tensor, sets: int) -> Tensor:
        """Answer as `Stem.see` does."""
        return self.conv(beside_mean(x, sets) if self.beside else x)


class Stemmed(nn.Module):
    """A network whose first layer is a stem, for inference without packing."""

    stem: Stem | StridedStem


@torch.no_grad()
def start_as_high_pass(stem: nn.Conv2d) -> None:
    """Start half of the filters without response to flat areas.

    What tells focus is fine detail; brightness is most of the energy of a picture. MEASURED with
    DRPL's first layer too (docs/drpl.md): training leaves its plateau at once.
    """
    half = stem.weight[: stem.out_channels // 2]
    half.sub_(half.mean((2, 3), keepdim=True)).mul_(3.0)
