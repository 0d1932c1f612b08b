"""One training step of DRPL: make pairs, predict both maps in one pass, weigh the losses."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from panfocus.train import synthesis
from panfocus.train.distributed import positions_of
from panfocus.train.drpl import loss
from panfocus.train.drpl.config import Config
from panfocus.train.drpl.network import Drpl, PairNet
from panfocus.train.drpl.small import Small
from panfocus.train.drpl.teacher import Teacher
from panfocus.train.optimiser import cosine

#: Batches on which the statistics of the averaged weights are measured.
CALIBRATION_STEPS = 24


def network_of(config: Config) -> PairNet:
    """Return the network of a recipe as training starts with it."""
    made = Small if config.network == "small" else Drpl
    net = made(high_pass=config.high_pass, zero_blocks=config.zero_blocks)
    if config.symmetric:
        net.symmetrise()
    return net


class Learner(nn.Module):
    """The network with its loss, so that one call is one step for any number of processes."""

    def __init__(self, config: Config, teacher: Teacher | None = None) -> None:
        super().__init__()
        self.net = network_of(config)
        self._weights = config.loss
        self._teacher = teacher

    def forward(self, *batch: Tensor) -> dict[str, Tensor]:
        """Return the loss terms of a batch in the order of `synthesis.Sample`.

        Behind the sample may stand whether the teacher is asked, a scalar.
        """
        first, second, truth, mask, _, clean, _, *asked = batch
        taught = None
        if self._teacher and asked and bool(asked[0]):
            taught = self._teacher.maps(first, second)
        maps = self.net(first, second).float()
        # variances are differences of nearly equal numbers: in bfloat16 the structure term's
        # gradient has a cosine of 0.19 with that in float32, and five times its length (MEASURED)
        with nullcontext() if maps.is_meta else torch.autocast(maps.device.type, enabled=False):
            pair = clean[:, 0], clean[:, 1]
            return loss.total(maps, *pair, truth, mask, self._weights, taught)


@dataclass(frozen=True)
class Pairs:
    """Makes the batches of DRPL (`panfocus.train.feed.Maker`).

    Attributes:
        config: the recipe.
        stream: of pairs.
        taught: whether there is a teacher, and a batch says if it is asked.
    """

    config: Config
    stream: synthesis.Stream
    taught: bool = False

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the pairs of `step`."""
        stage = self.config.stage(progress)
        made = self.stream.batch(step, positions_of(stage.batch, rank, world), stage.size)
        if not self.taught:
            return made
        return (*made, np.asarray(step % self.config.taught_every == 0))


class DrplTask:
    """DRPL as the training loop sees it (`panfocus.train.task.Task`)."""

    def __init__(
        self,
        config: Config,
        sources: synthesis.Sources,
        seed: int = 0,
        teacher: Teacher | None = None,
    ) -> None:
        torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
        self.config = config
        self.model: nn.Module = Learner(config, teacher)
        self.learning_rate = config.learning_rate
        self.weight_decay = config.weight_decay
        self.clip = config.clip
        self.ema = config.ema
        self._stream = synthesis.Stream(config.synthesis, sources, seed, ended=config.ended)
        self._held_out = replace(self._stream, seed=seed + 1)
        self._seed = seed
        self._teacher = teacher
        self._shown: synthesis.Sample | None = None

    @property
    def net(self) -> PairNet:
        """The network inside `model`."""
        assert isinstance(self.model, Learner)
        return self.model.net

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the pairs of `step`."""
        return self.maker().batch(step, progress, rank, world)

    def maker(self) -> Pairs:
        """Return what makes the batches."""
        return Pairs(self.config, self._stream, taught=self._teacher is not None)

    def rate(self, progress: float) -> float:
        """Return the learning rate's factor."""
        if self.config.decay == "steps":
            return 0.5 if progress >= 30 / 50 else 1.0
        return cosine(progress, self.config.warmup)

    def prepare(self, progress: float) -> bool:
        """Deepen the network when its next stage begins."""
        blocks = self.config.stage(progress).blocks
        changed = blocks != self.net.active
        self.net.active = blocks
        return changed

    def settle(self) -> None:
        """Treat both pictures alike again after a step has moved the weights."""
        if self.config.symmetric:
            self.net.symmetrise()

    @torch.no_grad()
    def finish(self, average: dict[str, Tensor]) -> None:
        """Measure the normalisations' statistics anew, for the averaged weights.

        The average of statistics is not the statistics of averaged weights, least of all in
        blocks that joined late.
        """
        device = next(self.model.parameters()).device
        learner = Learner(self.config).to(device)
        learner.load_state_dict(average)
        learner.net.active = self.net.active
        for module in learner.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # the mean over all that comes now
        stage = self.config.stage(1.0)
        for step in range(CALIBRATION_STEPS):
            first, second, *_ = self._held_out.batch(step, range(stage.batch), stage.size)
            learner.net(torch.as_tensor(first).to(device), torch.as_tensor(second).to(device))
        if self.config.symmetric:
            learner.net.symmetrise()
        for name, value in learner.state_dict().items():
            average[name].copy_(value)

    def facts(self) -> dict[str, Any]:
        """Return the configuration, and who taught."""
        told = {"teacher": self._teacher.told} if self._teacher else {}
        return {"system": "drpl", "seed": self._seed, "config": self.config.to_dict(), **told}

    @torch.no_grad()
    def picture(self, model: nn.Module) -> NDArray[np.uint8]:
        """Show four held-out pairs: first, second, predicted weight, mask, fused, truth."""
        if self._shown is None:
            self._shown = self._held_out.batch(0, range(4), 96)
        first, second, truth, mask, *_ = (torch.as_tensor(a) for a in self._shown)
        model.eval()
        device = next(model.parameters()).device
        maps = self.net(first.to(device), second.to(device)).float().cpu()
        model.train()
        weight = loss.first_weight(maps)
        fused = loss.blend(maps, first, second)
        grey = (x[:, None].expand_as(first) for x in (weight, mask))
        columns = torch.cat((first, second, *grey, fused, truth), 3)
        sheet = torch.cat(list(columns), 1).permute(1, 2, 0)
        return (sheet.clamp(0, 1) * 255).round().byte().numpy()
