"""What is written down while a fusion runs: time per stage, and each frame's share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.fusion.decision import Decision


class Clock:
    """Seconds per stage, main thread only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = perf_counter()

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Add the time spent inside to a stage."""
        start = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start

    def total(self) -> float:
        """Return the seconds since the clock was made."""
        return perf_counter() - self._started


class Shares:
    """Which part of the picture each frame won, on every fourth pixel of the working scale."""

    def __init__(self) -> None:
        self._index: NDArray[np.uint16] | None = None
        self._best: Float | None = None

    def add(self, decision: Decision) -> None:
        """Take a decision of the fold."""
        alpha = decision.chosen[::4, ::4]
        if self._index is None or self._best is None:
            self._index = np.full(alpha.shape, decision.frame.number, np.uint16)
            self._best = np.ones(alpha.shape, np.float32)
            return
        self._best = self._best * (1 - alpha)
        won = alpha > self._best
        self._index[won] = decision.frame.number
        np.maximum(self._best, alpha, out=self._best)

    def write(self, frames: list[dict[str, Any]]) -> None:
        """Put each frame's share in [0, 1] into its facts."""
        if self._index is None:
            return
        counts = np.bincount(self._index.ravel(), minlength=len(frames))
        for facts in frames:
            facts["share"] = float(counts[facts["number"]] / self._index.size)
