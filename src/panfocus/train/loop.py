"""One plain training loop for every network of panfocus.

What is trained is a `Task`: networks in one module, a batch as a function of the step, a loss as
a function of the batch. The loop adds what any training needs: seed, precision, averaged weights,
gradient clipping, a schedule, a log, sample pictures, checkpoints, resuming, many processes.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from panfocus.errors import Cancelled, OutputError
from panfocus.train import checkpoint as checkpoints
from panfocus.train.log import Log
from panfocus.train.precision import Precision, fastest

Batch = tuple[Tensor, ...]


class Task(Protocol):
    """What is to be trained.

    Attributes:
        model: all networks; its ``forward`` takes a batch and returns the loss terms, the sum
            to minimise under ``"loss"``, so that it can be wrapped for many processes.
        learning_rate: at the peak.
        weight_decay: on parameters of two axes and more.
        clip: largest gradient norm.
        ema: decay of the averaged weights.
    """

    model: nn.Module
    learning_rate: float
    weight_decay: float
    clip: float
    ema: float

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the batch of `step`: numpy arrays or tensors."""
        ...

    def rate(self, progress: float) -> float:
        """Return the learning rate's factor at `progress` in [0, 1]."""
        ...

    def prepare(self, progress: float) -> bool:
        """Change the model before a step (grow it, switch a phase); True if it changed."""
        ...

    def picture(self, model: nn.Module) -> NDArray[np.uint8]:
        """Show what `model` does: RGB ``(H, W, 3)``."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return plain values that a checkpoint needs to rebuild the model."""
        ...


@dataclass(frozen=True)
class Run:
    """Where, how long and how to train.

    Attributes:
        out: folder for checkpoint, log and pictures.
        steps: stop after so many; then a run is a function of its seed.
        minutes: or after so much time, resumed time included.
        seed: of weights and samples.
        resume: go on from the checkpoint in `out`.
        precision: "auto", "float32" or "bfloat16".
        checkpoint_minutes: how often to save.
        picture_minutes: how often to draw.
        report_seconds: how often to log.
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


@dataclass
class State:
    """How far a run is: steps done, seconds spent, and the averaged weights."""

    step: int
    seconds: float
    average: dict[str, Tensor]


def train(task: Task, run: Run) -> State:
    """Train `task` and leave ``checkpoint.safetensors``, ``log.csv`` and pictures in `run.out`.

    Under ``torchrun`` every process calls this; each takes its share of every batch.

    Raises:
        Cancelled: SIGTERM or SIGINT came; the checkpoint is written.
        DataError: no checkpoint to resume, or it is of another network.
        OutputError: the last checkpoint could not be written.
    """
    rank, world = join()
    device = torch.device("cuda", rank) if torch.cuda.is_available() else torch.device("cpu")
    model = task.model.to(device)
    precision = fastest(device) if run.precision == "auto" else Precision(run.precision)
    model.to(memory_format=precision.memory_format)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed}, {"params": others, "weight_decay": 0.0}],
        lr=task.learning_rate,
        weight_decay=task.weight_decay,
    )
    state = State(0, 0.0, {k: v.detach().clone() for k, v in model.state_dict().items()})
    path = run.out / checkpoints.NAME
    if run.resume:
        restore(checkpoints.read(path), model, optimiser, state)
    log = Log(run.out, state.step) if rank == 0 else None
    stop = Stop()
    before, began = state.seconds, time.monotonic()
    saved = drawn = reported = began
    wrapped = wrap(model, world)
    for progress, arrays in batches(task, run, state, rank, world):
        if task.prepare(progress):
            wrapped = wrap(model, world)
        torch.manual_seed(hash((run.seed, state.step, rank)))
        for group in optimiser.param_groups:
            group["lr"] = task.learning_rate * task.rate(progress)
        batch = tuple(precision.placed(a, device) for a in arrays)
        with precision.autocast(device):
            terms: dict[str, Tensor] = wrapped(*batch)
        optimiser.zero_grad(set_to_none=True)
        terms["loss"].backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), task.clip)
        optimiser.step()
        state.step += 1
        average(state.average, model, min(task.ema, (1 + state.step) / (10 + state.step)))
        now = time.monotonic()
        state.seconds = before + now - began
        if log:
            log.add(terms, norm, optimiser.param_groups[0]["lr"])
        if log and now - reported > run.report_seconds:
            log.report(state.step, state.seconds)
            reported = now
        if log and now - drawn > 60 * run.picture_minutes:
            log.picture(task.picture(model), state.step)
            drawn = now
        if log and now - saved > 60 * run.checkpoint_minutes:
            save_or_warn(path, task, model, optimiser, state, log)
            saved = now
        if agreed(stop.asked or over(state, run), world):
            break
    if log:
        log.report(state.step, state.seconds)
        log.picture(task.picture(model), state.step)
        checkpoints.write(path, snapshot(task, model, optimiser, state))
        log.close()
    stop.release()
    if stop.asked:
        raise Cancelled("training was interrupted", where=str(path), remedy="go on with --resume")
    return state


def over(state: State, run: Run) -> bool:
    """Say whether the run has done its steps or its minutes."""
    return (run.steps is not None and state.step >= run.steps) or (
        run.minutes is not None and state.seconds >= 60 * run.minutes
    )


def wrap(model: nn.Module, world: int) -> nn.Module:
    """Average gradients over processes, if there are several."""
    if world == 1:
        return model
    return DistributedDataParallel(model, find_unused_parameters=True)


def join() -> tuple[int, int]:
    """Join the other processes that ``torchrun`` started; return (rank, how many)."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return (dist.get_rank(), world) if world > 1 else (0, 1)


