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

import copy
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

NetT = TypeVar("NetT", bound=nn.Module)

#: Side of the square of pixels that a network packs into channels before anything else.
PACK = 2


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

    widths: tuple[int, ...]
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    dilations: tuple[int, ...]
    narrow: int
    pack: int = PACK
    normalised: bool = True

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


def by_set(x: Tensor, sets: int) -> Tensor:
    """``(sets * N, ...)`` to ``(sets, N, ...)``."""
    return torch.unflatten(x, 0, (sets, -1))


def mean_over_frames(frames: Tensor) -> Tensor:
    """``(B, N, C, H, W)`` to ``(B, C, H, W)``."""
    if not torch.onnx.is_in_onnx_export():
        return frames.mean(1)
    # ONNX Runtime multiplies matrices two to five times faster than it averages a middle axis
    flat = frames.flatten(2)
    # ones made of values, as tracing takes any shape for constant
    ones = (0 * flat[:, :, :1] + 1).transpose(1, 2)
    mean = (ones / ones.sum(2, keepdim=True)) @ flat
    return mean.view_as(frames[:, 0])


def weights_of(logits: Tensor) -> Tensor:
    """Softmax over the frames, ``(B, N, H, W)``, in single precision at least.

    Half-length numbers cannot tell a weight of 0.999 from 1.
    """
    return weights_and_largest(logits)[0]


def weights_and_largest(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over the frames and its largest value, ``(B, N, H, W)`` and ``(B, 1, H, W)``."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if not torch.onnx.is_in_onnx_export():
        weights = logits.softmax(1)
        return weights, weights.amax(1, keepdim=True)
    # ONNX Runtime turns the axes of a picture around for a softmax over any but the last
    share = (logits - logits.amax(1, keepdim=True)).exp()
    largest = 1 / share.sum(1, keepdim=True)  # the largest share is exp(0)
    return share * largest, largest


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


def beside_mean(x: Tensor, sets: int) -> Tensor:
    """Put its set's mean beside each frame: ``(sets * N, C, H, W)`` to ``(sets * N, 2C, H, W)``."""
    frames = by_set(x, sets)
    mean = mean_over_frames(frames).unsqueeze(1).expand_as(frames)
    return torch.cat((frames, mean), 2).flatten(0, 1)


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


@torch.no_grad()
def start_as_high_pass(stem: nn.Conv2d) -> None:
    """Start half of the filters without response to flat areas.

    What tells focus is fine detail; brightness is most of the energy of a picture. MEASURED with
    DRPL's first layer too (docs/drpl.md): training leaves its plateau at once.
    """
    half = stem.weight[: stem.out_channels // 2]
    half.sub_(half.mean((2, 3), keepdim=True)).mul_(3.0)


def count_macs(net: nn.Module, run: Callable[[], object]) -> int:
    """Add up the multiply-adds of every convolution of `net` while `run` is called."""
    total = 0

    def note(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d)
        total += output.numel() * layer.weight[0].numel()

    hooks = [m.register_forward_hook(note) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    return total


@torch.no_grad()
def folded(net: NetT) -> NetT:
    """Return a copy for inference in which every `Unit` is one convolution; answers stay.

    Stems no longer pack (`StridedStem`).
    """
    small = copy.deepcopy(net).eval()
    for module in small.modules():
        if isinstance(module, Unit) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    for module in small.modules():
        if isinstance(module, Stemmed) and isinstance(module.stem, Stem):
            module.stem = StridedStem(module.stem)
    return small
