"""One run of a training: where, how long and how, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from panfocus.train.options import TrainingOptions


@dataclass(frozen=True)
class Run:
    """Where, how long and how to train.

    Attributes:
        out: folder for checkpoint, log and pictures.
        steps: stop after so many; then a run is a function of its seed.
        minutes: or after so much time, resumed time included.
        seed: of weights and samples.
        resume: go on from the checkpoint in `out`.
        precision: "auto", "float32" or "bfloat16"; a resumed run keeps what it began with.
        device: "auto", "cpu" or "cuda".
        notes: what else ``run.json`` shall tell: data, splits.
        checkpoint_minutes: how often to save.
        picture_minutes: how often to draw.
        report_seconds: how often to log.
        judge_minutes: how often to judge on what was held out.
        loaders: processes that make batches; 0 for a thread.
    """

    out: Path
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0
    resume: bool = False
    precision: str = "auto"
    checkpoint_minutes: float = 10.0
    picture_minutes: float = 5.0
    report_seconds: float = 15.0
    judge_minutes: float = 2.0
    device: str = "auto"
    loaders: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, options: TrainingOptions) -> Run:
        """Return the run that somebody asked for."""
        return cls(
            options.out,
            options.steps,
            options.minutes,
            options.seed,
            options.resume,
            options.precision,
            device=options.device,
            loaders=options.loaders,
        )


@dataclass
class State:
    """How far a run is: steps done, seconds spent, and the averaged weights."""

    step: int
    seconds: float
    average: dict[str, Tensor]


def over(state: State, run: Run) -> bool:
    """Say whether the run has done its steps or its minutes."""
    return (run.steps is not None and state.step >= run.steps) or (
        run.minutes is not None and state.seconds >= 60 * run.minutes
    )


def progress(step: int, state: State, run: Run) -> float:
    """Return the share of the run that is done before `step`."""
    if run.steps is not None:
        return min(1.0, step / run.steps)
    if run.minutes is not None:
        return min(1.0, state.seconds / (60 * run.minutes))
    return 0.0
