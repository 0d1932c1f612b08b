"""Averages of weights: runs that began from one another lie in one valley, and so does their mean.

average_n = sum_r share_r w_r,     sum_r share_r = 1
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from panfocus.errors import UsageError
from panfocus.resources.paths import is_there
from panfocus.train import checkpoint as checkpoints


@torch.no_grad()
def average(parts: Mapping[Path, float], out: Path) -> Path:
    """Write a run folder whose averaged weights are the weighted mean of those of other runs.

    Args:
        parts: folder of a run to its share; shares are normalised.
        out: folder, made if missing; the facts are those of the run with the largest share.

    Returns:
        The checkpoint.

    Raises:
        UsageError: fewer than two runs, shares that do not add up to more than 0, other networks,
            or a checkpoint that is there already.
        DataError: a run has no checkpoint, or a damaged one.
    """
    path = out / checkpoints.NAME
    if is_there(path):
        raise UsageError(
            "there is a checkpoint in the output folder already",
            where=str(path),
            remedy="name another --out",
        )
    total = sum(parts.values())
    if len(parts) < 2 or total <= 0 or min(parts.values()) < 0:
        raise UsageError(
            "there is nothing to average",
            where="--part",
            expected="two or more RUN=SHARE with shares above 0",
            got=", ".join(f"{run}={share:g}" for run, share in parts.items()),
        )
    held = {run: checkpoints.best(run) for run in parts}
    mean: dict[str, Tensor] = {}
    for run, share in parts.items():
        weights = held[run].group("average")
        _check(mean, weights, run)
        for name, value in weights.items():
            if value.is_floating_point():
                mean[name] = mean.get(name, torch.zeros_like(value)) + share / total * value
            else:
                mean[name] = value
    first = max(parts, key=lambda run: parts[run])
    facts = {k: v for k, v in held[first].facts.items() if k != "held_out"}
    facts["averaged"] = {run.name: round(share / total, 4) for run, share in parts.items()}
    tensors = {f"average.{name}": value for name, value in mean.items()}
    checkpoints.write(path, checkpoints.Checkpoint(tensors, facts))
    return path


def _check(mean: Mapping[str, Tensor], weights: Mapping[str, Tensor], run: Path) -> None:
    if not mean:
        return
    shapes = {k: tuple(v.shape) for k, v in mean.items()}
    odd = shapes.items() ^ {k: tuple(v.shape) for k, v in weights.items()}.items()
    if odd:
        name, shape = sorted(odd)[0]
        raise UsageError(
            "the runs are of different networks",
            where=str(run),
            got=f"{name} {list(shape)} in one of them alone",
            remedy="average runs of one recipe, best those that began from one another",
        )
