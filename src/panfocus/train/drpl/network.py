"""The DRPL network: a pair of pictures in, two complementary focus maps out, no down-sampling."""

from __future__ import annotations

import copy
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

#: Reach of one output pixel in every direction: (67 - 1) / 2.
HALO = 33


class ConvUnit(nn.Module):
    """Convolution, batch normalisation, ReLU, swish: ``r * sigmoid(r), r = relu(bn(conv(x)))``."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs, H, W)`` to ``(B, outputs, H / stride, W / stride)``, never negative."""
        rectified = torch.relu(self.norm(self.conv(x)))
        return rectified * torch.sigmoid(rectified)


class ResidualBlock(nn.Module):
    """``relu(x + bn2(conv2(relu(bn1(conv1(x))))))``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape ``(B, width, H, W)``."""
        inner = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(x + self.norm2(self.conv2(inner)))


class PairNet(nn.Module):
    """What training, packing and benchmarks need of a network for pairs.

    Attributes:
        active: how many residual blocks run, where depth can grow.
        multiple_of: what height and width must be multiples of.
        halo: how far an answer depends on the pictures around it, pixels.
    """

    active: int = 0
    multiple_of: int = 1
    halo: int = 0

    @abstractmethod
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Predict both maps in one pass.

        Args:
            first: ``(B, 3, H, W)`` RGB in [0, 1].
            second: the same scene, focused elsewhere.

        Returns:
            ``(B, 2, H, W)`` in (0, 1): where `first`, and where `second`, is in focus.
        """

    @torch.no_grad()
    def symmetrise(self) -> None:
        """Make the two halves of every layer twins, so that swapping the pair swaps the maps.

        Half of the channels belong to each picture. The swap exchanges the halves; a network
        that commutes with it has ``W = mirrored(W)`` in every layer. This projects onto such
        networks: the nearest weights that treat both pictures alike.
        """
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.ndim:
                tensor.add_(mirrored(tensor)).div_(2)

    def start(self, *, zero_blocks: bool) -> None:
        """Start as published: Xavier's normal weights, no bias, gains of 1.

        Args:
            zero_blocks: but the second gain of residual blocks 0, so that they are identities.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, ResidualBlock) and zero_blocks:
                nn.init.zeros_(module.norm2.weight)


class Drpl(PairNet):
    """9x9, 3x3, 3x3, residual blocks, 3x3, 3x3, 3x3 to two sigmoid maps.

    With `zero_blocks` a block that was never trained is exactly the identity (its second
    normalisation has gain 0, and what enters it is never negative), so the network computes the
    same with or without it; training may start with few `active` and deepen without a jump.
    """

    halo = HALO

    def __init__(
        self,
        width: int = 64,
        blocks: int = 12,
        *,
        high_pass: bool = False,
        zero_blocks: bool = False,
    ) -> None:
        super().__init__()
        self.head = nn.Sequential(
            ConvUnit(6, width, 9), ConvUnit(width, width, 3), ConvUnit(width, width, 3)
        )
        self.blocks = nn.ModuleList(ResidualBlock(width) for _ in range(blocks))
        self.tail = nn.Sequential(
            ConvUnit(width, width, 3),
            ConvUnit(width, width, 3),
            nn.Conv2d(width, 2, 3, padding=1),
        )
        self.active = blocks
        self.start(zero_blocks=zero_blocks)
        if high_pass:
            first = self.head[0]
            assert isinstance(first, ConvUnit)
            start_as_high_pass(first.conv.weight)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Predict both maps in one pass, see `PairNet.forward`; any H and W."""
        x = self.head(torch.cat((first, second), 1))
        for block in list(self.blocks)[: self.active]:
            x = block(x)
        return torch.sigmoid(self.tail(x))


def mirrored(tensor: Tensor) -> Tensor:
    """Exchange the channels of the two pictures: outputs, and inputs where there are any."""
    axes = (0, 1) if tensor.ndim == 4 else (0,)
    return tensor.roll([tensor.shape[a] // 2 for a in axes], axes)


def first_weight(maps: Tensor) -> Tensor:
    """Weight of the first picture from maps ``(B, 2, H, W)``: ``(o1 + 1 - o2) / 2``, (B, H, W)."""
    return (maps[:, 0] + 1 - maps[:, 1]) / 2


@torch.no_grad()
def start_as_high_pass(weight: Tensor) -> None:
    """Fill the first layer with twin zero-mean filters, one of each twin for each picture.

    Focus shows in what a high-pass filter leaves, and the network's first task is to find that
    out; so it begins there. The filters are windowed noise: every scale, every orientation.

    Args:
        weight: ``(outputs, 6, K, K)``, changed in place.
    """
    outputs, _, kernel, _ = weight.shape
    twins = outputs // 2
    axis = torch.arange(kernel) - kernel // 2
    distance = axis[:, None] ** 2 + axis[None, :] ** 2
    sigma = torch.logspace(-0.3, 0.4, twins)[:, None, None]
    window = torch.exp(-distance / (2 * sigma**2))[:, None]
    noise = torch.randn(twins, 1, kernel, kernel) + 0.3 * torch.randn(twins, 3, kernel, kernel)
    filters = noise * window
    filters -= window * (filters.sum((2, 3), keepdim=True) / window.sum((2, 3), keepdim=True))
    filters *= (2 / (filters.square().sum((1, 2, 3), keepdim=True) * 6 * kernel**2)).sqrt() * kernel
    weight.zero_()
    weight[:twins, :3] = filters
    weight[twins : 2 * twins, 3:] = filters


@torch.no_grad()
def folded(net: PairNet) -> PairNet:
    """Return a copy whose normalisations are part of the convolutions before them.

    Blocks that are identities, as those are that training never came to, are left out. The
    answers stay the same. `net` must be in eval mode.
    """
    small = copy.deepcopy(net)
    if isinstance(small, Drpl):
        small.blocks = nn.ModuleList(b for b in small.blocks if not _is_identity(b))
        small.active = len(small.blocks)
    for module in list(small.modules()):
        if isinstance(module, ConvUnit):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
        elif isinstance(module, ResidualBlock):
            module.conv1 = fuse_conv_bn_eval(module.conv1, module.norm1)
            module.conv2 = fuse_conv_bn_eval(module.conv2, module.norm2)
            module.norm1 = module.norm2 = nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
    return small


def _is_identity(block: nn.Module) -> bool:
    assert isinstance(block, ResidualBlock)
    return not (block.norm2.weight.any() or block.norm2.bias.any())
