"""The refiner's network: a few convolutions at half of full scale."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.systems.refiner.evidence import CHANNELS
from panfocus.systems.refiner.network import UNSURE

#: Factor of the change of a weight's logit.
STEEPNESS = 3.0
#: By what the last convolution's first weights are smaller: in the beginning little changes.
_FIRST = 0.05


class RefinerNet(nn.Module):
    """Evidence ``(B, 13, a, b)`` to changes of the weight's logit ``(B, 2 a, 2 b)``.

    Args:
        width: channels.
        dilations: of the convolutions after the first.
    """

    def __init__(self, width: int = 16, dilations: tuple[int, ...] = (1, 2, 1)) -> None:
        super().__init__()
        self.first = nn.Conv2d(CHANNELS, width, 3, padding=1)
        self.mid = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in dilations
        )
        self.last = nn.Conv2d(width, 4, 3, padding=1)
        with torch.no_grad():
            self.last.weight *= _FIRST

    def forward(self, evidence: Tensor) -> Tensor:
        """See the class."""
        features: Tensor = F.relu(self.first(evidence))
        for convolution in self.mid:
            features = features + F.relu(convolution(features))
        return F.pixel_shuffle(self.last(features), 2)[:, 0] * STEEPNESS


def refined(weight: Tensor, change: Tensor) -> Tensor:
    """Return weights ``(B, h, w)`` after the change of their logits."""
    sure = weight.clamp(UNSURE, 1 - UNSURE)
    return torch.sigmoid(torch.logit(sure) + change)
