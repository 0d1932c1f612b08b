"""What is done beside the steps of a run: logging, judging, drawing, saving."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from panfocus.errors import OutputError
from panfocus.train import checkpoint as checkpoints
from panfocus.train import record
from panfocus.train.log import Log
from panfocus.train.resume import best_so_far
from panfocus.train.run import Run, State
from panfocus.train.task import Judging, Task

#: What a run does in its own rhythm.
DUE = ("report", "judge", "picture", "save")


class Monitor:
    """Logs, draws and saves, each in its own rhythm."""

    def __init__(
        self,
        task: Task,
        run: Run,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        state: State,
        *,
        facts: Mapping[str, Any],
    ) -> None:
        self._task, self._run, self._model, self._facts = task, run, model, facts
        self._optimiser, self._state = optimiser, state
        self._log = Log(run.out, state.step)
        self._best = best_so_far(run)
        self._trying(lambda: record.write(run.out, facts, run.notes, seconds=state.seconds))
        self._last: dict[str, float] = {k: time.monotonic() for k in DUE}

    def after_step(self, terms: dict[str, Tensor], norm: Tensor) -> None:
        """Take in one step and do what is due."""
        self._log.add(terms, norm, self._optimiser.param_groups[0]["lr"])
        if self._due("report", self._run.report_seconds):
            self._report()
        if self._due("judge", 60 * self._run.judge_minutes):
            self._judge()
        if self._due("picture", 60 * self._run.picture_minutes):
            self._picture()
        if self._due("save", 60 * self._run.checkpoint_minutes):
            self._trying(self.save)

    def _trying(self, write: Callable[[], None]) -> None:
        """Write; a full disk in mid-run is told, not died of: space may be freed."""
        try:
            write()
        except OutputError as error:
            self._log.say(error.text())

    def _report(self) -> None:
        self._trying(lambda: self._log.report(self._state.step, self._state.seconds))

    def _picture(self) -> None:
        shown = self._task.picture(self._model)
        self._trying(lambda: self._log.picture(shown, self._state.step))

    def save(self) -> None:
        """Write all that a resumed run needs.

        Raises:
            OutputError: the disk is full; the previous checkpoint is kept.
        """
        tensors = {f"model.{k}": v for k, v in self._model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self._state.average.items()}
        tensors |= checkpoints.optimiser_tensors(self._optimiser)
        facts = {"step": self._state.step, "seconds": self._state.seconds, **self._facts}
        path = self._run.out / checkpoints.NAME
        checkpoints.write(path, checkpoints.Checkpoint(tensors, facts))

    def close(self) -> None:
        """Save, report and draw a last time."""
        self.save()
        self._report()
        self._judge()
        self._picture()

    def _judge(self) -> None:
        if not isinstance(self._task, Judging):
            return
        figures = self._task.judge(self._state.average)
        self._trying(lambda: self._log.judged(figures, self._state.step))
        figure = next(iter(figures.values()), None)  # the first is what is to rise
        if figure is not None and (self._best is None or figure > self._best):
            self._best = figure
            self._trying(lambda: self._save_best(figures))

    def _save_best(self, figures: Mapping[str, float]) -> None:
        """Keep the averaged weights that did best on what was held out."""
        tensors = {f"average.{k}": v for k, v in self._state.average.items()}
        facts = {"step": self._state.step, "seconds": self._state.seconds, **self._facts}
        held = checkpoints.Checkpoint(tensors, {**facts, "held_out": dict(figures)})
        checkpoints.write(self._run.out / checkpoints.BEST, held)

    def _due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now - self._last[what] < seconds:
            return False
        self._last[what] = now
        return True
