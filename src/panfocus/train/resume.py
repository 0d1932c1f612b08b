"""Going on with a run: what its checkpoint holds, and whether it is the same run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from panfocus import schema
from panfocus.errors import DataError, UsageError
from panfocus.resources.paths import is_file
from panfocus.train import checkpoint as checkpoints
from panfocus.train import record
from panfocus.train.precision import Precision, fastest
from panfocus.train.run import Run, State
from panfocus.train.weights import check_sizes, sizes_of


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


def restore(
    held: checkpoints.Checkpoint, model: nn.Module, optimiser: torch.optim.Optimizer, state: State
) -> None:
    """Put back what `panfocus.train.monitor.Monitor.save` kept.

    Raises:
        DataError: the checkpoint is of another network.
    """
    try:
        for group in ("model", "average"):
            check_sizes(held.group(group), sizes_of(state.average), group)
        checkpoints.restore_optimiser(optimiser, held.group("optimiser"))
        step = schema.item(held.facts, "step", "facts")
        seconds = schema.item(held.facts, "seconds", "facts")
    except schema.SchemaError as error:
        raise DataError(
            "the checkpoint is of another network",
            where=error.where,
            expected=error.expected,
            got=error.got,
            remedy="resume with the options that the run was started with",
        ) from None
    model.load_state_dict(held.group("model"))
    for name, value in held.group("average").items():
        state.average[name].copy_(value)
    state.step, state.seconds = int(cast("int", step)), float(cast("float", seconds))


def best_so_far(run: Run) -> float | None:
    """Return what the best weights of a resumed run did on what was held out."""
    path = run.out / checkpoints.BEST
    if not run.resume or not is_file(path):
        return None
    return next(iter(checkpoints.read(path).facts.get("held_out", {}).values()), None)
