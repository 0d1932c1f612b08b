"""The arbiter's network: a few convolutions at the reduced scale."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from panfocus.systems.arbiter.evidence import CHANNELS

#: Factor of the answer's logit; by what the last convolution's first weights are smaller, and its
#: first answer: in the beginning the full scale is followed for the most part.
STEEPNESS = 2.0
_FIRST, _HARDLY = 0.1, -1.0


class ArbiterNet(nn.Module):
    """Evidence ``(B, 19, h, w)`` to the share of the reduced scale ``(B, 1, h, w)`` in [0, 1].

    Args:
        width: channels.
        dilations: of the convolutions after the first.
    """

    def __init__(self, width: int = 16, dilations: tuple[int, ...] = (1, 2, 4, 1)) -> None:
        super().__init__()
        self.first = nn.Conv2d(CHANNELS, width, 3, padding=1)
        self.mid = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in dilations
        )
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        with torch.no_grad():
            self.last.weight *= _FIRST
            assert self.last.bias is not None
            self.last.bias.fill_(_HARDLY)

    def forward(self, evidence: Tensor) -> Tensor:
        """See the class."""
        features: Tensor = F.relu(self.first(evidence))
        for convolution in self.mid:
            features = features + F.relu(convolution(features))
        return torch.sigmoid(self.last(features) * STEEPNESS)
