"""The one network family of both paths: a small U-Net over frames that treats them all alike.

OURS: the paper's pairs become sets. Every frame runs through the same weights, and frames meet
only through their mean and their maximum, which have no order:

    x_n <- x_n + E(mean_m x_m, max_m x_m)                                          (exchange)

(the mean alone on the first level, where the maximum costs more time than it is worth)

so that permuting the frames permutes the outputs, for any number of frames. With two frames the
mean says as much as the other frame would: ``Y2 = 2 mean - Y1``.

Nothing depends on the picture as a whole (batch normalisation is a constant after training, and
is folded into its convolution): with enough context around a tile, its answer is the whole
picture's. Without normalisation training broke down after 250 steps (MEASURED).

Shapes: B sets of N frames lie along one axis, ``(B * N, C, H, W)``, set after set.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.schema import SchemaError
from panfocus.train.dualpath.blocks import PACK, Exchange, ResidualBlock, Stem, Stemmed, Unit
from panfocus.train.fields import AtLeast, Count, Pack, Some, Within

#: How far a block looks.
Reach = Annotated[int, Within(1, 64)]
#: Levels of a network, each at half the scale of the one before.
_MOST_LEVELS = 8


@dataclass(frozen=True)
class Shape:
    """How large a `FrameNet` is.

    Attributes:
        widths: channels of each level; level k works at ``1 / (pack * 2**k)`` of full scale.
        encoder: residual blocks of each level on the way down.
        decoder: residual blocks of each level but the last, on the way up.
        dilations: of the blocks of the last level, in place of ``encoder[-1]`` blocks.
        narrow: channels of the first level on the way up.
        pack: side of the square of pixels that is packed into channels first.
        normalised: whether the first layer is. A network of few layers learns without, and small
            corrections drown in what the statistics of a batch scatter (MEASURED: masks that were
            0.5 dB worse in training than in use).
    """

    widths: Annotated[tuple[Count, ...], AtLeast(1)]
    encoder: tuple[Some, ...]
    decoder: tuple[Some, ...]
    dilations: tuple[Reach, ...]
    narrow: Count
    pack: Pack = PACK
    normalised: bool = True

    def __post_init__(self) -> None:
        """Refuse levels that do not belong to each other.

        Raises:
            SchemaError: there are other numbers of blocks than levels.
        """
        for name, held in (("encoder", self.encoder), ("decoder", self.decoder)):
            if len(held) != len(self.widths) - 1:
                expected = f"{len(self.widths) - 1} numbers, one fewer than widths"
                raise SchemaError(name, expected, f"{len(held)}")
        if len(self.widths) > _MOST_LEVELS:
            raise SchemaError("widths", f"at most {_MOST_LEVELS} levels", f"{len(self.widths)}")

    @property
    def multiple_of(self) -> int:
        """What height and width must be multiples of."""
        return self.pack * 2 ** (len(self.widths) - 1)

    @property
    def reach(self) -> int:
        """How far an answer depends on the picture around it, pixels; an upper bound.

        Every 3 x 3 convolution reaches one cell of its level, bilinear enlarging one cell of the
        level below, and packing to the edge of its cell.
        """
        cells = [2.0] + [0.0] * (len(self.widths) - 1)  # stem and head
        for level, blocks in enumerate(self.encoder):
            cells[level] += 2 * blocks
        for level, blocks in enumerate(self.decoder):
            cells[level] += 2 * blocks
            cells[level + 1] += 1
        cells[-1] += sum(1 + d for d in self.dilations)
        reach = sum(count * self.pack * 2**level for level, count in enumerate(cells))
        return round(reach) + self.multiple_of


class Answer(NamedTuple):
    """What a `FrameNet` says.

    Attributes:
        pixels: ``(sets * N, outputs, H, W)``.
        features: for a network that follows, ``(sets * N, carry, H / pack, W / pack)``.
    """

    pixels: Tensor
    features: Tensor


class FrameNet(Stemmed):
    """A U-Net at half resolution and below with an exchange between frames on every level."""

    def __init__(
        self,
        inputs: int,
        shape: Shape,
        outputs: int = 1,
        *,
        dropout: float = 0.0,
        beside: bool = True,
        carry: int = 0,
        carried: tuple[int, int] | None = None,
    ) -> None:
        """Set up.

        Args:
            inputs: channels per pixel of a frame.
            shape: widths and depths.
            outputs: channels per pixel of the answer.
            dropout: share of channels dropped on the way up, at all times (Self2Self).
            beside: whether each frame is seen beside the mean of all from the first layer on.
            carry: channels of features for a network that follows. The last layer makes them:
                processors work on 16 channels at once, of which its answer alone needs few.
            carried: channels of the features of a network before, and its `Shape.pack`.
        """
        super().__init__()
        self.dropout = dropout
        self.pack = shape.pack
        self.carry = carry
        self.answers = outputs * shape.pack**2
        widths = list(shape.widths)
        # the first level on the way up may be narrower; a single level has no way up
        rising = [shape.narrow, *widths[1:]] if len(widths) > 1 else widths
        normalised = shape.normalised
        self.stem = Stem(inputs, widths[0], pack=shape.pack, beside=beside, normalised=normalised)
        self.recall = None
        if carried:
            side = shape.pack // carried[1]
            self.recall = Unit(carried[0], widths[0], side, normalised=normalised)
        self.down = nn.ModuleList(Unit(w, v, 2) for w, v in pairwise(widths))
        self.encoder = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(w) for _ in range(n)))
            for w, n in zip(widths[:-1], shape.encoder, strict=True)
        )
        self.exchange = nn.ModuleList(Exchange(w, maximum=k > 0) for k, w in enumerate(widths))
        self.bottom = nn.Sequential(*(ResidualBlock(widths[-1], d) for d in shape.dilations))
        levels = range(len(widths) - 1)
        self.up = nn.ModuleList(Unit(rising[k + 1], rising[k], 1) for k in levels)
        self.skip = nn.ModuleList(Unit(widths[k], rising[k], 1) for k in levels)
        self.again = nn.ModuleList(Exchange(rising[k], maximum=k > 0) for k in levels)
        self.decoder = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(rising[k]) for _ in range(shape.decoder[k])))
            for k in levels
        )
        self.head = nn.Conv2d(rising[0], self.answers + carry, 3, padding=1)
        with torch.no_grad():
            self.head.weight[: self.answers].mul_(0.1)

    def forward(self, x: Tensor, sets: int) -> Tensor:
        """Answer for every frame.

        Args:
            x: ``(sets * N, inputs, H, W)``; H and W multiples of the shape's ``multiple_of``.
            sets: how many sets of frames there are.

        Returns:
            ``(sets * N, outputs, H, W)``.
        """
        return self.answer(x, sets).pixels

    def answer(self, x: Tensor, sets: int, features: Tensor | None = None) -> Answer:
        """Answer for every frame, and for a network that follows.

        Args:
            x: ``(sets * N, inputs, H, W)``; H and W multiples of the shape's ``multiple_of``.
            sets: how many sets of frames there are.
            features: of the network before, where this one was set up for them.
        """
        x = self.stem.see(x, sets)
        if self.recall is not None and features is not None:
            x = x + self.recall(features)
        x = F.relu(x)
        kept: list[Tensor] = []
        for k, down in enumerate(self.down):
            x = self.exchange[k](self.encoder[k](x), sets)
            kept.append(x)
            x = down(x)
        x = self.bottom(self.exchange[-1](x, sets))
        for k in reversed(range(len(self.down))):
            up = F.interpolate(self.up[k](x), scale_factor=2.0, mode="bilinear")
            x = self.again[k](up + self.skip[k](kept[k]), sets)
            if self.dropout:
                x = F.dropout2d(x, self.dropout)
            x = self.decoder[k](x)
        out = self.head(F.relu(x))
        if not self.carry:
            return Answer(F.pixel_shuffle(out, self.pack), out[:, :0])
        return Answer(F.pixel_shuffle(out[:, : self.answers], self.pack), out[:, self.answers :])
