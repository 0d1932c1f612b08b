"""Spread light in stacks: which two frames meet at an edge, and their pair's mending there.

Where two depths meet that are frames apart, the frames that are focused on them make a pair as any
two photographs do (`panfocus.fusion.spread.mending`). Which those are the decision tells. Whether a
blur explains what differs between them is asked of small grey pictures first: only where it does
are the frames themselves looked at a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.distinct import distinct
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.decision import Decision
from panfocus.fusion.spread.evidence import UNEXPLAINED
from panfocus.fusion.spread.light import Encoding, small
from panfocus.fusion.spread.mending import Both, scale_for
from panfocus.fusion.spread.radius import clipped, radii_of

#: Frames that two depths are apart at least; pixels along an edge that are worth it.
APART = 2
_LEAST = 60
#: Edges that are looked at, the longest; and of those in which a blur tells, that are mended.
_TRIED, _MENDED = 4, 3
#: How much coarser the grey pictures are by which it is told whether blurs explain an edge, if they
#: have so many pixels before.
_COARSER, _COARSE = 2, 150_000
#: Pixels that a place is across at least: less is noise of the decision.
_SOLID = 11
_NONE = 2**16 - 1
#: Pixels across which two depths are said to meet, and around edges that may change.
_ACROSS = 3
_RING = 13
#: Pixels at the border of what may change over which changes fade.
_SOFT = 4
#: Pixels around what may change that tell of blurs.
_CONTEXT = 48
#: Share of what differs that blurs may leave unexplained: frames of a stack are focused near to
#: both depths, and seldom on them.
_ALLOWED = 0.02
#: Bytes of frames that are held at once for it.
_MOST_BYTES = 512 * 2**20

Numbers: TypeAlias = "NDArray[np.uint16]"
Again: TypeAlias = "Callable[[], Iterator[Frame]]"


@dataclass(frozen=True)
class Meeting:
    """Two depths that meet.

    Attributes:
        frames: places of those that are focused on them, see `StackSpread`.
        first: 1 where the first of them is nearer in focus, else 0, ``(h, w)``.
        near: where the picture may change, 0 or 1, ``(h, w)``.
    """

    frames: tuple[int, int]
    first: Float
    near: Float

    @classmethod
    def of(cls, index: Numbers, solid: Numbers, frames: tuple[int, int]) -> Meeting:
        """Find where they meet.

        Args:
            index: place of the frame that was taken, ``(h, w)``.
            solid: the same where it is beyond doubt, see `_solid`.
            frames: places of two.
        """
        one, other = ((solid == number).astype(np.uint8) for number in frames)
        across = np.ones((2 * _ACROSS + 1,) * 2, np.uint8)
        seam = np.minimum(cv2.dilate(one, across), cv2.dilate(other, across))
        near = cv2.dilate(seam, np.ones((2 * _RING + 1,) * 2, np.uint8))
        away = [np.abs(index.astype(np.int32) - number) for number in frames]
        first = np.asarray(away[0] < away[1], np.float32)
        return cls(frames, first, np.asarray(near, np.float32))

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns around what may change."""
        rows, columns = (np.flatnonzero(self.near.any(axis=axis)) for axis in (1, 0))
        down, across = (
            slice(max(int(each[0]) - _CONTEXT, 0), int(each[-1]) + _CONTEXT + 1)
            for each in (rows, columns)
        )
        return down, across

    def tells(self, greys: Sequence[Float], coarser: int) -> bool:
        """Whether a blur of both tells of spread light.

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
        radii = radii_of(one, other, first, clipped(one, other), lambda left: _enough(left, near))
        return radii is not None and _enough(np.maximum(*(r.unexplained for r in radii)), near)


def _enough(unexplained: Float, near: Float) -> bool:
    """Whether blurs explain enough of what differs in enough places to be looked at closely."""
    return bool(np.count_nonzero((unexplained < _ALLOWED + UNEXPLAINED) * near) > _LEAST)


class StackSpread:
    """Holds small pictures of a stack's frames until their blend is done, and mends it.

    Args:
        is_linear: whether samples are light as measured.
        again: yields the frames a second time; None where they come only once.
    """

    def __init__(self, *, is_linear: bool, again: Again | None) -> None:
        self._is_linear = is_linear
        self._again = again
        self._scale = 0
        self._coarser = 1
        #: Places of frames among those that take part, by their numbers: one that was left out
        #: puts no two others further apart.
        self._places: dict[int, int] = {}
        self._greys: dict[int, Pixels] = {}
        self._held: dict[int, Frame] = {}
        self._index: Numbers | None = None
        self._kept: Float | None = None
        self._is_fit = True

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        if not self._is_fit:
            return
        self._is_fit = not frame.has_alpha and frame.guide is None and frame.number < _NONE
        self._scale = self._scale or scale_for(frame.shape)
        enough = frame.shape[0] * frame.shape[1] >= _COARSE * self._scale**2
        self._coarser = _COARSER if enough else 1
        if self._scale > 1 and self._again is None:
            self._is_fit = False  # frames are too large to be held, and do not come again
        if not self._is_fit:
            self._greys, self._held = {}, {}
            return
        place = self._places[frame.number] = len(self._places)
        self._greys[place] = small(np.asarray(frame.grey), self._coarser * self._scale)
        if self._scale == 1:
            self._held[place] = frame.without_caches()

    def take(self, decision: Decision) -> None:
        """Take what was decided of a frame."""
        if not self._is_fit or not self._greys:
            return
        height, width = (
            self._coarser * side for side in next(iter(self._greys.values())).shape[:2]
        )
        place = self._places[decision.frame.number]
        if self._index is None:
            self._index = np.full((height, width), place, np.uint16)
        share = decision.chosen
        if share.shape != (height, width):
            share = cv2.resize(share, (width, height), interpolation=cv2.INTER_AREA)
        np.copyto(self._index, np.uint16(place), where=share > 0.5)
        self._kept = decision.kept

    def mended(self, picture: Pixels) -> tuple[Pixels, float]:
        """Return the blend without spread light, and the part of it that changed visibly.

        Args:
            picture: the blend ``(H, W[, C])`` of all frames.
        """
        if not self._is_fit or self._index is None:
            return picture, 0.0
        meetings = self._telling(np.asarray(cv2.medianBlur(self._index, 3), np.uint16))
        frames = self._frames({place for each in meetings for place in each.frames})
        part = 0.0
        for each in reversed(meetings):  # where edges of several meet, the longest has the say
            pair = [frames[place] for place in each.frames if place in frames]
            if len(pair) == 2:
                picture, changed = self._mended(picture, each, pair)
                part += changed
        return picture, min(part, 1.0)

    def _mended(
        self, picture: Pixels, meeting: Meeting, pair: Sequence[Frame]
    ) -> tuple[Pixels, float]:
        both = Both.of(pair, meeting.first, self._scale, is_linear=self._is_linear, kept=self._kept)
        height, width = both.shown.shape
        near = cv2.resize(meeting.near, (width, height), interpolation=cv2.INTER_NEAREST)
        shown = both.shown * _faded(np.asarray(near, np.float32))
        changes = replace(both, shown=shown).changes(_ALLOWED)
        return (picture, 0.0) if changes is None else changes.applied(picture, pair)

    def _telling(self, index: Numbers) -> list[Meeting]:
        """Return where depths meet and a blur tells of spread light, the longest edges first."""
        out: list[Meeting] = []
        how = Encoding.of(
            [float(grey.max()) for grey in self._greys.values()], is_linear=self._is_linear
        )
        solid = _solid(index)
        for frames in _meeting(solid)[:_TRIED]:
            meeting = Meeting.of(index, solid, frames)
            greys = [how.linear(self._greys[place]) for place in frames]
            if meeting.tells(greys, self._coarser):
                out.append(meeting)
            if len(out) == _MENDED:
                break
        return out

    def _frames(self, places: set[int]) -> dict[int, Frame]:
        """Return frames by their places, as many as may be held at once."""
        if self._scale == 1:
            return {place: self._held[place] for place in places}
        out: dict[int, Frame] = {}
        if not places or self._again is None:
            return out
        left = _MOST_BYTES
        for frame in self._again():
            place = self._places.get(frame.number)
            if place in places:
                left -= int(np.prod(frame.shape)) * frame.dtype.itemsize
                if left < 0:
                    break
                out[place] = frame.without_caches()
            if len(out) == len(places):
                break
        return out


def _faded(near: Float) -> Float:
    """Return 0 or 1 of pixels ``(h, w)`` that rises from 0 at the border: no change ends there."""
    mean = cv2.blur(near, (2 * _SOFT + 1,) * 2, borderType=cv2.BORDER_REPLICATE)
    return np.clip(2 * np.asarray(mean, np.float32) - 1, 0, 1)


def _solid(index: Numbers) -> Numbers:
    """Return which frame was taken where that is no speckle and no fringe, else `_NONE`."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SOLID, _SOLID))
    out = np.full_like(index, _NONE)
    for number in distinct(index):
        where = (index == number).astype(np.uint8)
        out[cv2.morphologyEx(where, cv2.MORPH_OPEN, disc) > 0] = number
    return out


def _meeting(index: Numbers) -> list[tuple[int, int]]:
    """Return pairs of frames whose depths meet, those with the longest edges first."""
    sides = (
        (index[:, :-_ACROSS], index[:, _ACROSS:]),
        (index[:-_ACROSS], index[_ACROSS:]),
    )
    found: dict[tuple[int, int], int] = {}
    for one, other in sides:
        low, high = np.minimum(one, other), np.maximum(one, other)
        jumps = (high - low >= APART) & (high != _NONE)
        both = low[jumps].astype(np.int64) << 16 | high[jumps]
        ordered = np.sort(both)
        values = distinct(ordered)
        counts = np.diff(np.searchsorted(ordered, values, "right"), prepend=0)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            pair = value >> 16, value & 0xFFFF
            found[pair] = found.get(pair, 0) + count
    return sorted((p for p, n in found.items() if n >= _LEAST), key=lambda p: -found[p])
