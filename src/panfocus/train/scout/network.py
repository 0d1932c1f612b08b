"""The scout's network: the same few convolutions for every frame, and what all frames show beside.

Nothing in it depends on the order of frames or on their number.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.systems.scout.evidence import MEASURES

#: Energies of detail come first among the measures; they are told by their logarithms, and what is
#: less than a grey level of white is none.
ENERGIES = 3
FLOOR = 2e-5
SCALE = 0.2
#: Factor of the logits: shares of sure blocks lie far apart.
STEEPNESS = 4.0


class ScoutNet(nn.Module):
    """Measures ``(B, N, 5, a, b)`` of B stacks to logits of shares ``(B, N, a, b)``.

    Args:
        width: channels.
        dilations: of the convolutions after the first.
    """

    def __init__(self, width: int = 16, dilations: tuple[int, ...] = (1, 2, 2)) -> None:
        super().__init__()
        self.first = nn.Conv2d(2 * MEASURES, width, 3, padding=1)
        self.spatial = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in dilations
        )
        self.shared = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for _ in dilations)
        self.own = nn.ModuleList(nn.Conv2d(width, width, 1, bias=False) for _ in dilations)
        self.last = nn.Conv2d(width, 1, 1)

    def forward(self, measures: Tensor) -> Tensor:
        """See the class."""
        energy = torch.log(measures[:, :, :ENERGIES] + FLOOR) * SCALE
        seen = torch.cat([energy, measures[:, :, ENERGIES:]], 2)
        features: Tensor = F.relu(
            self.first(torch.cat([seen, beside_others(seen)], 2).flatten(0, 1))
        )
        sets = measures.shape[:2]
        for spatial, shared, own in zip(self.spatial, self.shared, self.own, strict=True):
            features = features + F.relu(spatial(with_others(features, sets, shared, own)))
        return self.last(features)[:, 0].unflatten(0, sets) * STEEPNESS


def with_others(features: Tensor, sets: torch.Size, shared: nn.Module, own: nn.Module) -> Tensor:
    """Return what each of the frames shows ``(B * N, c, a, b)``, with what all of its stack do."""
    grouped = features.reshape(*sets, *features.shape[1:])
    of_all: Tensor = shared(torch.cat([grouped.amax(1), grouped.mean(1)], 1))
    alone: Tensor = own(features)
    return F.relu(alone.reshape(grouped.shape) + of_all[:, None]).flatten(0, 1)


def beside_others(seen: Tensor) -> Tensor:
    """Return how each frame differs: detail and peaks from the most, luminance from the mean."""
    most, mean = seen.amax(1, keepdim=True), seen.mean(1, keepdim=True)
    middle = seen[:, :, ENERGIES : ENERGIES + 1] - mean[:, :, ENERGIES : ENERGIES + 1]
    behind = seen - most
    return torch.cat([behind[:, :, :ENERGIES], middle, behind[:, :, ENERGIES + 1 :]], 2)


class ExportedScout(nn.Module):
    """The scout behind the interface that the product runs."""

    def __init__(self, net: ScoutNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, measures: Tensor) -> Tensor:
        """``(N, 5, a, b)`` to shares ``(N, a, b)``, summing to 1 over N."""
        return torch.softmax(self.net(measures.unsqueeze(0))[0], 0)
