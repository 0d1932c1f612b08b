"""From a Dual-Path checkpoint to the system that the product runs."""

from __future__ import annotations

import copy
import datetime
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from panfocus.errors import UsageError
from panfocus.systems.card import Card
from panfocus.train import checkpoint as checkpoints
from panfocus.train.dualpath.config import Config, from_dict
from panfocus.train.dualpath.eight_bit import count_rounded, rounded, samples_of
from panfocus.train.dualpath.inference import count_macs, folded
from panfocus.train.dualpath.model import DualPath, deployed
from panfocus.train.dualpath.step import Step
from panfocus.train.export import RESTORER, ROUNDED, export, restorer_of
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
#: Its bounds; beyond, a weight is 0 or 1 whatever the frames.
SHARPNESS = (0.01, 1000.0)
#: What it calls the number of convolutions that work in 8 bits (`eight_bit.rounded`).
EIGHT_BIT = "eight_bit"
#: What it calls the number of unrolled steps that run.
DEPTH = "unrolled_steps"
#: What systems are, by the first part of their recipe's name.
TITLES = {
    "dualpath": (
        "Dual-Path (TMM 2024), reconstructed from its abstract: an unrolled fuser taught by a mask "
        "predictor, and by frames that were blurred again"
    ),
    "dualpath-paper": (
        "Dual-Path (TMM 2024), reconstructed from its abstract, no loss added: an unrolled "
        "fuser taught by a mask predictor; half of the frames were blurred again, untold"
    ),
}


class ExportedPicture(nn.Module):
    """Dual-Path as a system that makes a picture: the fuser's own X^K."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: Tensor) -> Tensor:
        """``(N, 3, H, W)`` in [0, 1] to X^K, ``(3, H, W)`` in [0, 1]."""
        return self.net(frames.unsqueeze(0))[-1].picture.squeeze(0).clamp(0, 1)


class ExportedRestorer(nn.Module):
    """The last step's prior on the picture by itself (`panfocus.systems.restorer`)."""

    def __init__(self, prior: nn.Module) -> None:
        super().__init__()
        self.prior = prior

    def forward(self, seen: Tensor) -> Tensor:
        """Blend, spread and largest weight, ``(1, 3, H, W)``, to what is added, ``(H, W)``."""
        return self.prior(seen[:, :1], seen[:, 1:2], seen[:, 2:])[0, 0]


