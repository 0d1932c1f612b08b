"""Networks made ready for use: normalisations folded into convolutions, and what they cost."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from panfocus.train.dualpath.blocks import Stem, Stemmed, StridedStem, Unit

NetT = TypeVar("NetT", bound=nn.Module)


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
