"""From a DRPL checkpoint to the system that the product runs."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from panfocus.systems.card import Card
from panfocus.train import checkpoint as checkpoints
from panfocus.train.drpl.network import HALO, ConvUnit, Drpl, ResidualBlock, first_weight
from panfocus.train.export import export

#: Largest picture decided at full scale: at a million multiply-adds per pixel, half a megapixel is
#: what a processor does in seconds. The pictures it is measured on are smaller.
WORKING_PIXELS = 500_000
#: Pixels times frames at once: about 800 MB.
TILE_PIXELS = 1_400_000


class Exported(nn.Module):
    """DRPL behind the interface of every exported system: ``(2, 3, H, W)`` to ``(2, H, W)``."""

    def __init__(self, net: Drpl) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: Tensor) -> Tensor:
        """Return ``w = (o1 + 1 - o2) / 2`` and ``1 - w``."""
        weight = first_weight(self.net(frames[:1], frames[1:]))
        return torch.cat((weight, 1 - weight))


def averaged(held: checkpoints.Checkpoint) -> Drpl:
    """Rebuild the network of a checkpoint with its averaged weights, in eval mode."""
    net = Drpl()
    weights = held.group("average")
    net.load_state_dict({k.removeprefix("net."): v for k, v in weights.items()})
    if held.facts["config"]["symmetric"]:
        net.symmetrise()
    return net.eval()


@torch.no_grad()
def folded(net: Drpl) -> Drpl:
    """Fold each normalisation into the convolution before it; the answers stay the same."""
    small = Drpl(blocks=len(net.blocks)).eval()
    small.load_state_dict(net.state_dict())
    for module in list(small.modules()):
        if isinstance(module, ConvUnit):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
        elif isinstance(module, ResidualBlock):
            module.conv1 = fuse_conv_bn_eval(module.conv1, module.norm1)
            module.conv2 = fuse_conv_bn_eval(module.conv2, module.norm2)
            module.norm1 = module.norm2 = nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
    return small


def macs_per_pixel(net: Drpl) -> int:
    """Count multiply-adds per pixel."""
    return sum(m.weight.numel() for m in net.modules() if isinstance(m, nn.Conv2d))


def card_of(held: checkpoints.Checkpoint, data: str, scores: Mapping[str, float]) -> Card:
    """Write the card of a checkpoint."""
    facts: Mapping[str, Any] = held.facts
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Card(
        name="drpl",
        title="DRPL: deep regression pair learning (TIP 2020), trained again by panfocus",
        halo=HALO,
        working_pixels=WORKING_PIXELS,
        tile_pixels=TILE_PIXELS,
        macs_per_pixel=macs_per_pixel(Drpl()),
        trained_by=f"panfocus, {today}, {platform.machine()}, {facts['seconds'] / 60:.0f} minutes",
        data=data,
        recipe={"steps": facts["step"], "seed": facts["seed"], **facts["config"]},
        scores=dict(scores),
        notes="pairs of aligned frames; very large blur (over 8 px at the working scale) unseen",
    )


def pack(run: Path, out: Path, data: str, *, scores: Mapping[str, float] | None = None) -> Path:
    """Export the checkpoint in `run` to the folder `out`.

    Raises:
        DataError: no checkpoint, or a damaged one.
        OutputError: the folder cannot be written, or the export does not agree.
    """
    held = checkpoints.read(run / checkpoints.NAME)
    net = averaged(held)
    card = card_of(held, data, scores or {})
    return export(Exported(folded(net)).eval(), 2, net.state_dict(), card, out)
