"""One plain training loop for every network of panfocus.

What is trained is a `Task`: networks in one module, a batch as a function of the step, a loss as
a function of the batch. The loop adds what any training needs: seed, precision, averaged weights,
gradient clipping, a schedule, a log, sample pictures, checkpoints, resuming, many processes.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from panfocus.errors import Cancelled, DataError, OutputError, UsageError
from panfocus.train import checkpoint as checkpoints
from panfocus.train import record
from panfocus.train.feed import feed
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

    def settle(self) -> None:
        """Restore what must hold of the weights after the optimiser moved them."""
        ...

    def picture(self, model: nn.Module) -> NDArray[np.uint8]:
        """Show what `model` does: RGB ``(H, W, 3)``."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return plain values that a checkpoint needs to rebuild the model."""
        ...


@runtime_checkable
class Finishing(Protocol):
    """A task that has something left to do when the run has had its time."""

    def finish(self, average: dict[str, Tensor]) -> None:
        """Change the averaged weights in place, as for normalisation statistics."""
        ...


@runtime_checkable
class Judging(Protocol):
    """A task that can judge itself on material that it does not train on."""

    def judge(self, average: dict[str, Tensor]) -> dict[str, float]:
        """Return figures of the averaged weights by name; none when nothing was held out.

        The first decides which weights of a run are the best: the higher, the better.
        """
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
    keeper = None
    if team.rank == 0:
        keeper = Keeper(task, run, model, optimiser, state, facts=facts)
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
            average(state.average, model, min(task.ema, (1 + state.step) / (10 + state.step)))
            state.seconds = spent + time.monotonic() - began
            if keeper:
                keeper.after_step(terms, norm)
            ended = team.agreed(state, stop.asked or over(state, run))
            if ended:
                break
    if isinstance(task, Finishing) and not stop.asked:
        task.finish(state.average)
    if keeper:
        keeper.close()
    if stop.asked:
        raise Cancelled("training was interrupted", where=str(path), remedy="go on with --resume")
    return state


@dataclass(frozen=True)
class Team:
    """The processes that train together, and this one's place among them."""

    rank: int
    world: int
    device: torch.device

    @classmethod
    def join(cls, device: str = "auto") -> Team:
        """Join the processes that ``torchrun`` started, or train alone.

        Args:
            device: "auto" for a graphics card where there is one, "cpu", or "cuda".

        Raises:
            UsageError: there is no such card.
        """
        cuda = torch.cuda.is_available() and device != "cpu"
        if device == "cuda" and not cuda:
            raise UsageError(
                "there is no graphics card that torch can use",
                where="--device",
                expected="cpu or auto",
                got="cuda",
                remedy="train on the processor, or install a torch for the card",
            )
        place = int(os.environ.get("LOCAL_RANK", "0"))
        if cuda and place >= torch.cuda.device_count():
            raise UsageError(
                "there are more processes on this machine than graphics cards",
                where="torchrun --nproc-per-node",
                expected=f"at most {torch.cuda.device_count()}",
                got=f"process {place + 1}",
            )
        found = torch.device("cuda", place) if cuda else torch.device("cpu")
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if world == 1:
            return cls(0, 1, found)
        if not dist.is_initialized():
            if cuda:
                torch.cuda.set_device(found)
            dist.init_process_group("nccl" if cuda else "gloo")
        return cls(dist.get_rank(), world, found)

    def wrap(self, model: nn.Module) -> nn.Module:
        """Average gradients over the processes, if there are several."""
        if self.world == 1:
            return model
        return DistributedDataParallel(model, find_unused_parameters=True)

    def agreed(self, state: State, ended: bool) -> bool:
        """Return True in every process when it is True in any; set the clocks alike.

        Processes that disagree about the time would deepen their networks at different steps.
        """
        if self.world == 1:
            return ended
        told = torch.tensor([float(ended), state.seconds], device=self.device)
        dist.all_reduce(told, dist.ReduceOp.MAX)  # pyright: ignore[reportUnknownMemberType]
        state.seconds = float(told[1])
        return bool(told[0])


def positions_of(batch: int, rank: int, world: int) -> range:
    """Return which samples of a batch a process makes; all of them together make the batch.

    Raises:
        UsageError: the batch cannot be shared evenly, and would change with the processes.
    """
    if batch % world:
        raise UsageError(
            "a batch cannot be shared evenly by so many processes",
            expected=f"a number of processes that divides {batch}",
            got=str(world),
            remedy="start fewer processes, or a recipe with larger batches (--set)",
        )
    share = batch // world
    return range(rank * share, (rank + 1) * share)


