"""The arbiter's network: a few convolutions at the reduced scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from panfocus.systems.arbiter.evidence import CHANNELS
from panfocus.train.helper_network import HelperNet

#: Factor of the answer's logit; by what the last convolution's first weights are smaller, and its
#: first answer: in the beginning the full scale is followed for the most part.
STEEPNESS = 2.0
_FIRST, _HARDLY = 0.1, -1.0


class ArbiterNet(HelperNet):
    """Evidence ``(B, 19, h, w)`` to the share of the reduced scale ``(B, 1, h, w)`` in [0, 1]."""

    def __init__(self) -> None:
        super().__init__(CHANNELS, 1, _FIRST, dilations=(1, 2, 4, 1))
        assert self.last.bias is not None
        nn.init.constant_(self.last.bias, _HARDLY)

    def forward(self, evidence: Tensor) -> Tensor:
        """See the class."""
        return torch.sigmoid(self.answer(evidence) * STEEPNESS)
