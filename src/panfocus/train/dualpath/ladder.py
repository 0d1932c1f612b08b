"""Blurring each pixel by its own circle of confusion, between the steps of a ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from panfocus.arrays.types import Float
from panfocus.synthesis import defocus as lens
from panfocus.train.synthesis.blur import ring

#: Circles of confusion, as shares of the largest, between which a ramp's blur is interpolated.
LADDER = (0.0, 0.06, 0.14, 0.26, 0.45, 0.7, 1.0)


class Ladder(NamedTuple):
    """A background ``(H, W, 3)`` at growing circles of confusion, to blur each pixel by its own.

    Attributes:
        radii: the circles, pixels, from 0.
        plain: ``(R, H, W, 3)``.
        rings: what defocus before the background's depth adds, and behind it takes away; or None.
    """

    radii: Sequence[float]
    plain: Float
    rings: Float | None

    @classmethod
    def of(
        cls,
        back: Float,
        radii: Sequence[float],
        aperture: lens.Aperture,
        by: np.float32 | None,
    ) -> Ladder:
        """Blur `back`; in bright field, `by` tells how much contrast it gains (`Odds.ringed`)."""
        plain = np.stack([lens.defocus(back, r, aperture) for r in radii])
        if by is None:
            return cls(radii, plain, None)
        rings = [by * ring(soft, r) for soft, r in zip(plain, radii, strict=True)]
        return cls(radii, plain, np.stack(rings))

    def at(self, offset: Float) -> Float:
        """Return the picture for signed circles of confusion ``(H, W)``."""
        soft = along(self.plain, self.radii, np.abs(offset))
        if self.rings is None:
            return soft
        added = along(self.rings, self.radii, np.abs(offset))
        return np.maximum(soft + np.sign(offset)[..., None] * added, 0)


def along(ladder: Float, blurs: Sequence[float], wanted: Float) -> Float:
    """Blur each pixel by its own circle ``wanted (H, W)``, between the steps of a ladder."""
    out = np.zeros(ladder.shape[1:], np.float32)
    place = np.interp(wanted, blurs, np.arange(len(blurs))).astype(np.float32)
    for k, share in lens.rungs(place, len(blurs)):
        out += share[..., None] * ladder[k]
    return out
