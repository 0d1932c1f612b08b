"""How frames of a stack lie against the truth: growing, turned, shifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from panfocus.errors import UsageError


@dataclass(frozen=True)
class Motion:
    """How a frame lies against the truth: scaled and turned about the centre, then shifted.

    Attributes:
        scale: size of things in the frame over their size in the truth.
        rotation: degrees, from x towards y, which is clockwise as seen.
        shift_x: pixels to the right.
        shift_y: pixels down.
    """

    scale: float = 1.0
    rotation: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def matrix(self, height: int, width: int) -> NDArray[np.float64]:
        """Return ``(2, 3)``, from coordinates (x, y, 1) in the truth to those in the frame."""
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        angle = np.deg2rad(self.rotation)
        turn = self.scale * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        shift = centre - turn @ centre + [self.shift_x, self.shift_y]
        return np.column_stack([turn, shift])


def draw_motions(
    rng: Generator, count: int, growth: float = 0.004, shift: float = 2.5, turn: float = 0.15
) -> tuple[Motion, ...]:
    """Draw how `count` frames grow, shift and turn against the middle one, which stays.

    Args:
        rng: source of randomness.
        count: frames.
        growth: of scale from frame to frame.
        shift: at most, in pixels, along x and along y.
        turn: at most, in degrees.
    """
    middle = count // 2
    return tuple(
        Motion()
        if n == middle
        else Motion(
            1 + growth * (n - middle), rng.uniform(-turn, turn), *rng.uniform(-shift, shift, 2)
        )
        for n in range(count)
    )


def margin_of(motions: Sequence[Motion], height: int, width: int) -> int:
    """Return the border in pixels beyond which every frame shows what lies in the truth.

    Raises:
        UsageError: nothing is left of the picture.
    """
    half = max(height, width) / 2
    reach = max(
        half * (abs(m.scale - 1) + abs(np.deg2rad(m.rotation)))
        + max(abs(m.shift_x), abs(m.shift_y))
        for m in motions
    )
    margin = int(np.ceil(reach)) + 4  # 4 for the taps of the interpolation
    if 2 * margin >= min(height, width):
        raise UsageError(
            "the pictures are too small for so many frames that breathe",
            expected=f"more than {2 * margin} pixels a side",
            got=f"{width} x {height}",
        )
    return margin
