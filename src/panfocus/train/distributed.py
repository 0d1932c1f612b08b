"""Several processes that train one network, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from panfocus.errors import UsageError
from panfocus.train.run import State


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
