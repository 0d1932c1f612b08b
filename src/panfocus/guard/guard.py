"""The second opinion: looks at every decision of a network, and mends it where it lost much.

It is asked group by group, with all frames of a group at hand; what was fused before is one of
them. So nothing has to be looked at twice, and losses between groups are seen like those within.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ground import is_dark_ground
from panfocus.arrays.pixels import floats
from panfocus.arrays.types import Float, Pixels
from panfocus.guard import opinions, spots
from panfocus.guard.blocks import Blocks, enlarged, grey_of, half
from panfocus.guard.greys import Greys
from panfocus.systems import classical_systems

#: Sigma over which the light of sections is compared, pixels of the working scale.
_LIGHT = 1.5
#: Noise that is left over that scale, of white noise of 1; and how much of it is a clear gain.
_LIGHT_NOISE = 1 / (2 * math.sqrt(math.pi) * _LIGHT)
_CLEAR = 4.0
#: What remains of the confidence where the guard decided.
CONFIDENCE = 0.25


@dataclass(frozen=True)
class Mending:
    """What to take, and where.

    Attributes:
        mask: how much of it, ``(h, w)`` in [0, 1].
        weights: of the frames, ``(N, h, w)``.
    """

    mask: Float
    weights: Float


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
        self._spots = 0
        self._nearness = 0.0
        self._decided: Float | None = None
        self._kept: Float | None = None

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
        made = _mixed(list(greys.halves), np.stack([half(weight) for weight in weights]))
        mask: Float | None = None
        mending = self._blocks(frames, greys, made)
        if mending is not None:
            weights = _joined(weights, mending)
            mask = mending.mask
        mending = self._spotted(greys, lambda: _mixed(greys.whole, weights))
        if mending is not None:
            weights = _joined(weights, mending)
            mask = mending.mask if mask is None else np.maximum(mask, mending.mask)
        self._remember(mask, weights, first=first)
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
            picture = _replaced(picture, frames, mending)
            self._decided = mending.mask
        mending = self._spotted(greys, partial(grey_of, picture))
        if mending is not None:
            picture = _replaced(picture, frames, mending)
            decided = self._decided
            self._decided = mending.mask if decided is None else np.maximum(decided, mending.mask)
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
            mask = enlarged(np.asarray(grown, np.float32), *greys.shape)
        return Mending(
            mask, classical_systems()["guided"].decide(np.stack([floats(one) for one in frames]))
        )

    def _lit(self, greys: Sequence[Float], noise: float, made: Float) -> Mending:
        """Return the brightest frame at every pixel, where it is brighter by more than noise."""
        light = np.stack([_light(grey) for grey in greys])
        height, width = greys[0].shape
        large = cv2.resize(made, (width, height), interpolation=cv2.INTER_LINEAR)
        has = _light(np.asarray(large, np.float32))
        clear = (light.max(axis=0) - has) > _CLEAR * noise * _LIGHT_NOISE
        grown = cv2.dilate(clear.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(np.float32)
        mask = np.asarray(cv2.blur(grown, (3, 3)), np.float32)
        return Mending(mask, _one_of(light.argmax(axis=0), len(greys)))

    def _spotted(self, reduced: Greys, result: Callable[[], Float]) -> Mending | None:
        """Return what spots ask for."""
        if not is_dark_ground(reduced.halves):
            return None
        greys = reduced.whole
        found = spots.find(greys)
        if not len(found.rows):
            return None
        kept = found.painted()[0]
        self._kept = kept if self._kept is None else np.maximum(self._kept, kept)
        made = result()
        missed = spots.missed(found, made)
        if self._sectioned:  # there the surroundings of a spot are not haze, and none may darken
            missed &= spots.brighter(found, greys, made)
        if not missed.any():
            return None
        self._spots += int(missed.sum())
        found = found.take(missed)
        mask, index = found.painted()
        if self._sectioned:
            taken = np.take_along_axis(np.stack(greys), index[None], axis=0)[0]
            mask = np.where(_light(taken) >= _light(made), mask, found.painted(radius=2)[0])
        return Mending(mask, _one_of(index, len(greys)))

    def _remember(self, mask: Float | None, weights: Float, *, first: bool) -> None:
        """Keep where the guard's decision still stands."""
        before = self._decided
        if not first and before is not None:
            before = before * (weights.argmax(axis=0) == 0)
            mask = before if mask is None else np.maximum(mask, before)
        self._decided = mask

    @property
    def kept(self) -> Float | None:
        """Where a frame must stay as it was chosen, ``(h, w)``; None for nowhere."""
        return self._kept

    def confidence(self) -> Float | None:
        """What remains of the confidence, ``(h, w)``; None where the guard decided nothing."""
        if self._decided is None:
            return None
        return 1 - self._decided * np.float32(1 - CONFIDENCE)

    def facts(self) -> dict[str, Any]:
        """Return what was done, in values that JSON can hold."""
        share = 0.0 if self._decided is None else float((self._decided > 0.5).mean())
        return {
            "share": round(share, 4),
            "sectioned": self._sectioned,
            "detail": self._is_whole,
            "spots": self._spots,
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
        if self._spots:
            places = "1 spot" if self._spots == 1 else f"{self._spots} spots"
            out.append(
                f"{self._name} lost {places}; each was taken from the frame that shows it brightest"
            )
        return out


def _mixed(greys: Sequence[Float], weights: Float) -> Float:
    made = np.zeros_like(greys[0])
    for grey, weight in zip(greys, weights, strict=True):
        cv2.accumulateProduct(grey, weight, made)
    return made


def _replaced(picture: Float, frames: Float, mending: Mending) -> Float:
    taken = np.einsum("nhwc,nhw->hwc", frames, mending.weights)
    return np.asarray(picture + (taken - picture) * mending.mask[..., None], np.float32)


def _joined(weights: Float, mending: Mending) -> Float:
    return np.asarray(weights + (mending.weights - weights) * mending.mask, np.float32)


def _one_of(index: NDArray[np.intp], count: int) -> Float:
    """Return weights of 1 for the frame of an index ``(h, w)``, ``(N, h, w)``."""
    return (index == np.arange(count)[:, None, None]).astype(np.float32)


def _light(grey: Float) -> Float:
    size = 2 * round(3 * _LIGHT) + 1
    return np.asarray(cv2.GaussianBlur(grey, (size, size), _LIGHT), np.float32)
