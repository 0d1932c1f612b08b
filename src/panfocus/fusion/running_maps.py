"""Maps at full scale that grow with the running picture."""

from __future__ import annotations

import numpy as np

from panfocus.arrays.types import Float


class RunningMaps:
    """Which frame won and at which depth, full scale."""

    def __init__(self, height: int, width: int, first: int) -> None:
        """Set up.

        Args:
            height: pixels.
            width: pixels.
            first: number of the frame that the running picture begins with.
        """
        self.index = np.full((height, width), first, np.uint16)
        self.depth = np.full((height, width), first, np.float32)
        self.largest = np.ones((height, width), np.float32)

    def update(self, tile: tuple[slice, slice], alpha: Float, number: int) -> None:
        """Take the weights ``(h, w)`` of a frame in a tile, against all before it."""
        best = self.largest[tile] * (1 - alpha)
        won = alpha > best
        self.largest[tile] = np.where(won, alpha, best)
        self.index[tile][won] = number
        self.depth[tile] += (number - self.depth[tile]) * alpha
