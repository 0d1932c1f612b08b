"""Where nothing is in focus: average what only noise tells apart.

A decision has to name one frame even where no frame is sharper than another. There it follows
the noise, which shows as speckle, and keeps the full noise of one frame. `Calm` compares each new
frame with what was fused so far: where they differ by no more than noise would make them differ,
choosing gains nothing and averaging halves the noise, so both are mixed evenly, whichever won.

With v the variance of the noise, k the frames averaged so far, D the mean squared difference
around a pixel, the part of D that noise does not explain is ``b = max(D - c v (1 + 1/k), 0)`` and

    s = 1 / (1 + (b / tv)^2)      how alike, in [0, 1]; c and t: `Likeness`
    alpha' = u / (u + w),  u = a + (1 - a) s,  w = k ((1 - a) + a s)

for a decision `a`: the new frame's weight against everything before it. No noise, no change.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.noise import coarse_noise_variance, noise_variance
from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.types import Float
from panfocus.frame import Frame
from panfocus.frozen import frozen
from panfocus.fusion.decision import Decision
from panfocus.fusion.grain import Grain
from panfocus.guard.mending import either

#: Side of the square over which frames are compared, pixels of the working scale.
_WINDOW = 7


@frozen
class Likeness:
    """When frames are alike.

    Attributes:
        tolerance: difference beyond noise, in variances of the noise, at which they are half alike.
        chance: how much more than expected noise alone may make them differ, a share of it.
    """

    tolerance: float
    chance: float


#: Where frames are averaged and nothing else takes noise away; and where grain is smoothed after
#: that, so that one blurred less than others is worth more than their mean.
#: MEASURED (docs/decisions/0029).
AVERAGED = Likeness(2.0, 0.0)
SMOOTHED = Likeness(0.8, 0.45)
#: Noise under half a grey level of 255 cannot be seen, and under one and a half levels of what JPEG
#: has left hardly: nothing is averaged. What is above sixteen is no photograph's noise: no grain is
#: smoothed.
_LEAST_SIGMA, _LEAST_COARSE_SIGMA = 0.5 / 255, 1.5 / 255
_MOST_SIGMA = 16 / 255
#: Noise of a reduced scale, at most, in what white noise of full scale would leave there.
_COARSER = 2.0


class Calm:
    """Softens the decisions of a fold; holds two maps of the working scale, however many frames."""

    def __init__(self, factor: int, likeness: Likeness = AVERAGED) -> None:
        """Set up.

        Args:
            factor: of the working scale, >= 1.
            likeness: when frames are alike.
        """
        self._factor = factor
        self._likeness = likeness
        self._variance = np.inf
        self._needed = True
        self._own: tuple[float, float] | None = None
        self._differing = 0.0
        self._most = np.inf
        self._picture: Float | None = None
        self._count: Float | None = None
        self._kept: Float | None = None

    @property
    def grain(self) -> Grain | None:
        """What noise is left in the picture; None where there was too little to be seen."""
        if not self._needed or self._count is None or self._own is None:
            return None
        # noise is another one in every frame: what is the same in all of them is what they show
        fine, coarse = (own * min(self._differing, 1.0) for own in self._own)
        if np.sqrt(max(fine, coarse)) >= self._most:
            return None
        return Grain((fine, coarse), self._count, self._kept)

    def push(self, frame: Frame) -> None:
        """Look at a frame before anybody else does: interpolated, it has less noise than it had."""
        if not self._needed:
            return
        full = white(frame.dtype)
        taken = shrink(frame.taken_grey, self._factor).astype(np.float32)
        coarse = variance = self._noise(taken)
        if self._factor > 1 and self._is_seen(taken, variance, full):
            # reduced by so much that content is as fine as noise: full scale tells what is noise
            coarse = coarse_noise_variance(frame.taken_grey.astype(np.float32))
            variance = min(variance, _COARSER * coarse / self._factor**2)
        self._variance = min(self._variance, variance)
        if not self._is_seen(taken, variance, full):
            self._needed, self._picture, self._count = False, None, None
        elif self._likeness is SMOOTHED and self._own is None:  # nobody else asks for grain
            self._own = noise_variance(frame.taken_grey.astype(np.float32)), coarse
            self._most = _MOST_SIGMA * full

    def soften(self, decision: Decision) -> Decision:
        """Return the decision of a frame with frames averaged where only noise tells them apart.

        Its `choice` keeps the decision as it was, for the maps.
        """
        if not self._needed:
            return decision
        grey = shrink(decision.frame.grey, self._factor).astype(np.float32)
        self._kept = either(self._kept, decision.kept)
        shown = decision.frame.shown(self._factor)
        if self._picture is None or self._count is None:
            self._picture, self._count = grey, np.ones_like(grey)
            if shown is not None:
                self._count *= shown
            return decision
        mixed = self._mixed(grey, decision.alpha, shown, decision.kept)
        return replace(decision, alpha=mixed, choice=decision.alpha)

    def _noise(self, grey: Float) -> float:
        """Return the variance of the noise of a luminance ``(h, w)`` of the working scale.

        At full scale it is told by pixels averaged two by two. What is reduced already is not
        reduced again: there content is as fine as noise.
        """
        return coarse_noise_variance(grey) if self._factor == 1 else noise_variance(grey)

    def _is_seen(self, grey: Float, variance: float, full: float) -> bool:
        """Return whether noise of a luminance ``(h, w)`` with a white of `full` can be seen."""
        seen = variance / full**2
        if seen < _LEAST_SIGMA**2:
            return False
        if self._factor > 1 or seen >= _LEAST_COARSE_SIGMA**2:
            return True
        return noise_variance(grey) >= (_LEAST_SIGMA * full) ** 2

    def _mixed(
        self, grey: Float, alpha: Float, shown: NDArray[np.bool_] | None, kept: Float | None
    ) -> Float:
        """Return the softened weight of a frame and take it into the running picture."""
        assert self._picture is not None
        assert self._count is not None
        difference = grey - self._picture
        if self._likeness is SMOOTHED:
            both = self._noise(grey) + self._noise(self._picture)
            apart = self._noise(difference)
            self._differing = max(self._differing, apart / max(both, 1e-9))
        distance = np.asarray(cv2.blur(difference * difference, (_WINDOW, _WINDOW)), np.float32)
        variance = np.float32(self._variance)
        count = np.maximum(self._count, np.float32(1e-3))  # none where no frame has shown anything
        expected = variance * np.float32(1 + self._likeness.chance) * (1 + 1 / count)
        excess = np.maximum(distance - expected, 0)
        alike = 1 / (1 + np.square(excess / (self._likeness.tolerance * variance)))
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
