"""What small networks that help those which decide are built of: a few convolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class HelperNet(nn.Module):
    """Convolutions of which all but the first and the last add to what they see.

    Args:
        channels: of the evidence.
        answers: channels of the answer.
        beginning: factor of the last convolution's first weights.
        width: channels between.
        dilations: of the convolutions after the first.
    """

    def __init__(
        self,
        channels: int,
        answers: int,
        beginning: float,
        *,
        width: int = 16,
        dilations: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.mid = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=d, dilation=d) for d in dilations
        )
        self.last = nn.Conv2d(width, answers, 3, padding=1)
        with torch.no_grad():
            self.last.weight *= beginning

    def answer(self, evidence: Tensor) -> Tensor:
        """Return ``(B, answers, h, w)`` of evidence ``(B, channels, h, w)``."""
        features: Tensor = F.relu(self.first(evidence))
        for convolution in self.mid:
            features = features + F.relu(convolution(features))
        return self.last(features)
