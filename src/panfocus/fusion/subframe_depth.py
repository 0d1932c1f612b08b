"""Depth finer than the distance between frames: the peak of the evidence along the focus axis.

Through the evidence of the winning frame and of its two neighbours goes a Gaussian, whose peak
lies at a fraction of a frame (Nayar and Nakagawa, PAMI 1994): with ``l, b, r`` the logarithms of
the evidence before, at and after the winner ``n``,

    depth = n + (l - r) / (2 (l - 2 b + r)),

at most half a frame away. The first and the last frame have no neighbour on one side: a peak that
lies there may lie beyond, and stays at its frame.
"""

from __future__ import annotations

import numpy as np

from panfocus.arrays.types import Float

#: Least difference of slopes, in logarithms, that counts as a peak.
_FLAT = 1e-3


class PeakDepth:
    """Follows the winner and its neighbours; four maps of the working scale for any N."""

    def __init__(self) -> None:
        self._count: int = 0
        self._last: Float | None = None
        self._index = np.zeros((0, 0), np.float32)
        self._left = self._best = self._right = self._index

    def push(self, evidence: Float, won: Float, number: int | None = None) -> None:
        """Take the next frame.

        Args:
            evidence: of the frame, ``(h, w)``.
            won: where it won, ``(h, w)`` 0 or 1.
            number: of the frame; None for the next one. Where frames between are left out, it has
                no neighbour before.
        """
        number = self._count if number is None else number
        if number > self._count and self._last is not None:
            self._last = np.full_like(evidence, np.nan)
        self._count = number + 1
        if self._last is None:
            self._index = np.full_like(evidence, number)
            self._best = evidence.copy()
            self._left = np.full_like(evidence, np.nan)
            self._right = np.full_like(evidence, np.nan)
        else:
            np.copyto(self._right, evidence, where=self._index == number - 1)
            is_new = won > 0
            np.copyto(self._left, self._last, where=is_new)
            np.copyto(self._best, evidence, where=is_new)
            np.copyto(self._right, np.nan, where=is_new)
            np.copyto(self._index, np.float32(number), where=is_new)
        self._last = evidence.copy()  # the fold goes on to write into its own

    def depth(self, floor: float) -> Float:
        """Return frame numbers with fractions, ``(h, w)`` float32.

        Args:
            floor: evidence that means nothing, such as that of rounding, > 0.
        """
        left, best, right = (np.log(e + floor) for e in (self._left, self._best, self._right))
        bend = left - 2 * best + right
        # comparisons with the missing neighbour's NaN are false
        is_peak = (bend < -_FLAT) & (best >= left) & (best >= right)
        offset = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=is_peak)
        return np.asarray(self._index + np.clip(offset, -0.5, 0.5), np.float32)
