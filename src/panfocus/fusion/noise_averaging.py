"""Where nothing is in focus: average what only noise tells apart.

A decision has to name one frame even where no frame is sharper than another. There it follows
the noise, which shows as speckle, and keeps the full noise of one frame. `Calm` compares each new
frame with what was fused so far: where they differ by no more than noise would make them differ,
choosing gains nothing and averaging halves the noise, so both are mixed evenly, whichever won.

With v the variance of the noise, k the frames averaged so far, D the mean squared difference
around a pixel, the part of D that noise does not explain is ``b = max(D - v (1 + 1/k), 0)`` and

    s = 1 / (1 + (b / 2v)^2)      how alike, in [0, 1]
    alpha' = u / (u + w),  u = a + (1 - a) s,  w = k ((1 - a) + a s)

for a decision `a`: the new frame's weight against everything before it. No noise, no change.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.noise import noise_variance
from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.types import Float
from panfocus.fusion.decision import Decision

#: Side of the square over which frames are compared, pixels of the working scale.
_WINDOW = 7
#: Difference beyond noise, in variances of the noise, at which frames are half alike.
_TOLERANCE = 2.0
#: Noise under half a grey level of 255 cannot be seen: nothing is averaged.
_LEAST_SIGMA = 0.5 / 255


class Calm:
    """Softens the decisions of a fold; holds two maps of the working scale, however many frames."""

    def __init__(self, factor: int) -> None:
        """Set up.

        Args:
            factor: of the working scale, >= 1.
        """
        self._factor = factor
        self._variance = np.inf
        self._needed = True
        self._picture: Float | None = None
        self._count: Float | None = None

    def soften(self, decision: Decision) -> Decision:
        """Return the decision with frames averaged where only noise tells them apart.

        Its `choice` keeps the decision as it was, for the maps.
        """
        if not self._needed:
            return decision
        grey = shrink(decision.frame.grey, self._factor).astype(np.float32)
        taken = shrink(decision.frame.taken_grey, self._factor).astype(np.float32)
        self._variance = min(self._variance, noise_variance(taken))
        if np.sqrt(self._variance) < _LEAST_SIGMA * white(decision.frame.dtype):
            self._needed, self._picture, self._count = False, None, None
            return decision
        shown = decision.frame.shown(self._factor)
        if self._picture is None or self._count is None:
            self._picture, self._count = grey, np.ones_like(grey)
            if shown is not None:
                self._count *= shown
            return decision
        mixed = self._mixed(grey, decision.alpha, shown, decision.kept)
        return replace(decision, alpha=mixed, choice=decision.alpha)

    def _mixed(
        self, grey: Float, alpha: Float, shown: NDArray[np.bool_] | None, kept: Float | None
    ) -> Float:
        """Return the softened weight of a frame and take it into the running picture."""
        assert self._picture is not None
        assert self._count is not None
        difference = grey - self._picture
        distance = np.asarray(cv2.blur(difference * difference, (_WINDOW, _WINDOW)), np.float32)
        variance = np.float32(self._variance)
        count = np.maximum(self._count, np.float32(1e-3))  # none where no frame has shown anything
        excess = np.maximum(distance - variance * (1 + 1 / count), 0)
        alike = 1 / (1 + np.square(excess / (_TOLERANCE * variance)))
        if shown is not None:
            alike *= shown
        if kept is not None:
            alike *= 1 - kept
        new = alpha + (1 - alpha) * alike
        old = self._count * ((1 - alpha) + alpha * alike)
        mixed = np.asarray(new / np.maximum(new + old, np.float32(1e-6)), np.float32)
        # frames that count: the winner whole, the other as far as it is alike
        lost = self._count + alike
        won = 1 + alike * self._count
        self._count = np.asarray(lost + (won - lost) * alpha, np.float32)
        self._picture += difference * mixed
        return mixed
