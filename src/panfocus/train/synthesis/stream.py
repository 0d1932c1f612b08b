"""Samples without end, each a function of seed, step and position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from panfocus.errors import UsageError
from panfocus.train.synthesis.ends import ended
from panfocus.train.synthesis.odds import Odds
from panfocus.train.synthesis.pairs import varied
from panfocus.train.synthesis.published import published
from panfocus.train.synthesis.samples import Sample
from panfocus.train.synthesis.sources import Sources


@dataclass(frozen=True)
class Stream:
    """Batches as a function of (seed, step, position).

    Attributes:
        name: "published" or "varied".
        sources: pictures and masks.
        seed: of the whole stream.
        odds: of the varied synthesis.
        ended: share of the pairs whose pictures end before the network's field does.
    """

    name: str
    sources: Sources
    seed: int
    odds: Odds = field(default_factory=Odds)
    ended: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a synthesis that does not exist."""
        if self.name not in {"published", "varied"}:
            raise UsageError("unknown synthesis", expected="published or varied", got=self.name)

    def sample(self, rng: np.random.Generator, size: int) -> Sample:
        """Make one sample."""
        if self.name == "published":
            return published(rng, self.sources, size)
        made = varied(rng, self.sources, size, self.odds)
        # a share of 0 draws nothing: samples of recipes without it stay as they were
        return ended(rng, made) if self.ended and rng.random() < self.ended else made

    def batch(self, step: int, positions: Sequence[int], size: int) -> Sample:
        """Make the samples at `positions` of the batch of `step`, stacked on a new first axis."""
        samples = [
            self.sample(np.random.default_rng((self.seed, step, position)), size)
            for position in positions
        ]
        return Sample(*(np.stack(arrays) for arrays in zip(*samples, strict=True)))
