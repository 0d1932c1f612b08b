"""The image fuser: K unrolled steps with a mask at every step. It is what runs on a stack.

    (X^0, M^0) -> step 1 -> (X^1, M^1) -> ... -> step K -> (X^K, M^K)

FOUND: deep unrolling; the mask of each step is supervised. INFERRED: everything in `step`,
``M^0 = 1/N`` and ``X^0 = B(M^0)``.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from panfocus.train.dualpath.iterate import Frames, Iterate, beginning
from panfocus.train.dualpath.step import Step, Unrolled


class Fuser(nn.Module):
    """K unrolled steps, each with weights of its own."""

    def __init__(self, sizes: Sequence[Unrolled], kind: type[Step] = Step) -> None:
        """Set up; `sizes` of the steps in order, and what they are."""
        super().__init__()
        self.steps = nn.ModuleList(
            kind(size, before) for size, before in zip(sizes, [None, *sizes], strict=False)
        )
        #: How many steps run: all, or fewer in an export.
        self.depth = len(sizes)
        #: Whether the last picture is restored: not where the mask alone is wanted.
        self.restores = True

    def forward(self, frames: Tensor) -> list[Iterate]:
        """Unroll ``(B, N, 3, H, W)`` in [0, 1] to `depth` + 1 iterates, the start first."""
        seen = Frames.of(frames)
        now, passed = beginning(seen)
        out = [now]
        for k in range(self.depth):
            restores = self.restores or k + 1 < self.depth
            now, passed = self.steps[k](now, passed, seen, first=k == 0, restores=restores)
            out.append(now)
        return out
