"""Spread light in stacks: which two frames meet at an edge, and their pair's mending there.

Where two depths meet that are frames apart, the frames that are focused on them make a pair as any
two photographs do (`panfocus.fusion.spread.mending`). Which those are the decision tells. Whether a
blur explains what differs between them is asked of small grey pictures first: only where it does
are the frames themselves looked at a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import cv2
import numpy as np

from panfocus.arrays.pixels import floats
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.fusion.decision import Decision
from panfocus.fusion.spread.light import Encoding, small
from panfocus.fusion.spread.meeting import (
    ALLOWED,
    NONE,
    Meeting,
    Numbers,
    halved,
    pairs_that_meet,
    solid_places,
)
from panfocus.fusion.spread.mending import COARSER, Both, scale_for

#: Edges that are looked at, the longest; and of those in which a blur tells, that are mended.
_TRIED, _MENDED = 4, 3
#: How much coarser the grey pictures are by which it is told whether blurs explain an edge, if they
#: have so many pixels before.
_COARSER, _COARSE = 2, 150_000
#: Pixels at the border of what may change over which changes fade.
_SOFT = 4
#: Bytes of frames that are held at once for it.
_MOST_BYTES = 512 * 2**20

Again: TypeAlias = "Callable[[], Iterator[Frame]]"


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
        self._is_fit = not frame.has_alpha and frame.guide is None and frame.number < NONE
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
        scale = self._scale * meeting.smaller
        both = Both.of(pair, meeting.first, scale, is_linear=self._is_linear, kept=self._kept)
        height, width = both.shown.shape
        near = cv2.resize(meeting.near, (width, height), interpolation=cv2.INTER_NEAREST)
        shown = both.shown * _faded(np.asarray(near, np.float32))
        told, _ = replace(both, shown=shown).told(ALLOWED)
        return (picture, 0.0) if told is None else told.changes().applied(picture, pair)

    def _telling(self, index: Numbers) -> list[Meeting]:
        """Return where depths meet and a blur tells of spread light, the longest edges first."""
        out: list[Meeting] = []
        how = Encoding.of(
            [float(grey.max()) for grey in self._greys.values()], is_linear=self._is_linear
        )
        indices = [(index, solid_places(index))]
        for frames in pairs_that_meet(indices[0][1])[:_TRIED]:
            meeting = self._told(indices, frames, how)
            if meeting is not None:
                out.append(meeting)
            if len(out) == _MENDED:
                break
        return out

    def _told(
        self, indices: list[tuple[Numbers, Numbers]], frames: tuple[int, int], how: Encoding
    ) -> Meeting | None:
        """Return where two depths meet if a blur tells of spread light there, else None.

        Blurs that are too wide are looked at smaller.

        Args:
            indices: places of frames and those beyond doubt, at every scale that was looked at so
                far, each half of the one before; more are added when they are needed.
            frames: places of two.
            how: samples become light.
        """
        greys = [how.linear(self._greys[place]) for place in frames]
        best: Meeting | None = None
        for n, smaller in enumerate(COARSER):
            if n:
                greys = [floats(small(grey, 2)) for grey in greys]
            if n == len(indices):
                index = halved(indices[-1][0])
                indices.append((index, solid_places(index)))
            meeting = Meeting.of(*indices[n], frames, smaller)
            if meeting is None:
                break
            does, is_wide = meeting.tells(greys, self._coarser)
            best = meeting if does else best
            if not is_wide:
                break
        return best

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
