"""Spots on a dark ground that a decision loses, taken from the frames that show them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from panfocus.arrays.types import Float
from panfocus.guard import spots
from panfocus.guard.greys import Greys
from panfocus.guard.mending import Mending, blurred_light, either, one_of


class SpotKeeper:
    """Keeps the spots of one fusion.

    Attributes:
        count: spots that were lost, and taken from their frames.
        kept: where a frame must stay as it was chosen, ``(h, w)``; None for nowhere.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.count = 0
        self.kept: Float | None = None

    def mending(
        self, frames: Greys, result: Callable[[], Float], *, keeps_light: bool
    ) -> Mending | None:
        """Return what spots ask for; None where nothing is lost.

        Args:
            frames: that are decided between.
            result: makes the luminance ``(h, w)`` of what was decided.
            keeps_light: nothing may become darker. Where what is out of focus is dark, the
                surroundings of a spot are no haze.
        """
        if not frames.ground.is_dark:
            return None
        greys = frames.whole
        found = spots.find(greys)
        if not len(found.rows):
            return None
        self.kept = either(self.kept, found.painted()[0])
        made = result()
        has = spots.shares(found, made)
        missed = has < spots.KEPT
        if keeps_light:
            missed &= spots.brighter(found, greys, made)
        if not missed.any():
            return None
        self.count += int((missed & (has < spots.LOST)).sum())
        found = found.take(missed)
        mask, index = found.painted()
        if keeps_light:
            taken = np.take_along_axis(np.stack(greys), index[None], axis=0)[0]
            is_lit = blurred_light(taken) >= blurred_light(made)
            mask = np.where(is_lit, mask, found.painted(radius=2)[0])
        return Mending(mask, one_of(index, len(greys)))

    def notes(self, name: str) -> list[str]:
        """Return a line for the user if any was taken from its frame.

        Args:
            name: of the system that lost them.
        """
        if not self.count:
            return []
        places = "1 spot" if self.count == 1 else f"{self.count} spots"
        return [f"{name} lost {places}; each was taken from the frame that shows it brightest"]