def agreed(flag: bool, world: int) -> bool:
    """Return True in every process when it is True in any."""
    if world == 1:
        return flag
    told = torch.tensor([float(flag)])
    dist.all_reduce(told, dist.ReduceOp.MAX)
    return bool(told.item())


@torch.no_grad()
def average(held: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the model's; counters are copied."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            held[name].lerp_(value, 1 - decay)
        else:
            held[name].copy_(value)


def cosine(progress: float, warmup: float, floor: float = 0.01) -> float:
    """Rise linearly from 0 to 1 during `warmup`, then fall as a cosine to `floor`."""
    if progress < warmup:
        return progress / warmup + 1e-3
    done = (min(progress, 1.0) - warmup) / (1 - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * done)) / 2


def snapshot(
    task: Task, model: nn.Module, optimiser: torch.optim.Optimizer, state: State
) -> checkpoints.Checkpoint:
    """Gather all that a resumed run needs."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in state.average.items()}
    tensors |= checkpoints.optimiser_tensors(optimiser)
    facts = {"step": state.step, "seconds": state.seconds, **task.facts()}
    return checkpoints.Checkpoint(tensors, facts)


def restore(
    held: checkpoints.Checkpoint, model: nn.Module, optimiser: torch.optim.Optimizer, state: State
) -> None:
    """Put a snapshot back."""
    model.load_state_dict(held.group("model"))
    state.average = {k: v.clone() for k, v in held.group("average").items()}
    checkpoints.restore_optimiser(optimiser, held.group("optimiser"))
    state.step, state.seconds = int(held.facts["step"]), float(held.facts["seconds"])


def save_or_warn(
    path: Path, task: Task, model: nn.Module, optimiser: torch.optim.Optimizer, state: State,
    log: Log,
) -> None:
    """Save in mid-run; a full disk is told, not died of, since space may be freed."""
    try:
        checkpoints.write(path, snapshot(task, model, optimiser, state))
    except OutputError as error:
        log.say(error.text())


class Stop:
    """Remember that SIGTERM or SIGINT came, instead of dying of it."""

    def __init__(self) -> None:
        self.asked = False
        self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGTERM, signal.SIGINT)}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def release(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def batches(
    task: Task, run: Run, state: State, rank: int, world: int
) -> Iterator[tuple[float, tuple[Any, ...]]]:
    """Yield (progress, batch) for ever, each batch made by a thread while the last one trains.

    A thread does: numpy, OpenCV and torch let go of the interpreter while they compute.
    """
    with ThreadPoolExecutor(1, "batches") as maker:

        def ask(step: int) -> tuple[float, Future[tuple[Any, ...]]]:
            done = progress(step, state, run)
            return done, maker.submit(task.batch, step, done, rank, world)

        step = state.step
        waiting = deque([ask(step)])
        while True:
            step += 1
            waiting.append(ask(step))
            done, batch = waiting.popleft()
            yield done, batch.result()


def progress(step: int, state: State, run: Run) -> float:
    """Return the share of the run that is done before `step`."""
    if run.steps is not None:
        return min(1.0, step / run.steps)
    if run.minutes is not None:
        return min(1.0, state.seconds / (60 * run.minutes))
    return 0.0
