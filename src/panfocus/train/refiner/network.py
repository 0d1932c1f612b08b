"""The refiner's network: a few convolutions at half of full scale."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from panfocus.systems.refiner.evidence import CHANNELS
from panfocus.systems.refiner.network import UNSURE
from panfocus.train.helper_network import HelperNet

#: Factor of the change of a weight's logit.
STEEPNESS = 3.0
#: By what the last convolution's first weights are smaller: in the beginning little changes.
_FIRST = 0.05


class RefinerNet(HelperNet):
    """Evidence ``(B, 13, a, b)`` to changes of the weight's logit ``(B, 2 a, 2 b)``."""

    def __init__(self) -> None:
        super().__init__(CHANNELS, 4, _FIRST, dilations=(1, 2, 1))

    def forward(self, evidence: Tensor) -> Tensor:
        """See the class."""
        return F.pixel_shuffle(self.answer(evidence), 2)[:, 0] * STEEPNESS


def refined(weight: Tensor, change: Tensor) -> Tensor:
    """Return weights ``(B, h, w)`` after the change of their logits."""
    sure = weight.clamp(UNSURE, 1 - UNSURE)
    return torch.sigmoid(torch.logit(sure) + change)
