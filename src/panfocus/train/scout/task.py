"""The scout as the training loop sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from panfocus.train.distributed import positions_of
from panfocus.train.helper_task import SHOWN, HelperTask, as_picture, seeded
from panfocus.train.scout.network import ScoutNet
from panfocus.train.scout.samples import COUNTS, SAME, ScoutSample, sample
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.sources import Sources


@dataclass(frozen=True)
class ScoutRecipe:
    """Everything that makes a scout, but for seed, duration and machine.

    Attributes:
        size: height and width of the stacks, pixels.
        frames: of all stacks of a step together; their number of frames is one of `COUNTS`.
        nearness: weight of what is lost by taking the frames that have the shares.
        learning_rate: at the peak.
        ema: decay per step of the averaged weights.
    """

    size: int = 256
    frames: int = 96
    nearness: float = 0.5
    learning_rate: float = 3e-3
    ema: float = 0.998


#: Kinds of light in the dark are left out: on a dark ground the scout is not asked.
ODDS = Odds(
    lights=0.45, moved=0.15, ringed=0.08, fluorescent=0, hairy=0.08, translucent=0.05, crisp=0.3,
    noise=0.2,
)  # fmt: skip


@dataclass(frozen=True)
class ScoutDraws:
    """Makes the batches (`panfocus.train.feed.Maker`)."""

    recipe: ScoutRecipe
    sources: Sources
    seed: int

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the stacks of `step`, all of as many frames."""
        rng = np.random.default_rng((self.seed, step, 10**6))
        count = int(rng.choice(COUNTS))
        stacks = max(self.recipe.frames // count, world)
        made = [self.one(step, n, count) for n in positions_of(stacks, rank, world)]
        return ScoutSample(*(np.stack(arrays) for arrays in zip(*made, strict=True)))

    def one(self, step: int, position: int, count: int) -> ScoutSample:
        """Make one stack."""
        rng = np.random.default_rng((self.seed, step, position))
        return sample(rng, self.sources, self.recipe.size, count, ODDS)


class ScoutLearner(nn.Module):
    """The network with its loss."""

    def __init__(self, nearness: float) -> None:
        super().__init__()
        self.net = ScoutNet()
        self._nearness = nearness

    def forward(self, measures: Tensor, shares: Tensor, errors: Tensor) -> dict[str, Tensor]:
        """Return the loss terms of a batch in the order of `ScoutSample`.

        The divergence of shares that are told from those there are, and the logarithm of how much
        farther from the truth than with these the picture would be.
        """
        told = torch.log_softmax(self.net(measures).float(), 1)
        divergence = (shares * (shares.clamp_min(1e-4).log() - told)).sum(1).mean()
        lost = torch.log((told.exp() * errors).sum(1) + SAME)
        nearness = (lost - torch.log((shares * errors).sum(1) + SAME)).mean()
        loss = divergence + self._nearness * nearness
        return {"divergence": divergence, "nearness": nearness, "loss": loss}


class ScoutTask(HelperTask):
    """See `panfocus.train.task.Task`."""

    last_rate = 0.02

    def __init__(self, recipe: ScoutRecipe, sources: Sources, seed: int = 0) -> None:
        seeded(seed)
        draws = ScoutDraws(recipe, sources, seed)
        super().__init__(ScoutLearner(recipe.nearness), recipe, draws, seed, weight_decay=1e-3)
        self._shown = draws.one(SHOWN, 0, 5)

    @torch.no_grad()
    def picture(self, model: nn.Module) -> NDArray[np.uint8]:
        """Show shares that are told of one stack above those there are, frames side by side."""
        assert isinstance(model, ScoutLearner)
        measures, shares, _ = (torch.from_numpy(a) for a in self._shown)
        device = next(model.parameters()).device
        told = torch.softmax(model.net(measures[None].to(device))[0].float().cpu(), 0)
        return as_picture(torch.cat([torch.cat(list(maps), 1) for maps in (told, shares)], 0))
