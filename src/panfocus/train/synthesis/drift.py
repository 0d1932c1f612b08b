"""How what is out of focus lies and shines otherwise, as behind lenses that breathe."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from panfocus.arrays.types import Float
from panfocus.synthesis.layers import Layer
from panfocus.train.synthesis.odds import Odds


@dataclass(frozen=True)
class Drift:
    """How what is out of focus lies and shines otherwise than when in focus.

    Attributes:
        matrix: ``(2, 3)``, from the picture to where it lies; None to stay.
        gain: of its light.
    """

    matrix: Float | None
    gain: float

    def moved(self, picture: Float) -> Float:
        """Move ``(H, W[, 3])``; what comes in from outside is mirrored."""
        if self.matrix is None:
            return picture
        size = (picture.shape[1], picture.shape[0])
        out = cv2.warpAffine(picture, self.matrix, size, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(out, np.float32)

    def __call__(self, light: Float) -> Float:
        """Move and dim or brighten light ``(H, W, 3)``."""
        return light if self.matrix is None else self.moved(light) * np.float32(self.gain)

    def layer(self, still: Layer) -> Layer:
        """Move and dim a layer of a scene, its matte with it."""
        matte = None if still.matte is None else self.moved(still.matte)
        return replace(still, colour=self(still.colour), matte=matte)

    def part(self, share: float) -> Drift:
        """Return a share of it."""
        if self.matrix is None:
            return self
        still = np.eye(2, 3, dtype=np.float32)
        matrix = np.asarray(still + share * (self.matrix - still), np.float32)
        return Drift(matrix, 1 + share * (self.gain - 1))

    def bent(self, light: Float, share: Float) -> Float:
        """Move and dim each pixel of light ``(H, W, 3)`` by its own share ``(H, W)``."""
        if self.matrix is None:
            return light
        y, x = np.indices(share.shape, np.float32)
        to_x, to_y = (
            start + share * (row[0] * x + row[1] * y + row[2] - start)
            for row, start in zip(self.matrix, (x, y), strict=True)
        )
        map_x, map_y = (np.asarray(m, np.float32) for m in (to_x, to_y))
        mirror = cv2.BORDER_REFLECT_101
        out = cv2.remap(light, map_x, map_y, cv2.INTER_LINEAR, borderMode=mirror)
        return np.asarray(out * (1 + share * (self.gain - 1))[..., None], np.float32)


def drifting(rng: np.random.Generator, size: int, odds: Odds) -> Drift:
    """Draw a drift of up to 6 px (rarely) and 2 % of scale, and 6 % of light; mostly none."""
    if rng.random() >= odds.moved:
        return Drift(None, 1.0)
    grown, turned_by = 1 + rng.uniform(-0.02, 0.02), rng.uniform(-0.005, 0.005)
    centre = size / 2
    away = rng.uniform(-1, 1, 2)
    shift = 6 * away * np.abs(away) + centre - grown * centre
    matrix = [[grown, -turned_by, shift[0]], [turned_by, grown, shift[1]]]
    return Drift(np.array(matrix, np.float32), float(rng.uniform(0.94, 1.06)))
