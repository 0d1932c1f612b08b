"""How much alike frames are at a few dozen pixels, where focus changes nothing.

Frames of a stack differ in focus, which takes fine detail; what is left of a thumbnail is the same
in all of them, moved or magnified a little, brighter, or turned into its negative. MEASURED:
neighbours of 260 pairs and stacks correlate by 0.73 and more, made bright-field ones by 0.57;
unrelated photographs by 0.27, one in a hundred above 0.49.

What correlation misses, as a hand before the scene or the scene in a mirror, shades tell: focus
only averages over a neighbourhood, so that of two frames the blurred one stays within the range of
the other, place by place. MEASURED: in no place do both leave each other's range in 19 real stacks,
in up to 0.9 % in made ones; with a hand, in a mirror, turned, cut or of another scene, in 2 to
48 %.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import ends, median
from panfocus.arrays.types import Float, Pixels
from panfocus.frozen import frozen

#: Side of a thumbnail, blur that evens out its sampling, and blur whose result is taken off: light
#: above and dark below are common to most photographs.
_SIDE = 48
_FINE, _COARSE = 1.0, 6.0
#: How far frames may have moved against each other, pixels of a thumbnail.
_REACH = 5
#: Correlation from which on two frames are alike, and from which on there is no doubt of it.
ALIKE = 0.45
_SURELY = 0.7
#: A frame with less than this share of the most contrast is empty, and tells nothing.
EMPTY = 0.15
#: Share of the contrast that the fine blur leaves of white noise, with room: 0.29, of photographs
#: 0.56 and more.
_NOISE = 0.4
#: Where between its darkest and brightest the median of a photograph lies. Frames that are dark
#: with a few lights, as sections of fluorescence, or bright with a few dark spots may share
#: nothing with their neighbours.
_USUAL = (0.28, 0.92)
#: Places, pixels of a thumbnail, over which focus averages at most, or by which frames move.
_AROUND = 3
#: By how much of its contrast a frame must leave the other's range for a place to count; share of
#: such places from which on frames are not of one scene, and up to which there is no doubt of it.
_OUTSIDE = 0.06
_DIFFERS, _AGREES = 0.015, 0.005
#: Factor in brightness, in logarithms, from which on noise or white is all that a frame adds: three
#: stops, as displays encode them, are 0.95, of which clipped white leaves 0.72. And what
#: is left of brightness in the dark, share of the brightest.
_EXPOSED = 0.7
_DARK = 0.01
#: What is hidden: share of the places at most, of which one part has this share, while what lies
#: around it correlates as much. MEASURED: with a hand in the way mostly .87 and more, in a mirror,
#: turned or cut .80 and less.
_HIDDEN, _ONE_PART, _AROUND_IT = 0.75, 0.5, 0.84
#: Share of places that must lie around it for their correlation to tell.
_TELLING = 0.15
#: Share of white from which on a pixel is burnt out, and of a place from which on that is, too.
_BURNT, _BURNT_PART = 0.95, 0.1

#: What is wrong with a frame that does not belong to a scene: it shows another, something hides a
#: part of it, it is much darker or brighter, or it is like it but does not fit, as in a mirror.
Unlike = Literal["scene", "hidden", "darker", "brighter", "differs"]


@frozen
class Thumbnail:
    """What is left of a frame at a few dozen pixels.

    Attributes:
        detail: ``(48, 48)``, the coarsest taken off.
        shades: ``(48, 48)``, the coarsest with it, as light or dark as the frame is.
        contrast: standard deviation of detail, in the unit of the frame.
        is_usual: whether it is a picture of the kind that neighbours share.
        is_noise: whether it is none at all, but the noise of a black or grey frame.
        burnt: ``(48, 48)``, where some of it is burnt out: it may be any brighter than it shows.
    """

    detail: Float
    shades: Float
    contrast: float
    is_usual: bool
    is_noise: bool
    burnt: NDArray[np.bool_]

    @classmethod
    def of(cls, grey: Pixels, white: float = np.inf) -> Thumbnail:
        """Return that of a luminance ``(H, W)``, any unit; `white`: what is burnt out."""
        # by whole blocks first, which is many times as fast
        step = max(min(grey.shape) // (4 * _SIDE), 1)
        blocks = cv2.resize(grey, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
        area = cv2.resize(
            np.asarray(blocks, np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA
        )
        small = np.asarray(area, np.float32)
        low, high = ends(small, 0.01)
        middle = (float(median(small.ravel())) - low) / (high - low) if high > low else 0.0
        fine = cv2.GaussianBlur(small, (0, 0), _FINE)
        coarse = cv2.GaussianBlur(fine, (0, 0), _COARSE)
        detail = np.asarray(fine - coarse, np.float32)
        shades = np.asarray(fine, np.float32)
        contrast = float(detail.std())
        is_white = contrast < _NOISE * float((small - coarse).std())
        is_even = _USUAL[0] < middle < _USUAL[1]
        burnt = np.zeros(small.shape, bool)
        if np.isfinite(white):
            share = cv2.resize(
                (blocks >= _BURNT * white).astype(np.float32),
                (_SIDE, _SIDE),
                interpolation=cv2.INTER_AREA,
            )
            burnt = np.asarray(share) > _BURNT_PART
        # a few lights in the dark look like white noise, too
        is_usual, is_noise = is_even and not is_white, is_even and is_white
        return cls(detail, shades, contrast, is_usual, is_noise, burnt)

    def likeness(self, other: Thumbnail) -> float:
        """Return the correlation with another where they fit each other best, [0, 1]."""
        return max(_fitted(self.detail, other.detail), _fitted(other.detail, self.detail))

    def is_unlike(self, other: Thumbnail) -> bool:
        """Whether one of two neighbours is no frame of the scene that the other shows."""
        return (self.is_usual or other.is_usual) and self.likeness(other) < ALIKE

    def is_of_scene(self, other: Thumbnail) -> bool:
        """Whether another may be of the same scene, exposed much as this one is."""
        return self.likeness(other) >= ALIKE and self._disagreement(other) < _DIFFERS

    def is_surely_of_scene(self, other: Thumbnail) -> bool:
        """Whether another is, beyond doubt."""
        return self.likeness(other) >= _SURELY and self._disagreement(other) <= _AGREES

    def departs(self, other: Thumbnail) -> Unlike:
        """Return in what a frame that is not of another's scene departs from it."""
        if any(self._hides(other, self._misfit(other, gain)) for gain in (0.0, None)):
            return "hidden"
        # what is burnt out does not tell how much brighter a frame is, but what lies around it does
        around = self._ratio(other)[~self._misfit(other)]
        told = (self._brighter(other), float(median(around)) if around.size else 0.0)
        brighter = max(told, key=abs)
        if abs(brighter) > _EXPOSED:
            return "brighter" if brighter > 0 else "darker"
        return "scene" if self.likeness(other) < ALIKE else "differs"

    def _hides(self, other: Thumbnail, misfit: NDArray[np.bool_]) -> bool:
        """Whether all that does not fit is one thing, before a scene that is another's."""
        apart = cv2.dilate(misfit.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        if not apart.any() or apart.mean() > _HIDDEN:
            return False
        if abs(float(median(self._ratio(other)[~apart]))) > _EXPOSED:
            return False
        parts = cv2.connectedComponentsWithStats(apart.astype(np.uint8))[2]
        if parts[1:, cv2.CC_STAT_AREA].max() < _ONE_PART * apart.sum():
            return False
        inner = slice(_REACH, -_REACH)
        around = np.asarray(~apart[inner, inner], np.float32)
        if around.mean() < _TELLING:
            return False
        middle = np.ascontiguousarray(self.shades[inner, inner])
        found = cv2.matchTemplate(other.shades, middle, cv2.TM_CCOEFF_NORMED, mask=around)
        return bool(np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0).max() > _AROUND_IT)

    def _brighter(self, other: Thumbnail) -> float:
        """Return how much brighter this frame is than another, the median of logarithms."""
        return float(median(self._ratio(other).ravel()))

    def _ratio(self, other: Thumbnail) -> Float:
        """Return how much brighter this frame is than another, ``(48, 48)``, in logarithms."""
        least = np.float32(self._least(other))
        one, two = (np.log(np.maximum(frame.shades, 0) + least) for frame in (self, other))
        return np.asarray(one - two, np.float32)

    def _least(self, other: Thumbnail) -> float:
        return _DARK * max(float(self.shades.max()), float(other.shades.max()), 1e-9)

    def _misfit(self, other: Thumbnail, brighter: float | None = None) -> NDArray[np.bool_]:
        """Return where both leave each other's range, ``(48, 48)``.

        Args:
            other: the other.
            brighter: by how much this one is, a logarithm; None for the median of all places.
        """
        least = self._least(other)
        low, high = ends(self.shades, 0.01)
        gain = np.float32(np.exp(self._brighter(other) if brighter is None else brighter))
        matched = (other.shades + least) * gain - least
        left = np.minimum(_outside(self.shades, matched), _outside(matched, self.shades))
        # what is burnt out may be any brighter than it shows
        above = _dilated(self.burnt) & (matched >= self.shades)
        above |= _dilated(other.burnt) & (self.shades >= matched)
        return (left > _OUTSIDE * (high - low)) & ~above

    def _disagreement(self, other: Thumbnail) -> float:
        """Return the share of places in which both leave each other's range; 1 for other light."""
        if abs(self._brighter(other)) > _EXPOSED:
            return 1.0
        return float(self._misfit(other).mean())


def _dilated(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what focus spreads a mask to."""
    around = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), around) > 0


def _outside(one: Float, other: Float) -> Float:
    """Return by how much places of a thumbnail leave the range of another's around them."""
    around = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)
    above = one - cv2.dilate(other, around)
    below = cv2.erode(other, around) - one
    return np.asarray(np.maximum(above, below), np.float32)


def _fitted(one: Float, other: Float) -> float:
    """Return the greatest correlation of a thumbnail's middle with another's places, [0, 1]."""
    middle = one[_REACH:-_REACH, _REACH:-_REACH]
    found = np.abs(cv2.matchTemplate(other, middle, cv2.TM_CCOEFF_NORMED))
    return float(np.nan_to_num(found, nan=1.0, posinf=1.0).max())
