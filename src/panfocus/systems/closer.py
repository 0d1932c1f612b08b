"""A closer look at rectangles of a picture, which give way to each other.

What a network says of a place depends a little on what it sees beside it, and more on which frames
it may choose from. So neighbouring rectangles say different things where nothing is sharp above
all, and would meet in a straight step. Over some pixels of what is read anyway each gives way to
what lies beside it: to another rectangle, or to what was decided before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.regions import CandidateTile, Context
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Tile
from panfocus.frozen import frozen


@frozen
class Change:
    """What a closer look changes.

    Attributes:
        frames: numbers of those that were looked at.
        tile: rows and columns.
        weights: what is added to those of these frames, ``(n, h, w)``; all looks at a place add up.
    """

    frames: list[int]
    tile: Tile
    weights: Float


@frozen
class Look:
    """How rectangles are looked at; may be used by several threads.

    Attributes:
        frames: each ``(H, W, C)``.
        decide: parts of some of them, each ``(h, w, C)``, to weights ``(n, h, w)``, which are
            written to.
        before: number of a frame and a tile to what was decided before, ``(h, w)``.
        context: what is read around a rectangle, and kept.
    """

    frames: Sequence[Pixels] | Pixels
    decide: Callable[[Sequence[Pixels]], Float]
    before: Callable[[int, Tile], Float | NDArray[np.uint8]]
    context: Context

    def at(self, region: CandidateTile) -> Change:
        """Return what a look at a rectangle changes.

        Its frames share anew what they had of all weight, and nobody else's changes.
        """
        height, width = self.frames[0].shape[:2]
        window, share = region.window(height, width, self.context)
        chosen = sorted(region.frames)
        fine = self.decide([self.frames[n][window.read] for n in chosen])
        before = [self.before(n, window.core) for n in chosen]
        total = np.sum(before, axis=0, dtype=np.float32)
        change = fine[(slice(None), *window.inner)]
        for n, old in enumerate(before):  # in place: what is large is made once
            change[n] *= total
            change[n] -= old
            change[n] *= share
        return Change(chosen, window.core, change)
