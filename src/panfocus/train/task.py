"""What can be trained: a module with its loss, batches, a schedule (`panfocus.train.loop`)."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn


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
