"""Inference in whole numbers of 8 bits: OURS, after training, without training.

The convolutions of the residual blocks are 87 % of all multiplications, and processors multiply
bytes faster than floats. What goes through a block is rounded to 256 levels and its
weights to 127; the stream around the blocks stays float, so that errors do not add up:

    x + Q_l(W2 * Q_b(relu(W1 * Q_e(relu(x)))))          (Q_e, Q_b, Q_l: entering, between, leaving)

* The levels of each tensor span all but one in ten thousand of the values that samples show.
* Weights use 7 of their 8 bits: processors without VNNI add pairs of products in 16 bits, which
  two products of 8 and 8 bits overflow.
* Where a block's answers range much further in some channels than in others, each is divided by
  its extent first and multiplied after.
* A convolution that changes fused pictures by more than `MOST_CHANGE` stays float (MEASURED: of
  22 one or both of the first block on the way up at half scale, where one channel ranges 144 times
  as far as another; rounding that block alone costs 0.3 dB, all others together 0.01).

The ONNX file holds pairs of QuantizeLinear and DequantizeLinear around plain convolutions, which
runtimes turn into convolutions of bytes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.train.dualpath import redefocus
from panfocus.train.dualpath.blocks import ResidualBlock
from panfocus.train.dualpath.config import Config
from panfocus.train.dualpath.inference import folded
from panfocus.train.dualpath.iterate import blend
from panfocus.train.dualpath.model import DualPath
from panfocus.train.pairs import Material

#: Values outside of the levels, in percent, on each side.
OUTSIDE = 0.01
#: Largest by smallest extent of a block's channels from which on each has its own.
UNEVEN = 16
#: Numbers kept of each tensor of each sample, to find its range by.
KEPT = 20_000
#: Largest magnitude of a rounded weight.
HEAVIEST = 63
#: Mean squared change of fused pictures, in grey levels of 255, that a rounded convolution may
#: make on most samples: as much as rounding a picture itself to 8 bits does.
MOST_CHANGE = 1 / 12
#: Share of the samples that must change by less. A mean is that of one odd sample of sixteen, such
#: as a light whose rim turns over: by it, eight convolutions were left float, and a fusion took a
#: quarter more time (MEASURED on dualpath-4; what is gained in decibels: decision 0013).
USUAL = 0.75
#: Samples: frames, and how many sets of so many; their fixed seed.
SAMPLED = ((2, 24), (3, 8), (5, 8), (8, 8))
SEED = 20_241_224
#: Samples that each convolution is tried alone on.
TRIED = 16


class Levels(nn.Module):
    """256 evenly spaced values, 0 among them, to which a tensor is rounded."""

    step: Tensor
    zero: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("step", torch.tensor(1.0))
        self.register_buffer("zero", torch.tensor(0, dtype=torch.int32))
        #: What was seen while watching; None when watching is over.
        self.seen: list[Tensor] | None = []

    def forward(self, x: Tensor) -> Tensor:
        """Round, or watch and leave as it is; ``(B, C, H, W)`` to the same shape."""
        if self.seen is None:
            return torch.fake_quantize_per_tensor_affine(x, self.step, self.zero, 0, 255)
        values = x.transpose(0, 1).flatten(1)
        chance = torch.Generator().manual_seed(len(self.seen))
        at = torch.randint(values.shape[1], (KEPT // len(values),), generator=chance)
        self.seen.append(values[:, at])
        return x

    def even_out(self) -> Tensor | None:
        """Divide each channel of what was seen by its extent, where these differ by `UNEVEN`.

        Returns:
            The divisors ``(C,)``, or None where all channels are much alike.
        """
        assert self.seen
        values = torch.cat(self.seen, 1)
        ends = np.percentile(values.abs().numpy(), 100 - OUTSIDE, axis=1)
        extents = torch.as_tensor(ends, dtype=torch.float32)
        if extents.max() < UNEVEN * extents.min():
            return None
        extents = extents.clamp_min(float(extents.max()) / 1000)
        self.seen = [values / extents[:, None]]
        return extents

    def settle(self) -> None:
        """Span the levels over what was seen, and round from now on."""
        assert self.seen
        values = torch.cat(self.seen, 1).numpy()
        low, high = (float(v) for v in np.percentile(values, (OUTSIDE, 100 - OUTSIDE)))
        low, high = min(low, 0.0), max(high, 1e-3)
        step = (high - low) / 255
        self.step.fill_(step)
        self.zero.fill_(round(-low / step))
        self.seen = None


class RoundedBlock(nn.Module):
    """A `ResidualBlock` in bytes, but for convolutions that are told to stay float."""

    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        self.first, self.second = block.first.conv, block.second
        self.entering, self.between, self.leaving = Levels(), Levels(), Levels()
        self.rounds = {"first": True, "second": True}
        #: What the second convolution's answers are divided by before they are rounded, ``(C,)``.
        self.extents: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to the same shape."""
        inner = F.relu(x)
        if self.rounds["first"]:
            inner = F.relu(by_rounded_weights(self.first, self.entering(inner)))
        else:
            inner = F.relu(self.first(inner))
        if any(self.rounds.values()):
            inner = self.between(inner)
        if not self.rounds["second"]:
            return x + self.second(inner)
        if self.extents is None:
            return x + self.leaving(by_rounded_weights(self.second, inner))
        evened = self.leaving(by_rounded_weights(self.second, inner, self.extents))
        return x + evened * self.extents[:, None, None]

    def settle(self) -> None:
        """End watching."""
        self.extents = self.leaving.even_out()
        for levels in (self.entering, self.between, self.leaving):
            levels.settle()


