"""See-through things: of two depths that are both in focus at a pixel, take the one asked for.

A pixel of a translucent foreground has two peaks of evidence along the focus axis, one for each
surface, with a valley between them. Where that is so, the higher peak does not win by itself: the
earlier or later one does, unless it is far weaker. One peak, however slanted, stays as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float

#: A valley lies under this share of the lower of its two peaks.
_VALLEY = 0.5
#: A preferred peak must have this share of the other: less is the rim of a blur.
_LEAST = 0.35


class Preference:
    """Decides for one frame after the other; two maps of the working scale."""

    def __init__(self, *, later: bool, is_pair: bool = False) -> None:
        """Set up.

        Args:
            later: whether the later peak is preferred, else the earlier.
            is_pair: there are two frames only, and no valley to be seen between them.
        """
        self._later = later
        self._is_pair = is_pair
        self._valley: Float | None = None

    def wins(self, evidence: Float, best: Float, floor: float) -> NDArray[np.bool_]:
        """Return where a frame takes over, ``(h, w)``.

        Args:
            evidence: of the frame, ``(h, w)``.
            best: of the frame chosen so far.
            floor: evidence of mere noise, which makes no peak.
        """
        if self._valley is None:
            self._valley = best.copy()
        lower = np.minimum(evidence, best)
        two = (lower > floor) & (self._is_pair | (self._valley < _VALLEY * lower))
        needed = best * _LEAST if self._later else best / _LEAST
        won = np.where(two, evidence > needed, evidence > best)
        np.minimum(self._valley, evidence, out=self._valley)
        np.copyto(self._valley, evidence, where=won)
        return np.asarray(won, np.bool_)
