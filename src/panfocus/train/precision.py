"""Which number format and memory layout this machine trains fastest in: asked by the clock."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Precision:
    """A number format and a memory layout.

    Attributes:
        name: "float32" or "bfloat16" (autocast; weights stay float32).
        channels_last: keep the colours of a pixel together.
    """

    name: str
    channels_last: bool = True

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout as torch calls it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def place_model(self, model: nn.Module) -> None:
        """Bring a model's weights into the layout."""
        model.to(memory_format=self.memory_format)  # pyright: ignore[reportCallIssue, reportUnknownMemberType]

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """Return the context in which to run the network."""
        if self.name == "bfloat16":
            return torch.autocast(device.type, torch.bfloat16)
        return nullcontext()

    def placed(self, array: object, device: torch.device) -> Tensor:
        """Move one array of a batch to the device and layout."""
        tensor = torch.as_tensor(array)
        if device.type == "cuda":  # pinned memory travels while the card still computes
            tensor = tensor.pin_memory().to(device, non_blocking=True)
        else:
            tensor = tensor.to(device)
        return tensor.to(memory_format=self.memory_format) if tensor.ndim == 4 else tensor


def fastest(device: torch.device) -> Precision:
    """Time one small forward and backward pass each way and return the quickest.

    A processor without bfloat16 units runs it ten times slower than float32, and which layout
    wins differs between processors; no list of names would stay true.
    """
    ways = [Precision(n, c) for n in ("float32", "bfloat16") for c in (True, False)]
    if device.type == "cuda":
        return Precision("bfloat16") if torch.cuda.is_bf16_supported() else Precision("float32")
    best, record = ways[0], float("inf")
    for way in ways:
        seconds = _seconds(way, device, record)
        if seconds < record:
            best, record = way, seconds
    return best


def _seconds(way: Precision, device: torch.device, record: float) -> float:
    """Return the best of four tries, or of fewer when one is hopelessly behind `record`."""
    net = nn.Sequential(
        nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 64, 3)
    ).to(device)
    way.place_model(net)
    batch = way.placed(torch.rand(1, 64, 40, 40), device)
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        with way.autocast(device):
            loss = net(batch).float().square().mean()
        loss.backward()
        best = min(best, time.perf_counter() - began)
        if best > 4 * record:
            break
    return best
