"""How weights move: AdamW, its schedule, and the running average that is exported."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from panfocus.train.task import Task

#: Moves every tensor of a list towards another's; torch's own optimisers are made of its kind.
_lerp_all: Any = getattr(torch, "_foreach_lerp_")  # noqa: B009  without types


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


def cosine(progress: float, warmup: float, floor: float = 0.01) -> float:
    """Rise linearly from 0 to 1 during `warmup`, then fall as a cosine to `floor`."""
    if progress < warmup:
        return progress / warmup + 1e-3
    done = (min(progress, 1.0) - warmup) / (1 - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * done)) / 2


@torch.no_grad()
def update_average(held: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the model's; counters are copied."""
    now = model.state_dict()
    moving = [name for name, value in now.items() if value.is_floating_point()]
    # all at once: on a graphics card each call by itself costs more than what it does
    averages = [held[n] for n in moving]
    _lerp_all(averages, [now[n] for n in moving], 1 - decay)
    for name in now.keys() - set(moving):
        held[name].copy_(now[name])
