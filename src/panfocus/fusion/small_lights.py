"""A closer look at lights, where a reduced scale has decided.

A light of a few pixels fades when a picture is reduced, and its disc in the frame that is focused
elsewhere does not: the disc is taken, or half of it. So the network that decided looks at such
places once more, at full scale, at what was fused so far and at the frame that is mixed in. But
discs that are wider than what it sees around a place look sharp to it there. Light is not lost:
what a disc spreads lies in a few pixels where it is in focus. So only what makes the place darker,
and leaves its brightest pixel, is taken. OURS. MEASURED (docs/decisions/0046-lights.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.pixels import floats, luminance
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Tile
from panfocus.fusion.decision import Decision
from panfocus.fusion.refinement import within
from panfocus.fusion.weight_changes import WeightChange
from panfocus.systems.intensity import Stretch
from panfocus.systems.lights import LitPlaces, Mask, is_disc
from panfocus.systems.traits import LooksCloser

#: Luminance of lights, and by how much two pictures differ there.
_LIT, _APART = 0.6, 0.15
#: Squared error that is to be feared at a place, share of white: how far both pictures differ there
#: by how unclear the weight is.
_FEARED = 5e-4
#: Sides of places, pixels of full scale, at most; and context that the network sees around them.
_LARGEST, _HALO = 128, 16
#: Share of the picture that is looked at, at most: where the most is feared.
_MOST = 0.1
#: Of the brightest pixel of both pictures, what must be left.
_PEAK = 0.9
#: Weight that later frames must leave for a look to be worth while.
_LEFT = 0.2
_BESIDE = np.ones((3, 3), np.uint8)


class Looked(NamedTuple):
    """What a closer look came to.

    Attributes:
        changes: of the weight.
        where: ``(h, w)`` of the working scale in [0, 1], where that is so; None for nowhere.
    """

    changes: list[WeightChange]
    where: Float | None


class _Place(NamedTuple):
    """A light.

    Attributes:
        tile: rows and columns of the working scale.
        share: how far it belongs to the light, ``(h, w)`` in {0, 1}.
    """

    tile: Tile
    share: Float


class SmallLights:
    """Looks at the lights of one fusion."""

    def __init__(self, closer: LooksCloser, factor: int) -> None:
        """Take the network, and the factor of the working scale."""
        self._closer = closer
        self._factor = factor

    def changes(
        self,
        decision: Decision,
        picture: Pixels,
        levels: tuple[Float, Float],
        stretch: Stretch | None,
        made: Callable[[Tile], None],
    ) -> Looked:
        """Return by how much the weight of a frame changes at lights.

        Args:
            decision: of the frame.
            picture: ``(H, W[, C])``, what was fused so far.
            levels: luminance of both at the working scale, as the network sees it.
            stretch: what is done to their brightness for that.
            made: sees to it that a part of the picture is made.
        """
        places = list(self._worth_while(_places(decision, *levels, self._factor), picture.shape))
        changes: list[WeightChange] = []
        where: Float | None = None
        for place in places:
            change = self._look(place, decision, picture, stretch, made)
            if change is None:
                continue
            where = np.zeros_like(decision.alpha) if where is None else where
            np.maximum(where[place.tile], place.share, out=where[place.tile])
            changes.append(change)
        return Looked(changes, where)

    def _worth_while(self, places: Iterable[_Place], shape: tuple[int, ...]) -> Iterator[_Place]:
        """Yield the first of places, up to the share of the picture that may be looked at."""
        left = _MOST * shape[0] * shape[1]
        for place in places:
            sides = ((s.stop - s.start) * self._factor + 2 * _HALO for s in place.tile)
            left -= int(np.prod(list(sides)))
            if left < 0:
                return
            yield place

    def _look(
        self,
        place: _Place,
        decision: Decision,
        picture: Pixels,
        stretch: Stretch | None,
        made: Callable[[Tile], None],
    ) -> WeightChange | None:
        rows, columns = (
            slice(span.start * self._factor, min(span.stop * self._factor, length))
            for span, length in zip(place.tile, picture.shape, strict=False)
        )
        core = rows, columns
        first, second = (
            slice(max(span.start - _HALO, 0), min(span.stop + _HALO, length))
            for span, length in zip(core, picture.shape, strict=False)
        )
        read = first, second
        made(read)
        both = np.stack([picture[read], decision.frame.region(read)])
        seen = both if both.ndim == 4 else both[..., None]
        inner = within(read, core)
        weight = enlarged(decision.alpha, self._factor, core)
        by = self._closer(seen, stretch)[1][inner] - weight
        whole = slice(0, rows.stop - rows.start), slice(0, columns.stop - columns.start)
        share = enlarged(place.share, self._factor, whole)
        by *= share
        below, above = (floats(luminance(one[inner])) for one in both)
        lighter = above - below
        if (by * lighter).sum() >= 0:
            return None
        lit = share > 0.5
        shown = below + lighter * (weight + by)
        brightest = max(float(below[lit].max()), float(above[lit].max()))
        return WeightChange(core, by) if float(shown[lit].max()) >= _PEAK * brightest else None


def _places(decision: Decision, below: Float, above: Float, factor: int) -> list[_Place]:
    """Return lights of which little is clear, those first where the most is to be feared."""
    apart = np.abs(above - below)
    lit = (np.maximum(below, above) > _LIT) & (apart > _APART)
    if decision.left is not None:
        lit &= decision.left > _LEFT
    if decision.kept is not None:
        lit &= decision.kept == 0
    if not lit.any():
        return []
    places = LitPlaces(lit)
    gap, weight = apart.ravel()[places.at], decision.alpha.ravel()[places.at]
    mean = places.sums(gap * gap * weight * (1 - weight) * 4) / np.maximum(places.boxes[:, 4], 1)
    small = places.boxes[:, 2:4].max(axis=1) * factor <= _LARGEST
    worth = np.flatnonzero((mean > _FEARED) & small)
    order = sorted((int(n) for n in worth if n), key=lambda n: (-mean[n], n))
    found = (places.place(n) for n in order)
    return [
        _Place(place.tile, _beside(place.inner))
        for place in found
        if is_disc(place, below, above) or is_disc(place, above, below)
    ]


def _beside(inner: Mask) -> Float:
    """Return a mask and the pixels beside it, ``(h, w)`` in {0, 1}."""
    return np.asarray(cv2.dilate(inner.astype(np.float32), _BESIDE), np.float32)
