"""DRPL at a fourteenth of its cost: the same question and answer, in a U-Net at half scale.

OURS. What makes it DRPL stays: a whole pair in, two complementary maps out, in one pass, half of
the channels of every layer belonging to each picture. What goes is the full scale: pixels are
packed 2 x 2 into channels before anything else, and most of the depth lies at a quarter and at an
eighth of the scale, where it costs little and sees far:

    x  = unit3(unshuffle(I1), unshuffle(I2))                                  half scale
    x_k = blocks(x_k-1 halved)                                                quarter, eighth
    y_k = blocks(relu(x_k + 1x1(y_k+1) doubled))                              and back
    o1, o2 = sigmoid(shuffle(conv3(y_0)))                                     full scale
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.drpl.network import ConvUnit, PairNet, ResidualBlock, start_as_high_pass

#: Side of the square of pixels that is packed into channels.
PACK = 2
#: Channels at half, a quarter and an eighth of the scale; even, for each picture has half.
WIDTHS = (48, 64, 64)
#: Residual blocks on each level on the way down, and on all but the last on the way up.
DOWN, UP = (2, 2, 4), (2, 2)


class Small(PairNet):
    """The small network; all its blocks always run."""

    multiple_of = PACK * 2 ** (len(WIDTHS) - 1)
    #: 3 x 3 convolutions reach one cell of their level each, doubling one cell of the level
    #: below, and packing to the edge of the largest cell.
    halo = sum(
        PACK * 2**level * cells
        for level, cells in enumerate(
            (2 + 2 * (DOWN[0] + UP[0]), 1 + 2 * (DOWN[1] + UP[1]), 1 + 2 * DOWN[2] + 1)
        )
    )

    def __init__(self, *, high_pass: bool = False, zero_blocks: bool = False) -> None:
        super().__init__()
        self.stem = ConvUnit(6 * PACK**2, WIDTHS[0], 3)
        self.down = nn.ModuleList(_blocks(w, n) for w, n in zip(WIDTHS, DOWN, strict=True))
        pairs = list(pairwise(WIDTHS))
        self.halve = nn.ModuleList(ConvUnit(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.up = nn.ModuleList(_blocks(w, n) for w, n in zip(WIDTHS, UP, strict=False))
        self.head = nn.Conv2d(WIDTHS[0], 2 * PACK**2, 3, padding=1)
        self.start(zero_blocks=zero_blocks)
        if high_pass:
            filters = torch.empty(WIDTHS[0], 6, 3 * PACK, 3 * PACK)
            start_as_high_pass(filters)
            with torch.no_grad():  # a filter of 6 x 6 pixels is one of 3 x 3 packed cells
                self.stem.conv.weight.copy_(F.pixel_unshuffle(filters, PACK))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Predict both maps, see `PairNet.forward`; H and W are multiples of `multiple_of`."""
        packed = [F.pixel_unshuffle(picture, PACK) for picture in (first, second)]
        x = self.down[0](self.stem(torch.cat(packed, 1)))
        skips: list[Tensor] = []
        for halve, blocks in zip(self.halve, list(self.down)[1:], strict=True):
            skips.append(x)
            x = blocks(halve(x))
        for level in reversed(range(len(skips))):
            doubled = F.interpolate(
                self.narrow[level](x), scale_factor=2.0, mode="bilinear", align_corners=False
            )
            x = self.up[level](torch.relu(skips[level] + doubled))
        return torch.sigmoid(F.pixel_shuffle(self.head(x), PACK))


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))
