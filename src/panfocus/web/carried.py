"""Strokes as they lie on each result of a stack, whichever they were drawn on.

A stroke keeps the pixels and frames of the result on which it was drawn. On a result with another
crop or registration it is taken along as `panfocus fuse --project` does, from where it was drawn
and not from where it was last, so that it never drifts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from panfocus.pipeline.replay import carried
from panfocus.registration.stack import Registration
from panfocus.retouch import FrameSource, FusedSource, Region, Sharpest, Stroke
from panfocus.web.results import Result


@dataclass(frozen=True, eq=False)
class Base:
    """What a stroke's places and frames count in.

    Attributes:
        used: the stack's numbers of the frames that it numbers.
        registration: of those frames.
    """

    used: tuple[int, ...]
    registration: Registration | None

    @classmethod
    def of(cls, result: Result) -> Base:
        """Return that of strokes that are drawn on a result."""
        return cls(result.used, result.fusion.registration)

    def is_alike(self, other: Base) -> bool:
        """Whether strokes of the one are strokes of the other as they are."""
        return self.used == other.used and self.registration is other.registration


@dataclass(frozen=True)
class Drawn:
    """A stroke and its name.

    Attributes:
        id: by which it is taken back.
        stroke: resolved and measured.
        base: what its places and frames count in.
    """

    id: str
    stroke: Stroke
    base: Base

    def on(self, base: Base) -> Drawn | None:
        """Return it as it lies on another result; None if its frame was left out there."""
        if self.base.is_alike(base):
            return self
        numbers = {
            old: base.used.index(number)
            for old, number in enumerate(self.base.used)
            if number in base.used
        }
        source = self.stroke.source
        if isinstance(source, FrameSource) and source.number not in numbers:
            return None
        (stroke,) = carried([self.stroke], self.base.registration, base.registration, numbers)
        return replace(self, stroke=stroke, base=base)


@dataclass(frozen=True)
class Carried:
    """The strokes of a stack on one of its results.

    Attributes:
        drawn: in their order.
        missing: how many are painted from frames that were left out of the result.
    """

    drawn: tuple[Drawn, ...] = ()
    missing: int = 0

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The same without names."""
        return tuple(each.stroke for each in self.drawn)

    @cached_property
    def _boxes(self) -> NDArray[np.float64]:
        return np.array([each.stroke.box for each in self.drawn], np.float64).reshape(-1, 4)

    def touching(self, region: Region) -> list[Drawn]:
        """Return those that may cover a part of a region."""
        left, top, right, bottom = region.box
        boxes, edge = self._boxes, region.scale
        near = (boxes[:, 0] <= right + edge) & (boxes[:, 2] >= left - edge)
        near &= (boxes[:, 1] <= bottom + edge) & (boxes[:, 3] >= top - edge)
        found = (self.drawn[int(n)] for n in np.flatnonzero(near))
        return [each for each in found if each.stroke.touched(region) is not None]


def _is_raw(stroke: Stroke) -> bool:
    """Whether its frame or its brightness is still to be found, as in projects of programs."""
    is_measured = stroke.levels is not None or isinstance(stroke.source, FusedSource)
    return isinstance(stroke.source, Sharpest) or (stroke.match_brightness and not is_measured)


class Carrier:
    """Takes strokes to results, each stroke once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Carried]] = {}
        self._each: dict[str, dict[str, Drawn | None]] = {}

    def to(
        self,
        result: Result,
        drawn: Sequence[Drawn],
        version: int,
        finish: Callable[[Drawn, Sequence[Drawn]], Drawn],
    ) -> Carried:
        """Return strokes as they lie on a result.

        Args:
            result: of the stack.
            drawn: all, in their order.
            version: of them: another number for others.
            finish: makes what has come from elsewhere ready, given the strokes before it.
        """
        known = self._known.get(result.id)
        if known is not None and known[0] == version:
            return known[1]
        base = Base.of(result)
        before = self._each.get(result.id, {})
        each: dict[str, Drawn | None] = {}
        out: list[Drawn] = []
        for one in drawn:
            if one.id in before:
                there = before[one.id]
            else:
                there = one.on(base)
                if there is not None and (there is not one or _is_raw(there.stroke)):
                    there = finish(there, out)
            each[one.id] = there
            if there is not None:
                out.append(there)
        made = Carried(tuple(out), len(drawn) - len(out))
        self._known[result.id] = (version, made)
        self._each[result.id] = each
        return made

    def forget(self, result: str) -> None:
        """Forget a result."""
        self._known.pop(result, None)
        self._each.pop(result, None)
