"""The arbiter as the training loop sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from panfocus.systems.candidates import REDUCTION
from panfocus.train.arbiter.network import ArbiterNet
from panfocus.train.arbiter.samples import ArbiterSample, decided, place, sample
from panfocus.train.helper_task import (
    SHOWN,
    HelperTask,
    PlacesOfScenes,
    PlacesRecipe,
    as_picture,
    deciding,
    seeded,
)
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources

#: Errors of so many squared grey levels do not count, nor what lies so near to a place's border.
_NOTHING, _BORDER = 1.0, 16


@dataclass(frozen=True)
class ArbiterRecipe(PlacesRecipe):
    """Everything that makes an arbiter."""

    size: int = 256
    ema: float = 0.99


#: On a dark ground the arbiter is not asked. How wide blurs are scenes say (`samples`).
ODDS = Odds(
    lights=0.35, hairy=0.2, translucent=0.08, crisp=0.4, fluorescent=0, misfired=0, noise=0.2,
    jpeg=0.3,
)  # fmt: skip


class ArbiterDraws(PlacesOfScenes):
    """Makes the batches."""

    def places(self, rng: np.random.Generator) -> list[ArbiterSample]:
        """Make one scene and cut its places out."""
        whole = sample(decided(rng, self.sources, deciding(self.recipe.decided_by), ODDS))
        return [place(rng, whole, self.recipe.size) for _ in range(self.recipe.places)]


class ArbiterLearner(nn.Module):
    """The network with its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.net = ArbiterNet()

    def forward(self, seen: Tensor, errors: Tensor) -> dict[str, Tensor]:
        """Return the loss of a batch in the order of `ArbiterSample`.

        The logarithm of the squared error of the mixed picture over that of the full scale's, so
        that a place counts as its decibels do.
        """
        share = F.interpolate(
            self.net(seen).float(), scale_factor=REDUCTION, mode="bilinear", align_corners=False
        )
        fine, coarse = errors.unbind(1)
        gain = torch.log(_squared(fine + share * (coarse - fine)) + _NOTHING)
        gain = (gain - torch.log(_squared(fine) + _NOTHING)).mean()
        return {"gain": gain, "loss": gain}


def _squared(error: Tensor) -> Tensor:
    """Return the mean square of each place's errors, ``(B,)``."""
    return error[..., _BORDER:-_BORDER, _BORDER:-_BORDER].square().mean((1, 2, 3))


class ArbiterTask(HelperTask):
    """See `panfocus.train.task.Task`."""

    def __init__(self, recipe: ArbiterRecipe, sources: Sources, seed: int = 0) -> None:
        seeded(seed)
        draws = ArbiterDraws(recipe, sources, seed)
        super().__init__(ArbiterLearner(), recipe, draws, seed, weight_decay=1e-4)
        self._shown = draws.of_scene(SHOWN, 0)[0]

    @torch.no_grad()
    def picture(self, model: nn.Module) -> NDArray[np.uint8]:
        """Show a place: how far decisions differ, and how far the reduced scale is followed."""
        assert isinstance(model, ArbiterLearner)
        device = next(model.parameters()).device
        seen = torch.from_numpy(self._shown.seen)
        share = model.net(seen[None].to(device))[0, 0].float().cpu()
        return as_picture(torch.cat([seen[4].clamp(0, 1), share], 1))
