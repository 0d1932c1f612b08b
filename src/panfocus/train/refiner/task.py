"""The refiner as the training loop sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from panfocus.fusion.boundaries import APART, LIT
from panfocus.train.helper_task import (
    SHOWN,
    HelperTask,
    PlacesOfScenes,
    PlacesRecipe,
    as_picture,
    deciding,
    seeded,
)
from panfocus.train.refiner.network import RefinerNet, refined
from panfocus.train.refiner.samples import RefinerSample, mixed, place
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources

#: Errors of so many squared grey levels do not count, nor what lies so near to a place's border.
_NOTHING, _BORDER = 1.0, 12


@dataclass(frozen=True)
class RefinerRecipe(PlacesRecipe):
    """Everything that makes a refiner.

    Attributes:
        still: weight of changes as such.
    """

    still: float = 0.02


#: On a dark ground the refiner is not asked.
ODDS = Odds(
    lights=0.75, hairy=0.2, translucent=0.08, crisp=0.4, fluorescent=0, misfired=0, noise=0.2,
    jpeg=0.3, radius=(0.6, 14.0),
)  # fmt: skip


class RefinerDraws(PlacesOfScenes):
    """Makes the batches."""

    def places(self, rng: np.random.Generator) -> list[RefinerSample]:
        """Make one scene and cut its places out."""
        scene = mixed(rng, self.sources, deciding(self.recipe.decided_by), ODDS)
        return [place(rng, scene, self.recipe.size) for _ in range(self.recipe.places)]


class RefinerLearner(nn.Module):
    """The network with its loss."""

    def __init__(self, still: float) -> None:
        super().__init__()
        self.net = RefinerNet()
        self._still = still

    def forward(self, seen: Tensor, levels: Tensor, colours: Tensor) -> dict[str, Tensor]:
        """Return the loss terms of a batch in the order of `RefinerSample`.

        The logarithm of the squared error of the mixed picture over that without any change, so
        that a place counts as its decibels do; and how much weights change, squared.
        """
        weight = levels[:, 2]
        change = refined(weight, self.net(seen).float()) - weight
        change = change * (1 - lights(levels))
        error, before = (_error(colours, w) for w in (weight + change, weight))
        gain = (torch.log(error + _NOTHING) - torch.log(before + _NOTHING)).mean()
        still = change.square().mean()
        return {"gain": gain, "still": still, "loss": gain + self._still * still}


def _error(colours: Tensor, weight: Tensor) -> Tensor:
    """Return the mean squared error of each place, ``(B,)``."""
    below, above, truth = colours.unbind(1)
    made = below + (above - below) * weight[:, None]
    inner = (made - truth)[..., _BORDER:-_BORDER, _BORDER:-_BORDER]
    return inner.square().mean((1, 2, 3))


def lights(levels: Tensor) -> Tensor:
    """Return where lights are, and what is near to them, ``(B, h, w)`` in [0, 1].

    Weights stay there: `panfocus.fusion.boundaries`.
    """
    below, above = levels[:, :1], levels[:, 1:2]
    lit = (torch.maximum(below, above) > LIT) & ((above - below).abs() > APART)
    return F.avg_pool2d(F.max_pool2d(lit.float(), 13, 1, 6), 5, 1, 2, count_include_pad=False)[:, 0]


class RefinerTask(HelperTask):
    """See `panfocus.train.task.Task`."""

    def __init__(self, recipe: RefinerRecipe, sources: Sources, seed: int = 0) -> None:
        seeded(seed)
        draws = RefinerDraws(recipe, sources, seed)
        super().__init__(RefinerLearner(recipe.still), recipe, draws, seed)
        self._shown = draws.of_scene(SHOWN, 0)[0]

    @torch.no_grad()
    def picture(self, model: nn.Module) -> NDArray[np.uint8]:
        """Show a place: below, above, the weight before and after."""
        assert isinstance(model, RefinerLearner)
        device = next(model.parameters()).device
        levels = torch.from_numpy(self._shown.levels)
        change = model.net(torch.from_numpy(self._shown.seen)[None].to(device)).float().cpu()
        return as_picture(torch.cat([*levels, refined(levels[2:], change)[0]], 1))
