"""Maps at full scale that grow with the running picture."""

from __future__ import annotations

import numpy as np

from panfocus.arrays.types import Float

#: Pixels that are looked at in one go: they stay in the processor's cache.
_BAND = 1 << 15


class Winners:
    """Which frame won at every place."""

    def __init__(self, height: int, width: int, first: int) -> None:
        """Set up.

        Args:
            height: places.
            width: places.
            first: number of the frame that wins until another does.
        """
        self.index = np.full((height, width), first, np.uint16)
        self.largest = np.ones((height, width), np.float32)

    def update(self, tile: tuple[slice, slice], alpha: Float, number: int) -> None:
        """Take the weights ``(h, w)`` of a frame in a tile, against all before it."""
        largest, index = self.largest[tile], self.index[tile]
        rows = max(_BAND // max(alpha.shape[1], 1), 1)
        for top in range(0, len(alpha), rows):
            band = slice(top, top + rows)
            # a part of every second pixel, say, is read once
            new, best = np.ascontiguousarray(alpha[band]), largest[band]
            best *= 1 - new
            np.copyto(index[band], number, where=new > best)
            np.maximum(best, new, out=best)


class RunningMaps(Winners):
    """Which frame won and at which depth, full scale."""

    def __init__(self, height: int, width: int, first: int) -> None:
        """Set up as `Winners`; the depth is that of the first frame."""
        super().__init__(height, width, first)
        self.depth = np.full((height, width), first, np.float32)

    def update(self, tile: tuple[slice, slice], alpha: Float, number: int) -> None:
        """Take the weights ``(h, w)`` of a frame in a tile, against all before it."""
        super().update(tile, alpha, number)
        self.depth[tile] += (number - self.depth[tile]) * alpha
