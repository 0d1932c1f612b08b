"""Rectangles of a picture, each with the frames that are looked at there, joined where that pays.

A tile of a decision is read with a halo. Neighbours that are read together share theirs, so two
rectangles become one where that reads fewer samples, even if each then sees frames of the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from numpy import bool_
from numpy.typing import NDArray

from panfocus.arrays.tiles import Window, faded
from panfocus.arrays.types import Float


class Context(NamedTuple):
    """What is read around a rectangle.

    Attributes:
        halo: pixels on each side, at least, where the picture has them.
        multiple: of which the sides that are read are multiples, where the picture is large enough:
            pixels of it serve better than what would fill them up.
        fade: pixels of the halo, at most all, over which a rectangle gives way to its neighbours.
    """

    halo: int
    multiple: int = 1
    fade: int = 0

    def span(self, start: int, stop: int, length: int) -> slice:
        """Return what is read of `length` pixels for those from `start` to `stop`."""
        return slice(*self.reach(start, stop, length))

    def reach(self, start: int, stop: int, length: int) -> tuple[int, int]:
        """Return its first pixel, and the one after its last."""
        first, last = max(start - self.halo, 0), min(stop + self.halo, length)
        lacking = -(last - first) % self.multiple
        if lacking == 0:
            return first, last
        after = min(lacking, length - last)
        return max(first - (lacking - after), 0), last + after


@dataclass(frozen=True)
class CandidateTile:
    """A rectangle and the frames that are looked at in it.

    Attributes:
        top, left, bottom, right: its borders, pixels.
        frames: numbers of frames.
    """

    top: int
    left: int
    bottom: int
    right: int
    frames: frozenset[int]

    def window(self, height: int, width: int, context: Context) -> tuple[Window, Float]:
        """Return it with its context, cut off at the borders of a ``(height, width)`` picture.

        Its core is all that it has a share in; these are ``(h, w)`` in [0, 1].
        """
        core = slice(self.top, self.bottom), slice(self.left, self.right)
        rows = context.span(self.top, self.bottom, height)
        columns = context.span(self.left, self.right, width)
        return faded(Window(core, (rows, columns), core), height, width, context.fade)

    def samples(self, height: int, width: int, context: Context) -> int:
        """Return pixels times frames that are read for it."""
        rows = context.reach(self.top, self.bottom, height)
        columns = context.reach(self.left, self.right, width)
        return (rows[1] - rows[0]) * (columns[1] - columns[0]) * len(self.frames)

    def joined(self, other: CandidateTile) -> CandidateTile:
        """Return the rectangle of this one and one that goes on below or right of it."""
        frames = self.frames | other.frames
        return CandidateTile(self.top, self.left, other.bottom, other.right, frames)


def regions(
    named: NDArray[bool_], side: int, shape: tuple[int, int], context: Context, most: int
) -> list[CandidateTile]:
    """Return regions that cover all tiles with more than one frame, the largest first.

    So no thread begins with a large one when others have nothing left to do.

    Args:
        named: which frames are looked at in which tile, ``(N, rows, columns)``.
        side: of a tile, pixels.
        shape: of the picture, height and width.
        context: what is read around each.
        most: samples (pixels times frames) that a region of several tiles may read.
    """
    height, width = shape
    live: list[CandidateTile] = []
    for row, column in zip(*(named.sum(axis=0) > 1).nonzero(), strict=True):
        frames = frozenset(named[:, row, column].nonzero()[0].tolist())
        top, left = int(row) * side, int(column) * side
        bottom, right = min(top + side, height), min(left + side, width)
        live.append(CandidateTile(top, left, bottom, right, frames))
    before = len(live) + 1
    while len(live) < before:
        before = len(live)
        for across in (True, False):
            live = _swept(live, across=across, shape=shape, context=context, most=most)
    return sorted(live, key=lambda one: (-one.samples(*shape, context), one.top, one.left))


def _swept(
    live: Iterable[CandidateTile],
    *,
    across: bool,
    shape: tuple[int, int],
    context: Context,
    most: int,
) -> list[CandidateTile]:
    """Join neighbours in one direction, each with the one that goes on where it ends."""

    def place(region: CandidateTile) -> tuple[int, int, int, int]:
        if across:
            return region.top, region.bottom, region.left, region.right
        return region.left, region.right, region.top, region.bottom

    def lie_beside(one: CandidateTile, other: CandidateTile) -> bool:
        (*side, _, stop), (*beside, start, _) = place(one), place(other)
        return side == beside and stop == start

    out: list[CandidateTile] = []
    cost = 0  # of the last of them
    for region in sorted(live, key=place):
        own = region.samples(*shape, context)
        if out and lie_beside(out[-1], region):
            joined = out[-1].joined(region)
            together = joined.samples(*shape, context)
            if together <= most and together <= cost + own:
                out[-1], cost = joined, together
                continue
        out.append(region)
        cost = own
    return out
