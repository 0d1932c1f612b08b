"""From a Dual-Path checkpoint to the system that the product runs."""

from __future__ import annotations

import copy
import datetime
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from panfocus.errors import UsageError
from panfocus.systems.card import Card
from panfocus.train import checkpoint as checkpoints
from panfocus.train.dualpath.config import Config, from_dict
from panfocus.train.dualpath.eight_bit import count_rounded, rounded, samples_of
from panfocus.train.dualpath.model import DualPath, deployed
from panfocus.train.dualpath.network import count_macs, folded
from panfocus.train.export import ROUNDED, export
from panfocus.train.pairs import Material

#: Context beyond which tiles answer as the whole picture does, pixels. The bound by layers
#: (`Config.halo`) is larger; MEASURED on bundled weights, scenes of four kinds: in floats weights
#: differ by up to 0.012 with 96 px, 0.00014 with 128, 0.00006 with 160. In 8 bits, with 128, single
#: pixels do by up to 0.26, as rounding follows last digits, but pictures by 0.02 grey levels RMS.
HALO = 128
#: Largest picture decided at full scale.
WORKING_PIXELS = 2_700_000
#: Pixels times frames at once: 987 MiB for 5.4 million (MEASURED, 2 frames of 2.7 MP).
TILE_PIXELS = 5_600_000
#: What a card's recipe calls the factor of `sharpened`.
SHARPENED = "sharpened"
#: What it calls the number of convolutions that work in 8 bits (`eight_bit.rounded`).
EIGHT_BIT = "eight_bit"


class ExportedPicture(nn.Module):
    """Dual-Path as a system that makes a picture: the fuser's own X^K."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: Tensor) -> Tensor:
        """``(N, 3, H, W)`` in [0, 1] to X^K, ``(3, H, W)`` in [0, 1]."""
        return self.net(frames.unsqueeze(0))[-1].picture.squeeze(0).clamp(0, 1)


class Exported(nn.Module):
    """Dual-Path behind the interface of every exported system: M^K for frames of one stack."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: Tensor) -> Tensor:
        """``(N, 3, H, W)`` in [0, 1] to weights ``(N, H, W)``, summing to 1 over N."""
        return self.net(frames.unsqueeze(0))[-1].mask.squeeze(0)


def averaged(held: checkpoints.Checkpoint, *, unrolled: bool = True) -> tuple[Config, DualPath]:
    """Rebuild the network of a checkpoint (see `deployed`)."""
    config = from_dict(held.facts["config"])
    return config, deployed(config, held.group("average"), unrolled=unrolled)


def macs_per_pixel(net: nn.Module, multiple: int) -> int:
    """Count multiply-adds per pixel of each frame, on a real pass of a pair."""
    side = 4 * multiple
    pair = torch.zeros(1, 2, 3, side, side)
    return round(count_macs(net, lambda: net(pair)) / (2 * side**2))


def card_of(
    facts: Mapping[str, Any],
    config: Config,
    net: DualPath,
    data: str,
    *,
    scores: Mapping[str, float],
) -> Card:
    """Write the card of a checkpoint with these facts."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Card(
        name="dualpath",
        title=(
            "Dual-Path (TMM 2025), reconstructed from its abstract"
            if config.masking
            else "Dual-Path with re-defocus self-supervision: learned from defocused frames alone"
        ),
        multiple_of=config.multiple_of,
        halo=min(config.halo, HALO),
        working_pixels=WORKING_PIXELS,
        tile_pixels=TILE_PIXELS,
        macs_per_pixel=macs_per_pixel(net, config.multiple_of),
        trained_by=f"panfocus, {today}, {platform.machine()}, {facts['seconds'] / 60:.0f} minutes",
        data=data,
        recipe={
            "steps": facts["step"],
            "seed": facts["seed"],
            "unrolled": net.unrolled,
            **config.to_dict(),
        },
        scores=dict(scores),
        notes=(
            "aligned frames, any number at once; no sharp picture and no mask was seen in training"
        ),
    )


def as_picture(card: Card) -> Card:
    """Return the card of the same networks as a system that makes a picture."""
    return replace(
        card,
        name=f"{card.name}-picture",
        title=f"{card.title}; the fuser's own picture",
        kind="picture",
        notes=(
            "any number of aligned frames, all held at once; no maps; values that no frame holds "
            "can appear"
        ),
    )


@torch.no_grad()
def sharpened(net: DualPath, factor: float) -> DualPath:
    """Return a copy whose weights over the frames are ``w**factor``, normalised.

    Masks learned from noisy frames are a little softer than what serves clean ones. The
    predictor's last convolution makes the logits, so that multiplying it costs nothing at run time.

    Raises:
        UsageError: the fuser's steps follow; their logits are no single layer's.
    """
    if net.predictor is None or net.unrolled:
        raise UsageError(
            "only the predictor's mask can be made sharper", expected="--no-unrolled with --sharpen"
        )
    harder = copy.deepcopy(net)
    assert harder.predictor is not None
    for tensor in harder.predictor.net.head.parameters():
        tensor.mul_(factor)
    return harder


def pack(
    run: Path,
    out: Path,
    data: str,
    *,
    scores: Mapping[str, float] | None = None,
    unrolled: bool = True,
    picture: bool = False,
    sharpen: float = 1.0,
    fitted_to: Material | None = None,
) -> Path:
    """Export the checkpoint in `run` to the folder `out`.

    Args:
        run: folder of a training.
        out: folder of the system.
        data: for the card.
        scores: for the card.
        unrolled: whether the fuser's steps follow the predictor.
        picture: let the system answer with the fuser's own picture X^K and not with weights.
        sharpen: see `sharpened`; the weights kept to train on from are as they were learned.
        fitted_to: material to fit 8 bits to (`eight_bit.rounded`); None for a system in floats.

    Raises:
        DataError: no checkpoint, or a damaged one.
        OutputError: the folder cannot be written, or the export does not agree.
        UsageError: a picture is wanted, and no step that would make one, or 8 bits for it.
    """
    if picture and not unrolled:
        raise UsageError("only the fuser makes a picture", expected="--unrolled with --picture")
    if picture and fitted_to:
        raise UsageError("a picture is made in floats", expected="--picture without --eight-bit")
    held = checkpoints.read(run / checkpoints.NAME)
    config, net = averaged(held, unrolled=unrolled)
    card = card_of(held.facts, config, net, data, scores=scores or {})
    runs = net
    if sharpen != 1:
        runs = sharpened(net, sharpen)
        card = replace(card, recipe={**card.recipe, SHARPENED: sharpen})
    if picture:
        card = as_picture(card)
        return export(ExportedPicture(folded(net)).eval(), None, {}, card, out)
    if fitted_to is None:
        return export(Exported(folded(runs)).eval(), None, net.state_dict(), card, out)
    small = rounded(runs, samples_of(fitted_to, config))
    card = replace(card, recipe={**card.recipe, EIGHT_BIT: count_rounded(small)})
    network = Exported(small).eval()
    return export(network, None, net.state_dict(), card, out, tolerance=ROUNDED)