def by_rounded_weights(conv: nn.Conv2d, x: Tensor, extents: Tensor | None = None) -> Tensor:
    """Convolve with weights rounded to multiples of each output's own step.

    Args:
        conv: the convolution.
        x: ``(B, C, H, W)``.
        extents: what each output is divided by, ``(C,)``.
    """
    weight, bias = conv.weight, conv.bias
    if extents is not None and bias is not None:
        weight, bias = weight / extents[:, None, None, None], bias / extents
    steps = weight.detach().abs().amax((1, 2, 3)).clamp_min(1e-8) / HEAVIEST
    zeros = torch.zeros_like(steps, dtype=torch.int32)
    weight = torch.fake_quantize_per_channel_affine(weight, steps, zeros, 0, -128, 127)
    return F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation)


@torch.no_grad()
def rounded(net: DualPath, samples: Sequence[Tensor]) -> DualPath:
    """Return a folded copy whose blocks work in bytes.

    Args:
        net: in eval mode.
        samples: sets of frames ``(N, 3, H, W)`` as it will see them.
    """
    exact = folded(net)
    small = copy.deepcopy(exact)
    blocks = list(_replaced(small))
    for frames in samples:  # watching
        _fused(small, frames)
    for block in blocks:
        if not block.entering.seen:  # of steps that do not run
            block.rounds = dict.fromkeys(block.rounds, False)
    blocks = [block for block in blocks if any(block.rounds.values())]
    for block in blocks:
        block.settle()
    _keep_delicate(small, exact, blocks, samples)
    return small


def _replaced(net: nn.Module) -> Iterator[RoundedBlock]:
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, ResidualBlock):
                block = RoundedBlock(child)
                setattr(module, name, block)
                yield block


def _keep_delicate(
    net: DualPath, exact: DualPath, blocks: Sequence[RoundedBlock], samples: Sequence[Tensor]
) -> None:
    """Let each convolution round alone, and leave those float that change pictures too much."""
    looked_at = samples[:: max(len(samples) // TRIED, 1)]
    truth = [_fused(exact, frames) for frames in looked_at]
    every = [(block, name) for block in blocks for name in block.rounds]
    for block, name in every:
        block.rounds[name] = False
    delicate: list[tuple[RoundedBlock, str]] = []
    for block, name in every:
        block.rounds[name] = True
        changes = [
            float((_fused(net, frames) - t).square().mean())
            for frames, t in zip(looked_at, truth, strict=True)
        ]
        if np.quantile(changes, USUAL) * 255**2 > MOST_CHANGE:
            delicate.append((block, name))
        block.rounds[name] = False
    for block, name in every:
        block.rounds[name] = (block, name) not in delicate


def _fused(net: DualPath, frames: Tensor) -> Tensor:
    batch = frames.unsqueeze(0)
    return blend(net(batch)[-1].mask, batch)


def count_rounded(net: nn.Module) -> int:
    """Return how many convolutions work in bytes."""
    return sum(sum(m.rounds.values()) for m in net.modules() if isinstance(m, RoundedBlock))


def samples_of(material: Material, config: Config) -> list[Tensor]:
    """Draw sets of frames ``(N, 3, H, W)`` that show a network what it will see.

    Args:
        material: defocused frames, each large enough for the recipe's crops.
        config: the recipe, whose crops and blurs are drawn.
    """
    sources = redefocus.sources_of(material.pictures())
    made: list[Tensor] = []
    for count, sets in SAMPLED:
        batch = redefocus.batch(
            sources, config.size, count, (SEED, count), range(sets), odds=config.odds
        )
        made += [torch.as_tensor(frames) for frames in batch.frames]
    return made
