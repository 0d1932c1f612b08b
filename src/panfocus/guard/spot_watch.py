"""The second opinion on systems that measure every frame alone: spots that they lose.

Frames come one by one and are not held, so each is compared with what was fused before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.guard.greys import Greys
from panfocus.guard.mending import either, joined, mixed, remaining, share_of
from panfocus.guard.spot_keeper import SpotKeeper


class SpotWatch:
    """Looks after the spots of one fusion.

    Once the ground of a scene is seen to be in the light, nothing is looked at any more.
    """

    def __init__(self, name: str) -> None:
        """Set up.

        Args:
            name: of the system, for messages.
        """
        self._name = name
        self._spots = SpotKeeper()
        self._made: Float | None = None
        self._decided: Float | None = None
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether no frame needs to be shown any more."""
        return self._is_over

    @property
    def kept(self) -> Float | None:
        """Where a frame must stay as it was chosen, ``(h, w)``; None for nowhere."""
        return self._spots.kept

    def check(self, grey: Float, alpha: Float, shown: NDArray[np.bool_] | None = None) -> Float:
        """Return how much of the next frame is taken, mended where a spot would be lost.

        Args:
            grey: its luminance ``(h, w)`` in [0, 1] at the working scale.
            alpha: how much of it was to be taken, ``(h, w)`` in [0, 1].
            shown: where it shows anything of its own, ``(h, w)``; None for everywhere.
        """
        made = self._made
        if made is None:
            self._made = grey.copy()
            return alpha
        greys = Greys([made[..., None], grey[..., None]], [None, shown])
        if self._spots.kept is None and greys.ground.is_lit:
            self._is_over, self._made = True, None
            return alpha
        weights = np.stack([1 - alpha, alpha])
        mending = self._spots.mending(greys, lambda: mixed(greys.whole, weights), keeps_light=True)
        if mending is not None:
            weights = joined(weights, mending)
            alpha = np.ascontiguousarray(weights[1])
        before = self._decided
        if before is not None:  # where the decision is still that of the watch
            before = before * (alpha <= 0.5)
        self._decided = either(None if mending is None else mending.mask, before)
        self._made = np.asarray(made + (grey - made) * alpha, np.float32)
        return alpha

    def confidence(self) -> Float | None:
        """What remains of the confidence, ``(h, w)``; None where the watch decided nothing."""
        return remaining(self._decided)

    def facts(self) -> dict[str, Any]:
        """Return what was done, in values that JSON can hold."""
        return {"share": share_of(self._decided), "spots": self._spots.count}

    def notes(self) -> list[str]:
        """Return a line for the user about everything that was mended."""
        return self._spots.notes(self._name)
