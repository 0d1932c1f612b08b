"""One plain training loop for every network of panfocus.

What is trained is a `Task`: networks in one module, a batch as a function of the step, a loss as
a function of the batch. The loop adds what any training needs: seed, precision, averaged weights,
gradient clipping, a schedule, a log, sample pictures, checkpoints, resuming, many processes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from panfocus.errors import Cancelled
from panfocus.train import checkpoint as checkpoints
from panfocus.train.distributed import Team
from panfocus.train.feed import feed
from panfocus.train.interrupt import Stop
from panfocus.train.monitor import Monitor
from panfocus.train.optimiser import optimiser_of, update_average
from panfocus.train.resume import check_same, chosen_precision, restore
from panfocus.train.run import Run, State, over, progress
from panfocus.train.task import Finishing, Task


def train(task: Task, run: Run) -> State:
    """Train `task` and leave ``checkpoint.safetensors``, ``log.csv`` and pictures in `run.out`.

    Under ``torchrun`` every process calls this; each takes its share of every batch.

    Raises:
        Cancelled: SIGTERM or SIGINT came; the checkpoint is written.
        DataError: no checkpoint to resume, or it is of another network.
        OutputError: the last checkpoint could not be written.
    """
    team = Team.join(run.device)
    path = run.out / checkpoints.NAME
    held = checkpoints.read(path) if run.resume else None
    model = task.model.to(team.device)
    precision = chosen_precision(run, held, team.device)
    precision.place_model(model)
    if team.world > 1 and team.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # pyright: ignore[reportUnknownMemberType]
    optimiser = optimiser_of(task, model)
    state = State(0, 0.0, {k: v.detach().clone() for k, v in model.state_dict().items()})
    if held is not None:
        restore(held, model, optimiser, state)
        check_same(held.facts, task.facts(), path)
    facts = {**task.facts(), "precision": asdict(precision), "world": team.world}
    monitor = None
    if team.rank == 0:
        monitor = Monitor(task, run, model, optimiser, state, facts=facts)
    wrapped = team.wrap(model)
    spent, began = state.seconds, time.monotonic()
    with Stop() as stop:
        for done, arrays in batches(task, run, state, team):
            if task.prepare(done):
                wrapped = team.wrap(model)
            for group in optimiser.param_groups:
                group["lr"] = task.learning_rate * task.rate(done)
            seed_everything(run.seed, state.step, team.rank)
            batch = tuple(precision.placed(a, team.device) for a in arrays)
            with precision.autocast(team.device):
                terms: dict[str, Tensor] = wrapped(*batch)
            optimiser.zero_grad(set_to_none=True)
            terms["loss"].backward()  # pyright: ignore[reportUnknownMemberType]
            norm = nn.utils.clip_grad_norm_(model.parameters(), task.clip)
            optimiser.step()  # pyright: ignore[reportUnknownMemberType]
            task.settle()
            state.step += 1
            decay = min(task.ema, (1 + state.step) / (10 + state.step))  # sooner at first
            update_average(state.average, model, decay)
            state.seconds = spent + time.monotonic() - began
            if monitor:
                monitor.after_step(terms, norm)
            ended = team.agreed(state, stop.asked or over(state, run))
            if ended:
                break
    if isinstance(task, Finishing) and not stop.asked:
        task.finish(state.average)
    if monitor:
        monitor.close()
    if stop.asked:
        raise Cancelled("training was interrupted", where=str(path), remedy="go on with --resume")
    return state


def seed_everything(seed: int, step: int, rank: int) -> None:
    """Make dropout and masking a function of the step, so that a resumed run repeats them."""
    number = int(np.random.SeedSequence((seed, step, rank)).generate_state(1)[0])
    torch.manual_seed(number)  # pyright: ignore[reportUnknownMemberType]


def batches(
    task: Task, run: Run, state: State, team: Team
) -> Iterator[tuple[float, tuple[Any, ...]]]:
    """Yield (progress, batch) for ever, batches to come being made meanwhile (`feed`)."""
    place = team.rank, team.world
    return feed(task, state.step, lambda step: progress(step, state, run), place, run.loaders)
