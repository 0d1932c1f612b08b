"""Where two depths of a stack meet, and whether blurs explain what differs between their frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.distinct import distinct
from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.fusion.spread.evidence import UNEXPLAINED
from panfocus.fusion.spread.radius import clipped, radii_of

#: Frames that two depths are apart at least; pixels along an edge that are worth it.
APART = 2
_LEAST = 60
#: Pixels that a place is across at least: less is noise of the decision.
_SOLID = 11
#: Stands for no frame.
NONE = 2**16 - 1
#: Pixels across which two depths are said to meet, and around edges that may change.
_ACROSS = 3
_RING = 13
#: Pixels around what may change that tell of blurs.
_CONTEXT = 48
#: Share of what differs that blurs may leave unexplained: frames of a stack are focused near to
#: both depths, and seldom on them.
ALLOWED = 0.02

#: Places of frames in a stack, ``(h, w)``.
Numbers: TypeAlias = "NDArray[np.uint16]"


@frozen
class Meeting:
    """Two depths that meet.

    Attributes:
        frames: places of those that are focused on them, see `StackSpread`.
        first: 1 where the first of them is nearer in focus, else 0, ``(h, w)``.
        near: where the picture may change, 0 or 1, ``(h, w)``.
        smaller: pixels of the scale that is looked at first for one of this.
    """

    frames: tuple[int, int]
    first: Float
    near: Float
    smaller: int

    @classmethod
    def of(
        cls, index: Numbers, solid: Numbers, frames: tuple[int, int], smaller: int = 1
    ) -> Meeting | None:
        """Find where they meet; None if nowhere.

        Args:
            index: place of the frame that was taken, ``(h, w)``.
            solid: the same where it is beyond doubt, see `solid_places`.
            frames: places of two.
            smaller: pixels of the scale that is looked at first for one of these.
        """
        one, other = ((solid == number).astype(np.uint8) for number in frames)
        across = np.ones((2 * _ACROSS + 1,) * 2, np.uint8)
        seam = np.minimum(cv2.dilate(one, across), cv2.dilate(other, across))
        if not seam.any():
            return None
        near = cv2.dilate(seam, np.ones((2 * _RING + 1,) * 2, np.uint8))
        away = [np.abs(index.astype(np.int32) - number) for number in frames]
        first = np.asarray(away[0] < away[1], np.float32)
        return cls(frames, first, np.asarray(near, np.float32), smaller)

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns around what may change."""
        rows, columns = (np.flatnonzero(self.near.any(axis=axis)) for axis in (1, 0))
        down, across = (
            slice(max(int(each[0]) - _CONTEXT, 0), int(each[-1]) + _CONTEXT + 1)
            for each in (rows, columns)
        )
        return down, across

    def tells(self, greys: Sequence[Float], coarser: int) -> tuple[bool, bool]:
        """Whether a blur of both tells of spread light, and whether blurs are too wide for this.

        Args:
            greys: linear light of both frames, ``(h // coarser, w // coarser, 1)``.
            coarser: pixels of the decision for one of theirs.
        """
        whole = self.area
        area = tuple(slice(span.start // coarser, span.stop // coarser) for span in whole)
        one, other = (np.ascontiguousarray(grey[area]) for grey in greys)
        coarse = one.shape[1::-1]
        first, near = (
            np.asarray(cv2.resize(each[whole], coarse, interpolation=cv2.INTER_NEAREST), np.float32)
            for each in (self.first, self.near)
        )
        glare = clipped(one, other)
        radii = radii_of(one, other, first, glare, at=near, enough=lambda left: _enough(left, near))
        if radii.both is None:
            return False, radii.is_wide
        left = np.maximum(*(each.unexplained for each in radii.both))
        return _enough(left, near), radii.is_wide


def _enough(unexplained: Float, near: Float) -> bool:
    """Whether blurs explain enough of what differs in enough places to be looked at closely."""
    return bool(np.count_nonzero((unexplained < ALLOWED + UNEXPLAINED) * near) > _LEAST)


def halved(index: Numbers) -> Numbers:
    """Return every second number of whole squares of four."""
    height, width = (side // 2 * 2 for side in index.shape)
    return np.ascontiguousarray(index[:height:2, :width:2])


def solid_places(index: Numbers) -> Numbers:
    """Return which frame was taken where that is no speckle and no fringe, else `NONE`."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SOLID, _SOLID))
    out = np.full_like(index, NONE)
    for number in distinct(index):
        where = (index == number).astype(np.uint8)
        out[cv2.morphologyEx(where, cv2.MORPH_OPEN, disc) > 0] = number
    return out


def pairs_that_meet(index: Numbers) -> list[tuple[int, int]]:
    """Return pairs of frames whose depths meet, those with the longest edges first."""
    sides = (
        (index[:, :-_ACROSS], index[:, _ACROSS:]),
        (index[:-_ACROSS], index[_ACROSS:]),
    )
    found: dict[tuple[int, int], int] = {}
    for one, other in sides:
        low, high = np.minimum(one, other), np.maximum(one, other)
        jumps = (high - low >= APART) & (high != NONE)
        both = low[jumps].astype(np.int64) << 16 | high[jumps]
        ordered = np.sort(both)
        values = distinct(ordered)
        counts = np.diff(np.searchsorted(ordered, values, "right"), prepend=0)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            pair = value >> 16, value & 0xFFFF
            found[pair] = found.get(pair, 0) + count
    return sorted((p for p, n in found.items() if n >= _LEAST), key=lambda p: -found[p])
