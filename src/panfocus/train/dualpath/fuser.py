"""The image fuser: the second path, K unrolled steps with a mask at every step.

    (X^0, M^0) -> step 1 -> (X^1, M^1) -> ... -> step K -> (X^K, M^K)

FOUND: deep unrolling; the mask of each step is supervised. INFERRED: everything in `step`,
``M^0 = 1/N`` and ``X^0 = mean_n Y_n``. OURS: starting from the predictor's mask instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from panfocus.train.dualpath.network import Shape
from panfocus.train.dualpath.step import Iterate, Step, blend


class Fuser(nn.Module):
    """K unrolled steps, each with weights of its own."""

    def __init__(
        self, shapes: Sequence[Shape], picture_width: int, *, sees_frames: bool = False
    ) -> None:
        """Set up.

        Args:
            shapes: of each step's prior on the mask.
            picture_width: channels of each step's prior on the picture.
            sees_frames: see `Step`.
        """
        super().__init__()
        self.steps = nn.ModuleList(
            Step(shape, picture_width, sees_frames=sees_frames) for shape in shapes
        )

    def forward(self, frames: Tensor, start: Tensor | None = None) -> list[Iterate]:
        """Unroll.

        Args:
            frames: ``(B, N, 3, H, W)`` in [0, 1].
            start: M^0, ``(B, N, H, W)``; None for ``1/N``.

        Returns:
            K + 1 iterates, the start first.
        """
        if start is None:
            start = torch.full_like(frames[:, :, 0], 1 / frames.shape[1])
        out = [Iterate(blend(start, frames), start)]
        for step in self.steps:
            out.append(step(out[-1], frames))
        return out
