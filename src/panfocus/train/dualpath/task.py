"""Dual-Path as the training loop sees it: batches, schedule, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from panfocus.errors import DataError
from panfocus.train.dualpath import adapt, observed, redefocus
from panfocus.train.dualpath.config import Config, Sets
from panfocus.train.dualpath.model import DualPath, Learner, deployed, learner
from panfocus.train.dualpath.step import Iterate, blend
from panfocus.train.loop import cosine
from panfocus.train.pairs import Material
from panfocus.train.synthesis import Sources

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


class DualPathTask:
    """Both recipes (`panfocus.train.loop.Task`)."""

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
        if config.masking is not None and not supply.material.sets:
            raise DataError(
                "no two frames lie on each other",
                expected="aligned pairs or stacks, for the recipe of the paper",
                got=supply.material.summary(),
                remedy="align them first, or use --recipe redefocus: it needs no pairs",
            )
        torch.manual_seed(seed)
        self.config = config
        self.learner: Learner = learner(config)
        self.model: nn.Module = self.learner
        self.learning_rate = config.learning_rate
        self.weight_decay = config.weight_decay
        self.clip = config.clip
        self.ema = config.ema
        self._supply = supply
        self._seed = seed
        self._held_out = held_out

    @property
    def net(self) -> DualPath:
        """What runs after training."""
        return self.learner.net

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the sets of `step`."""
        kind = self._kind(step)
        share = max(1, kind.batch // world)
        return self._draw(kind.frames, (self._seed, step), range(rank * share, (rank + 1) * share))

    def _draw(self, count: int, key: tuple[int, int], positions: range) -> tuple[Any, ...]:
        masking, size = self.config.masking, self.config.size
        if masking is not None:
            sets = self._supply.material.sets
            return observed.batch(sets, size, count, key, positions, cross=masking.cross)
        sources, odds = self._supply.sources, self.config.odds
        return redefocus.batch(sources, size, count, key, positions, odds=odds)

    def _kind(self, step: int) -> Sets:
        kinds = self.config.sets
        shares = np.array([kind.share for kind in kinds])
        rng = np.random.default_rng((self._seed, step, 10**6))
        return kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]

    def rate(self, progress: float) -> float:
        """Return the learning rate's factor: one rise and fall for each part of the run."""
        alone, warmup = self.config.alone, self.config.warmup
        if progress < alone or alone >= 1:
            return cosine(progress / alone, warmup)
        return cosine((progress - alone) / (1 - alone), warmup)

    def prepare(self, progress: float) -> bool:
        """Let the fuser join once the predictor knows something."""
        joined = self.config.alone < 1 and progress >= self.config.alone
        self.ema = self.config.fuser_ema if joined else self.config.ema
        return self.learner.unroll(unrolled=joined)

    def settle(self) -> None:
        """Let the teacher follow; equal treatment of frames is built in."""
        self.learner.settle()

    def judge(self, average: dict[str, Tensor]) -> dict[str, float]:
        """Measure the averaged weights on what was held out (`adapt.measure`)."""
        if self._held_out is None:
            return {}
        net = deployed(self.config, average, unrolled=self.net.unrolled)
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
        key = (self._seed + 1, 0)
        arrays = [torch.as_tensor(a) for a in self._draw(2, key, range(4))]
        frames = arrays[0]
        exact = self.config.masking is None
        device = next(model.parameters()).device
        model.eval()
        iterates = [Iterate(*(t.cpu() for t in i)) for i in self.net(frames.to(device))]
        model.train()
        masks = [i.mask[:, 0] for i in iterates] + [arrays[2][:, 0]]
        grey = [m[:, None].expand_as(frames[:, 0]) for m in masks]
        shown: list[Tensor] = [frames[:, 0], frames[:, 1], *grey, blend(iterates[-1].mask, frames)]
        shown += [arrays[1]] if exact else []
        sheet = torch.cat(list(torch.cat(shown, 3)), 1).permute(1, 2, 0)
        return (sheet.clamp(0, 1) * 255).round().byte().numpy()