def chosen_precision(
    run: Run, held: checkpoints.Checkpoint | None, device: torch.device
) -> Precision:
    """Return the number format of a run: as told, as it began with, or the fastest here."""
    if run.precision != "auto":
        return Precision(run.precision)
    if held is not None and "precision" in held.facts:
        return Precision(**held.facts["precision"])
    return fastest(device)


def check_same(held: Mapping[str, Any], asked: Mapping[str, Any], path: Path) -> None:
    """Refuse to resume a run with another recipe or seed than it was begun with.

    Raises:
        UsageError: they differ; the message names the first entry that does.
    """
    for name, value in record.flat(asked).items():
        before = record.flat(held).get(name)
        if before != value:
            raise UsageError(
                "the run was begun otherwise",
                where=f"{path}: {name}",
                expected=str(before),
                got=str(value),
                remedy="resume with the options that it was begun with, or name another --out",
            )


def optimiser_of(task: Task, model: nn.Module) -> torch.optim.Optimizer:
    """AdamW; biases and normalisations do not decay."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": task.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=task.learning_rate,
    )


def seed_everything(seed: int, step: int, rank: int) -> None:
    """Make dropout and masking a function of the step, so that a resumed run repeats them."""
    number = int(np.random.SeedSequence((seed, step, rank)).generate_state(1)[0])
    torch.manual_seed(number)  # pyright: ignore[reportUnknownMemberType]


def over(state: State, run: Run) -> bool:
    """Say whether the run has done its steps or its minutes."""
    return (run.steps is not None and state.step >= run.steps) or (
        run.minutes is not None and state.seconds >= 60 * run.minutes
    )


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


def restore(
    held: checkpoints.Checkpoint, model: nn.Module, optimiser: torch.optim.Optimizer, state: State
) -> None:
    """Put back what `Keeper.save` kept.

    Raises:
        DataError: the checkpoint is of another network.
    """
    try:
        model.load_state_dict(held.group("model"))
    except RuntimeError as error:
        raise DataError(
            "the checkpoint is of another network",
            got=str(error).splitlines()[0],
            remedy="resume with the options that the run was started with",
        ) from error
    for name, value in held.group("average").items():
        state.average[name].copy_(value)
    checkpoints.restore_optimiser(optimiser, held.group("optimiser"))
    state.step, state.seconds = int(held.facts["step"]), float(held.facts["seconds"])


#: What a run does in its own rhythm.
DUE = ("report", "judge", "picture", "save")


class Keeper:
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
            self._log.report(self._state.step, self._state.seconds)
        if self._due("judge", 60 * self._run.judge_minutes):
            self._judge()
        if self._due("picture", 60 * self._run.picture_minutes):
            self._log.picture(self._task.picture(self._model), self._state.step)
        if self._due("save", 60 * self._run.checkpoint_minutes):
            self._trying(self.save)

    def _trying(self, write: Callable[[], None]) -> None:
        """Write; a full disk in mid-run is told, not died of: space may be freed."""
        try:
            write()
        except OutputError as error:
            self._log.say(error.text())

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
        self._log.report(self._state.step, self._state.seconds)
        self._judge()
        self._log.picture(self._task.picture(self._model), self._state.step)
        self._log.close()

    def _judge(self) -> None:
        if not isinstance(self._task, Judging):
            return
        figures = self._task.judge(self._state.average)
        self._log.judged(figures, self._state.step)
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


def best_so_far(run: Run) -> float | None:
    """Return what the best weights of a resumed run did on what was held out."""
    path = run.out / checkpoints.BEST
    if not run.resume or not path.is_file():
        return None
    return next(iter(checkpoints.read(path).facts["held_out"].values()), None)


class Stop:
    """While entered, remember that SIGTERM or SIGINT came instead of dying of it."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        """Take the signals; only the main thread may."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def batches(
    task: Task, run: Run, state: State, team: Team
) -> Iterator[tuple[float, tuple[Any, ...]]]:
    """Yield (progress, batch) for ever, batches to come being made meanwhile (`feed`)."""
    place = team.rank, team.world
    return feed(task, state.step, lambda step: progress(step, state, run), place, run.loaders)


def progress(step: int, state: State, run: Run) -> float:
    """Return the share of the run that is done before `step`."""
    if run.steps is not None:
        return min(1.0, step / run.steps)
    if run.minutes is not None:
        return min(1.0, state.seconds / (60 * run.minutes))
    return 0.0
