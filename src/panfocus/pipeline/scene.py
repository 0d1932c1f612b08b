"""Are these frames of one scene? Told from thumbnails, and only where there is no doubt.

Frames of a stack differ in focus, which takes fine detail; what is left at a few dozen pixels is
the same in all of them, moved or magnified a little, brighter, or turned into its negative.
MEASURED on thumbnails of neighbours: 188 pairs and stacks of ten public sets correlate by 0.78 and
more (the median of a stack's; a confocal stack's empty planes 0.2), 378 draws of unrelated
photographs by 0.23, one in a hundred above 0.45.

Nothing is said of frames that are dark with a few lights, as sections of fluorescence are, or
bright with a few dark spots: there neighbours may share nothing at all.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.ranks import ends, median
from panfocus.arrays.types import Float

#: Side of a thumbnail, blur that evens out its sampling, and blur whose result is taken off: light
#: above and dark below are common to most photographs.
_SIDE = 48
_FINE, _COARSE = 1.0, 6.0
#: How far frames may have moved against each other, pixels of a thumbnail.
_REACH = 5
#: Correlation from which on two frames are alike, and the share of alike neighbours, of four and
#: more, up to which a stack is none.
_ALIKE = 0.45
_CHANCE = 0.25
#: A frame with less than this share of the most contrast is empty, and tells nothing.
_EMPTY = 0.15
#: Frames that are looked at: a folder of many scenes shows within the first few.
_LOOKED_AT = 8
#: Share of the contrast that the fine blur leaves of white noise, with room: 0.29, of photographs
#: 0.56 and more.
_NOISE = 0.4
#: Where between its darkest and brightest the median of a photograph lies.
_USUAL = (0.28, 0.92)


class SceneLikeness:
    """Looks at frames as they pass; keeps two thumbnails."""

    def __init__(self) -> None:
        self._before: Float | None = None
        self._contrast: list[float] = []
        self._is_usual: list[bool] = []
        self._likeness: list[float] = []

    def add(self, grey: Float) -> None:
        """Take the next frame, luminance ``(H, W)`` float32 in any unit; the first few count."""
        if len(self._contrast) == _LOOKED_AT:
            return
        # by whole blocks first, which is many times as fast
        step = max(min(grey.shape) // (4 * _SIDE), 1)
        blocks = cv2.resize(grey, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
        area = cv2.resize(blocks, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        small = np.asarray(area, np.float32)
        low, high = ends(small, 0.01)
        middle = (float(median(small.ravel())) - low) / (high - low) if high > low else 0.0
        fine = cv2.GaussianBlur(small, (0, 0), _FINE)
        coarse = cv2.GaussianBlur(fine, (0, 0), _COARSE)
        thumb = np.asarray(fine - coarse, np.float32)
        contrast = float(thumb.std())
        is_noise = contrast < _NOISE * float((small - coarse).std())
        self._is_usual.append(_USUAL[0] < middle < _USUAL[1] and not is_noise)
        self._contrast.append(contrast)
        if self._before is not None:
            self._likeness.append(
                max(_likeness(self._before, thumb), _likeness(thumb, self._before))
            )
        self._before = thumb

    def is_torn(self) -> bool:
        """Whether the frames are certainly not of one scene."""
        if not self._likeness:
            return False
        contrast = np.array(self._contrast)
        tells = np.array(self._is_usual) & (contrast > _EMPTY * contrast.max())
        both = tells[1:] & tells[:-1]
        if 2 * both.sum() < len(both):
            return False
        alike = float((np.array(self._likeness)[both] >= _ALIKE).mean())
        return alike <= (_CHANCE if both.sum() >= 4 else 0)


def _likeness(one: Float, other: Float) -> float:
    """Return the greatest correlation of a thumbnail's middle with another's places, [0, 1]."""
    middle = one[_REACH:-_REACH, _REACH:-_REACH]
    found = np.abs(cv2.matchTemplate(other, middle, cv2.TM_CCOEFF_NORMED))
    return float(np.nan_to_num(found, nan=1.0, posinf=1.0).max())
