"""From a DRPL checkpoint to the system that the product runs."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from panfocus.systems.card import Card
from panfocus.train import checkpoint as checkpoints
from panfocus.train.drpl import config, paper
from panfocus.train.drpl.network import PairNet, first_weight, folded
from panfocus.train.drpl.step import network_of
from panfocus.train.export import export
from panfocus.train.weights import take_weights

TITLE = "DRPL: deep regression pair learning (TIP 2020)"


class Use(NamedTuple):
    """How the system of a recipe is run, and what a card says of it.

    Attributes:
        title: one line.
        working_pixels: largest picture decided at full scale.
        tile_pixels: pixels times frames at once.
        notes: limits.
    """

    title: str
    working_pixels: int
    tile_pixels: int
    notes: str


#: At a million multiply-adds per pixel, half a megapixel is what a processor does in seconds, and
#: the pictures it is measured on are smaller; so many pixels at once take about 800 MB.
LARGE = Use(
    f"{TITLE}, trained again by panfocus",
    500_000,
    1_400_000,
    "pairs of aligned frames; very large blur (over 8 px at the working scale) unseen",
)
USES = {
    "drpl": LARGE,
    "drpl-paper": LARGE._replace(
        title=f"{TITLE}, by the published recipe, cut short",
        notes="pairs of aligned frames; it saw hard masks and one kind of narrow blur: to compare "
        "with, `drpl` fuses better",
    ),
    "drpl-small": Use(
        f"{TITLE}: a small network taught by `drpl`",
        2_700_000,
        5_600_000,
        "pairs of aligned frames; very large blur (over 10 px at the working scale) unseen",
    ),
}


class Exported(nn.Module):
    """DRPL behind the interface of every exported system: ``(2, 3, H, W)`` to ``(2, H, W)``."""

    def __init__(self, net: PairNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: Tensor) -> Tensor:
        """Return ``w = (o1 + 1 - o2) / 2`` and ``1 - w``."""
        weight = first_weight(self.net(frames[:1], frames[1:]))
        return torch.cat((weight, 1 - weight))


def averaged(held: checkpoints.Checkpoint) -> PairNet:
    """Rebuild the network of a checkpoint with its averaged weights, in eval mode."""
    chosen = held.recipe(config.from_dict)
    net = network_of(chosen)
    weights = {k.removeprefix("net."): v for k, v in held.group("average").items()}
    take_weights(net, weights, str(held.path))
    if chosen.symmetric:
        net.symmetrise()
    return net.eval()


@torch.no_grad()
def macs_per_pixel(net: PairNet) -> int:
    """Count multiply-adds of convolutions per pixel of a pair, by running a picture through."""
    side = 8 * net.multiple_of
    counted: list[int] = []

    def count(conv: nn.Module, _: tuple[Tensor, ...], out: Tensor) -> None:
        assert isinstance(conv, nn.Conv2d)
        counted.append(conv.weight.numel() * out.shape[-1] * out.shape[-2])

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    net(torch.zeros(1, 3, side, side), torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return sum(counted) // side**2


def card_of(
    held: checkpoints.Checkpoint, net: PairNet, data: str, scores: Mapping[str, float]
) -> Card:
    """Write the card of a checkpoint and of the network that runs."""
    facts: Mapping[str, Any] = held.facts
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    chosen, minutes = held.recipe(config.from_dict), held.fact("seconds") / 60
    name = config.SYSTEMS.get(chosen.recipe, config.system_of(chosen))
    use = USES[name]
    recipe = {"steps": held.fact("step"), "seed": held.fact("seed"), **chosen.to_dict()}
    recipe |= {"teacher": facts["teacher"]} if "teacher" in facts else {}
    recipe |= {"beside_the_paper": paper.beside(facts)} if name == "drpl-paper" else {}
    return Card(
        name=name,
        title=use.title,
        multiple_of=net.multiple_of,
        halo=net.halo,
        working_pixels=use.working_pixels,
        tile_pixels=use.tile_pixels,
        macs_per_pixel=macs_per_pixel(net),
        trained_by=f"panfocus, {today}, {platform.machine()}, {minutes:.0f} minutes",
        data=data,
        recipe=recipe,
        scores=dict(scores),
        notes=use.notes,
    )


def pack(run: Path, out: Path, data: str, *, scores: Mapping[str, float] | None = None) -> Path:
    """Export the checkpoint in `run` to the folder `out`.

    Raises:
        DataError: no checkpoint, or a damaged one.
        OutputError: the folder cannot be written, or the export does not agree.
    """
    held = checkpoints.read(run / checkpoints.NAME)
    net = averaged(held)
    runs = folded(net)
    card = card_of(held, runs, data, scores or {})
    return export(Exported(runs).eval(), 2, net.state_dict(), card, out)
