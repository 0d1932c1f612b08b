"""The second opinion: looks at every decision of a network, and mends it where it lost much.

It is asked group by group, with all frames of a group at hand; what was fused before is one of
them. So nothing has to be looked at twice, and losses between groups are seen like those within.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import floats
from panfocus.arrays.types import Float, Pixels
from panfocus.guard import opinions
from panfocus.guard.blocks import Blocks, grey_of, half, soft_map
from panfocus.guard.greys import Greys
from panfocus.guard.mending import (
    LIGHT,
    Mending,
    blurred_light,
    either,
    joined,
    mixed,
    one_of,
    remaining,
    replaced,
    share_of,
)
from panfocus.guard.spot_keeper import SpotKeeper
from panfocus.systems import classical_systems

#: Noise that is left over the scale of `mending.LIGHT`, of white noise of 1; and how much of it is
#: a clear gain.
_LIGHT_NOISE = 1 / (2 * math.sqrt(math.pi) * LIGHT)
_CLEAR = 4.0


class Guard:
    """Looks after the decisions of one fusion."""

    def __init__(self, name: str) -> None:
        """Set up.

        Args:
            name: of the system, for messages.
        """
        self._name = name
        self._sectioned = False
        self._is_whole = False
        self._spots = SpotKeeper()
        self._nearness = 0.0
        self._decided: Float | None = None

    def check(
        self,
        frames: Sequence[Pixels] | Pixels,
        weights: Float,
        *,
        first: bool,
        shown: Sequence[NDArray[np.bool_] | None] = (),
    ) -> Float:
        """Return the weights, mended where they lose what a frame has.

        Args:
            frames: each ``(h, w, C)`` at the working scale, native or in [0, 1].
            weights: ``(N, h, w)``; the same array comes back where nothing is wrong.
            first: no frame of these was fused before; else the first is what was.
            shown: where each frame shows anything of its own, ``(h, w)``; None for everywhere.
        """
        greys = Greys(frames, shown)
        made = mixed(greys.halves, (half(weight) for weight in weights))
        mask: Float | None = None
        mending = self._blocks(frames, greys, made)
        if mending is not None:
            weights = joined(weights, mending)
            mask = mending.mask
        mending = self._spots.mending(
            greys, lambda: mixed(greys.whole, weights), keeps_light=self._sectioned
        )
        if mending is not None:
            weights = joined(weights, mending)
            mask = either(mask, mending.mask)
        before = None if first else self._decided
        if before is not None:  # where the guard's decision still stands
            before = before * (weights.argmax(axis=0) == 0)
        self._decided = either(mask, before)
        return weights

    def check_picture(self, frames: Float, picture: Float) -> Float:
        """Return a network's own picture, mended where it loses what a frame has.

        Args:
            frames: ``(N, h, w, C)`` in [0, 1].
            picture: ``(h, w, C)``.
        """
        greys = Greys(frames)
        mending = self._blocks(frames, greys, half(grey_of(picture)))
        if mending is not None:
            picture = replaced(picture, frames, mending)
            self._decided = mending.mask
        mending = self._spots.mending(greys, partial(grey_of, picture), keeps_light=self._sectioned)
        if mending is not None:
            picture = replaced(picture, frames, mending)
            self._decided = either(self._decided, mending.mask)
        return picture

    def _blocks(
        self, frames: Sequence[Pixels] | Pixels, greys: Greys, made: Float
    ) -> Mending | None:
        """Return what blocks of light and detail ask for."""
        blocks = Blocks.of(greys.halves, made)
        sectioning = opinions.sectioning(blocks)
        self._nearness = max(self._nearness, sectioning.nearness)
        if self._sectioned or sectioning.nearness >= 1:
            self._sectioned = True
            return self._lit(greys.whole, blocks.noise(), made)
        lost = opinions.lost(blocks)
        self._nearness = max(self._nearness, lost.nearness)
        if not (lost.is_whole or lost.has_regions):
            return None
        self._is_whole = True
        mask = np.ones(greys.shape, np.float32)
        if not lost.is_whole:
            grown = cv2.dilate(lost.dark.astype(np.float32), np.ones((5, 5), np.uint8))
            mask = soft_map(np.asarray(grown, np.float32), *greys.shape)
        return Mending(
            mask, classical_systems()["guided"].decide(np.stack([floats(one) for one in frames]))
        )

    def _lit(self, greys: Sequence[Float], noise: float, made: Float) -> Mending:
        """Return the brightest frame at every pixel, where it is brighter by more than noise."""
        light = np.stack([blurred_light(grey) for grey in greys])
        height, width = greys[0].shape
        large = cv2.resize(made, (width, height), interpolation=cv2.INTER_LINEAR)
        has = blurred_light(np.asarray(large, np.float32))
        clear = (light.max(axis=0) - has) > _CLEAR * noise * _LIGHT_NOISE
        grown = cv2.dilate(clear.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(np.float32)
        mask = np.asarray(cv2.blur(grown, (3, 3)), np.float32)
        return Mending(mask, one_of(light.argmax(axis=0), len(greys)))

    @property
    def kept(self) -> Float | None:
        """Where a frame must stay as it was chosen, ``(h, w)``; None for nowhere."""
        return self._spots.kept

    def confidence(self) -> Float | None:
        """What remains of the confidence, ``(h, w)``; None where the guard decided nothing."""
        return remaining(self._decided)

    def facts(self) -> dict[str, Any]:
        """Return what was done, in values that JSON can hold."""
        return {
            "share": share_of(self._decided),
            "sectioned": self._sectioned,
            "detail": self._is_whole,
            "spots": self._spots.count,
            "nearness": round(self._nearness, 3),
        }

    def notes(self) -> list[str]:
        """Return a line for the user about everything that was mended."""
        share = float(self.facts()["share"])
        out: list[str] = []
        if self._sectioned:
            out.append(
                f"{self._name} took darker frames of a stack whose blurred parts are dark, as in "
                f"optical sections; the brightest frame decided in {share:.0%} of the picture"
            )
        if self._is_whole:
            out.append(
                f"{self._name} took frames without the detail of others; "
                f"guided decided in {share:.0%} of the picture"
            )
        out += self._spots.notes(self._name)
        return out
