r"""An unrolled step of your own: the mask is smoothed where the network finds that it helps.

    panfocus train dualpath --plugin examples/own_step.py --set step=smoothed \
        --data my_stacks/ --minutes 20 --out runs/smoothed

The exported system holds the step as ONNX and needs this file no more; exporting the run again does
(`panfocus export runs/smoothed --plugin examples/own_step.py -o SYSTEM`).
"""

import torch
import torch.nn.functional as F

from panfocus.train.dualpath.own import register_step
from panfocus.train.dualpath.step import Step

#: Side of the square over which masks are averaged.
WINDOW = 5


@register_step("smoothed")
class Smoothed(Step):
    """After the learned proximal step, one of a quadratic prior on neighbours.

    ``log M' = log M + s (mean_w log M - log M)`` but for a constant of each pixel, with a learned
    share s in (0, 1): a geometric mean of masks, normalised by the softmax that follows.
    """

    def __init__(self, size, before=None):
        """Set up; the share starts small, so that the first step is nearly the usual one."""
        super().__init__(size, before)
        self.share = torch.nn.Parameter(torch.tensor(-3.0))

    @classmethod
    def reach(cls, size):
        """Return how far an answer depends on its surroundings: tiles need so much context."""
        return super().reach(size) + WINDOW // 2

    def mask_step(self, now, passed, frames, *, first):
        """Take the usual steps on M, then smooth its logarithm ``(B, N, H, W)``."""
        logits, features = super().mask_step(now, passed, frames, first=first)
        mean = F.avg_pool2d(logits, WINDOW, 1, WINDOW // 2, count_include_pad=False)
        return logits + torch.sigmoid(self.share) * (mean - logits), features