class Exported(nn.Module):
    """Dual-Path behind the interface of every exported system: M^K for frames of one stack."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: Tensor) -> Tensor:
        """``(N, 3, H, W)`` in [0, 1] to weights ``(N, H, W)``, summing to 1 over N."""
        return self.net(frames.unsqueeze(0))[-1].mask.squeeze(0)


def averaged(held: checkpoints.Checkpoint, *, depth: int | None = None) -> tuple[Config, DualPath]:
    """Rebuild the network of a checkpoint (see `deployed`)."""
    config = held.recipe(from_dict)
    weights = held.group("average")
    return config, deployed(config, weights, depth=depth, whose=str(held.path))


def macs_per_pixel(net: nn.Module, multiple: int) -> int:
    """Count multiply-adds per pixel of each frame, on a real pass of a pair."""
    side = 4 * multiple
    pair = torch.zeros(1, 2, 3, side, side)
    return round(count_macs(net, lambda: net(pair)) / (2 * side**2))


def card_of(
    held: checkpoints.Checkpoint,
    config: Config,
    net: DualPath,
    data: str,
    *,
    scores: Mapping[str, float],
) -> Card:
    """Write the card of a checkpoint."""
    facts, minutes = held.facts, held.fact("seconds") / 60
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    name = "dualpath-paper" if config.recipe.startswith("paper") else "dualpath"
    return Card(
        name=name,
        title=TITLES[name],
        multiple_of=config.multiple_of,
        halo=min(config.halo, HALO),
        working_pixels=WORKING_PIXELS,
        tile_pixels=TILE_PIXELS,
        macs_per_pixel=macs_per_pixel(net, config.multiple_of),
        trained_by=f"panfocus, {today}, {platform.machine()}, {minutes:.0f} minutes",
        data=data,
        recipe={
            "training_steps": held.fact("step"),
            "seed": held.fact("seed"),
            DEPTH: net.fuser.depth,
            **({"averaged": facts["averaged"]} if "averaged" in facts else {}),
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


def sharpened(net: DualPath, factor: float) -> DualPath:
    """Return a copy whose last weights over the frames are ``w**factor``, normalised.

    Masks learned from noisy frames are a little softer than what serves clean ones.
    """
    harder = copy.deepcopy(net)
    last = harder.fuser.steps[harder.fuser.depth - 1]
    assert isinstance(last, Step)
    last.sharpness = factor
    return harder


def with_restorer(card: Card, config: Config, net: DualPath) -> tuple[Card, dict[str, bytes]]:
    """Add the last step's prior on the picture to a system, if all steps run.

    Returns:
        The card, and what further files hold, by name.
    """
    last = config.steps[net.fuser.depth - 1]
    step = folded(net).fuser.steps[net.fuser.depth - 1]
    assert isinstance(step, Step)
    prior = step.picture_prior
    if net.fuser.depth < len(config.steps) or prior is None:
        return card, {}
    network = ExportedRestorer(prior).eval()
    data, told = restorer_of(network, last.picture_pack, last.picture_reach)
    return replace(card, restores=told), {RESTORER: data}


def pack(
    run: Path,
    out: Path,
    data: str,
    *,
    scores: Mapping[str, float] | None = None,
    depth: int | None = None,
    picture: bool = False,
    sharpen: float = 1.0,
    fitted_to: Material | None = None,
    restorer: bool = True,
) -> Path:
    """Export the checkpoint in `run` to the folder `out`.

    The weights of both paths are kept beside the exported fuser, so that training can go on.

    Args:
        run: folder of a training; its best weights are taken, where any were judged.
        out: folder of the system.
        data: for the card.
        scores: for the card.
        depth: how many of the fuser's steps run; None for all.
        picture: let the system answer with the fuser's own picture X^K and not with weights.
        sharpen: see `sharpened`; the weights kept to train on from are as they were learned.
        fitted_to: material to fit 8 bits to (`eight_bit.rounded`); None for a system in floats.
        restorer: write what ``fuse --mode restore`` runs, if all steps run.

    Raises:
        DataError: no checkpoint, or a damaged one.
        OutputError: the folder cannot be written, or the export does not agree.
        UsageError: there are fewer steps, or a picture is wanted in 8 bits.
    """
    if not SHARPNESS[0] <= sharpen <= SHARPNESS[1]:
        raise UsageError(
            "a system cannot decide so hard, or so softly",
            where="sharpen",
            expected="a number from {:g} to {:g}".format(*SHARPNESS),
            got=f"{sharpen:g}",
        )
    if picture and fitted_to:
        raise UsageError("a picture is made in floats", expected="--picture without --eight-bit")
    held = checkpoints.best(run)
    config, net = averaged(held, depth=depth)
    if net.fuser.depth > len(config.steps):
        raise UsageError(
            "the fuser has fewer steps",
            where="--depth",
            expected=f"at most {len(config.steps)}",
            got=str(depth),
        )
    net.fuser.restores = picture
    weights = held.group("average")
    card = card_of(held, config, net, data, scores=scores or {})
    runs = net
    if sharpen != 1:
        runs = sharpened(net, sharpen)
        card = replace(card, recipe={**card.recipe, SHARPENED: sharpen})
    if picture:
        card = as_picture(card)
        return export(ExportedPicture(folded(runs)).eval(), None, {}, card, out)
    beside: dict[str, bytes] = {}
    if restorer:
        card, beside = with_restorer(card, config, net)
    if fitted_to is None:
        return export(Exported(folded(runs)).eval(), None, weights, card, out, beside=beside)
    small = rounded(runs, samples_of(fitted_to, config))
    card = replace(card, recipe={**card.recipe, EIGHT_BIT: count_rounded(small)})
    network = Exported(small).eval()
    return export(network, None, weights, card, out, tolerance=ROUNDED, beside=beside)
