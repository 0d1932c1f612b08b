"""Dual-Path as the training loop sees it: batches, schedule, pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from panfocus.errors import DataError
from panfocus.train.distributed import positions_of
from panfocus.train.dualpath import adapt, observed, redefocus
from panfocus.train.dualpath.config import Config, Sets
from panfocus.train.dualpath.iterate import Iterate, blend
from panfocus.train.dualpath.model import DualPath, Learner, deployed
from panfocus.train.optimiser import cosine
from panfocus.train.pairs import Material
from panfocus.train.synthesis.sources import Sources

#: How often a fused set counts among the sources; a frame counts once.
FUSED_COUNT = 2
#: Batches that a judgement in mid-training measures on: a few seconds' worth.
JUDGED_ROUNDS = 4


@dataclass(frozen=True)
class Supply:
    """What batches are made from.

    Attributes:
        material: real sets and single frames.
        sources: all frames of it, and its sets fused, for blurring them again.
    """

    material: Material
    sources: Sources

    @classmethod
    def of(cls, material: Material, fused_by: str | None = None) -> Supply:
        """Wrap what was read from folders; `fused_by` names the system that fuses the sets."""
        pictures = material.pictures()
        if fused_by is not None:
            pictures += FUSED_COUNT * redefocus.fused(material, fused_by)
        return cls(material, redefocus.sources_of(pictures))


@dataclass(frozen=True)
class Draws:
    """Makes the batches of Dual-Path (`panfocus.train.feed.Maker`).

    Attributes:
        config: the recipe.
        supply: what they are made from.
        seed: of all of them.
    """

    config: Config
    supply: Supply
    seed: int

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the sets of `step`."""
        kind = self.kind(step)
        return self.draw(kind, (self.seed, step), positions_of(kind.batch, rank, world))

    def kind(self, step: int) -> Sets:
        """Return of which kind the batch of `step` is."""
        kinds = self.config.sets
        shares = np.array([kind.share for kind in kinds])
        rng = np.random.default_rng((self.seed, step, 10**6))
        return kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]

    def draw(self, kind: Sets, key: tuple[int, int], positions: range) -> tuple[Any, ...]:
        """Make the sets at `positions` of a batch."""
        masking, size = self.config.masking, self.config.size
        if not kind.made:
            sets = self.supply.material.sets
            return observed.batch(sets, size, kind.frames, key, positions, masking=masking)
        sources, odds = self.supply.sources, self.config.odds
        made = redefocus.batch(sources, size, kind.frames, key, positions, odds=odds)
        known = observed.with_masks(made, masking)
        return known if kind.told else known.untold()


class DualPathTask:
    """Every recipe (`panfocus.train.task.Task`)."""

    def __init__(
        self, config: Config, supply: Supply, seed: int = 0, held_out: Material | None = None
    ) -> None:
        """Set up.

        Args:
            config: the recipe.
            supply: what batches are made from.
            seed: of weights and samples.
            held_out: what to judge on, now and then; not part of `supply`.

        Raises:
            DataError: the recipe needs real sets, and there is none.
        """
        self.config = with_what_there_is(config, supply.material)
        torch.manual_seed(seed)
        self.learner = Learner(self.config)
        self.model: nn.Module = self.learner
        self.learning_rate = config.learning_rate
        self.weight_decay = config.weight_decay
        self.clip = config.clip
        self.ema = config.ema
        self._draws = Draws(self.config, supply, seed)
        self._seed = seed
        self._held_out = held_out

    @property
    def net(self) -> DualPath:
        """What runs after training."""
        return self.learner.net

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the sets of `step`."""
        return self._draws.batch(step, progress, rank, world)

    def maker(self) -> Draws:
        """Return what makes the batches."""
        return self._draws

    def rate(self, progress: float) -> float:
        """Return the learning rate's factor: a rise and a fall; one each where nothing was known.

        A recipe that has real sets alone trains the predictor first: each part has its own.
        """
        alone, warmup = self.config.alone, self.config.warmup
        if any(kind.exact for kind in self.config.sets) or alone <= 0:
            return cosine(progress, warmup)
        if progress < alone:
            return cosine(progress / alone, warmup)
        return cosine((progress - alone) / (1 - alone), warmup)

    def prepare(self, progress: float) -> bool:
        """Let the predictor teach once it knows something."""
        return self.learner.teach(teaching=progress >= self.config.alone)

    def settle(self) -> None:
        """Nothing: equal treatment of frames is built in."""

    def judge(self, average: dict[str, Tensor]) -> dict[str, float]:
        """Measure the averaged weights on what was held out (`adapt.measure`)."""
        if self._held_out is None:
            return {}
        net = deployed(self.config, average)
        measured = adapt.measure(net, self.config, self._held_out, JUDGED_ROUNDS)
        told = {"redefocus_psnr": measured.redefocus_psnr}
        if measured.disagreement is not None:
            told["disagreement"] = measured.disagreement
        return told

    def facts(self) -> dict[str, Any]:
        """Return the configuration."""
        return {"system": "dualpath", "seed": self._seed, "config": self.config.to_dict()}

    @torch.no_grad()
    def picture(self, model: nn.Module) -> NDArray[np.uint8]:
        """Show sets never drawn in training: two frames, the mask of every step, its target, fused.

        With exact masks the picture before blurring stands beside the fused one.
        """
        made = any(kind.exact for kind in self.config.sets)
        kind = Sets(1, 2, 4, made=made)
        arrays = [torch.as_tensor(a) for a in self._draws.draw(kind, (self._seed + 1, 0), range(4))]
        frames = arrays[0]
        device = next(model.parameters()).device
        model.eval()
        iterates = [Iterate(*(t.cpu() for t in i)) for i in self.net(frames.to(device))]
        model.train()
        target = arrays[4][:, 0] if made else arrays[1][:, 0, 0]
        masks = [i.mask[:, 0] for i in iterates] + [target]
        grey = [m[:, None].expand_as(frames[:, 0]) for m in masks]
        shown: list[Tensor] = [frames[:, 0], frames[:, 1], *grey, blend(iterates[-1].mask, frames)]
        shown += [arrays[3]] if made else []
        sheet = torch.cat(list(torch.cat(shown, 3)), 1).permute(1, 2, 0)
        return (sheet.clamp(0, 1) * 255).round().byte().numpy()


def with_what_there_is(config: Config, material: Material) -> Config:
    """Return the recipe without kinds of batches for which there is no material.

    Raises:
        DataError: nothing is left: the recipe lives of real sets, and no two frames fit.
    """
    if material.sets or not config.needs_sets:
        return config
    left = tuple(kind for kind in config.sets if kind.made)
    if not any(kind.told for kind in left):
        raise DataError(
            "no two frames lie on each other",
            expected="aligned pairs or stacks, for the recipe of the paper",
            got=material.summary(),
            remedy="align them first, or use --recipe dualpath: it can do without pairs",
        )
    return replace(config, sets=left)
