"""Discs of lights that are out of focus: which of two decisions shows none.

A disc ends as sharply as what is in focus, and one that is wider than what a network sees around a
place looks sharp to it; at a reduced scale it is small again. But light is not lost: what a disc
spreads lies in a few pixels where it is in focus. So where two decisions show different light, and
one shows a bright place of which nothing but a point is left in the other, the other is right.
Nothing of it is learned, and no network is asked. MEASURED (docs/decisions/0046-lights.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.frame import Tile

#: Luminance of lights, and by how much two pictures differ there.
_LIT, _APART = 0.3, 0.1
#: How far a light stands out of what lies around it, and what of that may be left without it.
_STANDS_OUT, _LEFT = 0.125, 0.3
#: Width of what lies around it, pixels of maps.
_AROUND = 3
#: Of the brightest pixel with a light, what must be left without it, as its point in focus is as
#: bright: else something else would be lost. Of light in all, what may be left of a disc that is
#: too wide to be a point, and whose point something hides.
_PEAK, _HIDDEN = 0.9, 0.75
_BESIDE = np.ones((3, 3), np.uint8)
_RING = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)

Mask = NDArray[np.bool_]
#: From a tile of the maps and what of it belongs to a light to the brightest of both pictures.
Brightest = Callable[[Tile, Mask], tuple[float, float]]


class LightPlace(NamedTuple):
    """A place where two pictures differ, in maps.

    Attributes:
        tile: that holds it and what lies around.
        inner: which pixels of the tile it is, ``(h, w)``.
        ring: which lie around it, the same.
    """

    tile: Tile
    inner: Mask
    ring: Mask


class LitPlaces:
    """The connected parts of a mask, each with the pixels beside it; they count from 1.

    Attributes:
        at: numbers of all their pixels in the flattened mask.
        boxes: left, top, width, height and pixels of each, ``(n, 5)``; the first is of all else.
    """

    def __init__(self, lit: Mask) -> None:
        """Find them in a mask ``(h, w)``."""
        beside = cv2.dilate(lit.view(np.uint8), _BESIDE)
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(beside)
        self._labels = np.asarray(labels, np.int32)
        self.at = np.flatnonzero(beside)
        self.boxes = np.asarray(boxes, np.int32)

    def sums(self, values: Float) -> NDArray[Any]:
        """Return the sums of values ``(n,)`` of the pixels `at` over each part."""
        return np.bincount(self._labels.ravel()[self.at], values, len(self.boxes))

    def place(self, number: int) -> LightPlace:
        """Return where a part lies."""
        left, top, width, height = (int(n) for n in self.boxes[number, :4])
        tile = (
            slice(max(top - _AROUND, 0), min(top + height + _AROUND, self._labels.shape[0])),
            slice(max(left - _AROUND, 0), min(left + width + _AROUND, self._labels.shape[1])),
        )
        labels = self._labels[tile]
        inner = labels == number
        ring = (cv2.dilate(inner.view(np.uint8), _RING) > 0) & (labels == 0)
        return LightPlace(tile, inner, ring)


def gathered(
    spread: Float, other: Float, brightest: Brightest, *, hidden: bool = False
) -> Float | None:
    """Return where a picture shows discs of lights and another does not.

    Args:
        spread: luminance of the picture that may show discs, ``(h, w)`` in [0, 1].
        other: of the other picture, the same.
        brightest: tells the brightest pixels of both, at full scale, in this order.
        hidden: whether a disc counts whose point is not seen, if it is too wide to be one itself.

    Returns:
        ``(h, w)``, 1 where the other is to be followed and else 0; None for nowhere.

    Example:
        >>> disc = np.full((20, 20), 0.2, np.float32)
        >>> cv2.circle(disc, (10, 10), 5, 0.9, -1) is disc
        True
        >>> ground = np.full((20, 20), 0.2, np.float32)
        >>> found = gathered(disc, ground, lambda tile, mask: (0.9, 1.0))
        >>> float(found[10, 10]), float(found[0, 0])
        (1.0, 0.0)
    """
    apart = spread - other
    lit = (np.maximum(spread, other) > _LIT) & (np.abs(apart) > _APART)
    if not (lit & (apart > 0)).any():
        return None
    places = LitPlaces(lit)
    more = places.sums(apart.ravel()[places.at])  # of light, in the picture with discs
    out: Float | None = None
    for number in range(1, len(places.boxes)):
        if more[number] <= 0:
            continue
        place = places.place(number)
        if not is_disc(place, spread, other):
            continue
        if not (_has_point(place, brightest) or (hidden and _is_wide(place, spread, other))):
            continue
        out = np.zeros_like(apart) if out is None else out
        out[place.tile][place.inner] = 1
    return out


def is_disc(place: LightPlace, spread: Float, other: Float) -> bool:
    """Whether a place stands out of what lies around, and in the other picture does not.

    Args:
        place: in both pictures.
        spread: luminance of the picture that may show a disc there, ``(h, w)`` in [0, 1].
        other: of the other picture, the same.
    """
    if not place.ring.any():
        return False
    stands_out, left = (
        float(one[place.tile][place.inner].mean() - one[place.tile][place.ring].mean())
        for one in (spread, other)
    )
    return stands_out >= _STANDS_OUT and abs(left) < _LEFT * stands_out


def _has_point(place: LightPlace, brightest: Brightest) -> bool:
    """Whether what is as bright as the disc is seen without it."""
    peak, without = brightest(place.tile, place.inner)
    return without >= _PEAK * max(peak, without)


def _is_wide(place: LightPlace, spread: Float, other: Float) -> bool:
    """Whether a disc is no point, and most of its light is missing without it."""
    with_it, without = spread[place.tile], other[place.tile]
    wide = cv2.erode(((with_it - without > _APART) & place.inner).view(np.uint8), _BESIDE)
    light, less = (float(one[place.inner].sum()) for one in (with_it, without))
    return bool(wide.any()) and less < _HIDDEN * light
