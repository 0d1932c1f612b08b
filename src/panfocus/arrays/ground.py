"""Whether most of a scene is dark, as behind fluorescence."""

from __future__ import annotations

from typing import Self

import cv2
import numpy as np

from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float
from panfocus.frozen import frozen

#: The ground is dark when its median is above its darkest hundredth by less than this share of the
#: range, in the brightest of all frames.
DARK_GROUND = 0.12
#: A median of so much more than that, and above this share of white, is of a scene in the light;
#: noise alone has the first, in frames that show nothing.
_CLEARLY = 2 * DARK_GROUND
_LIT = 0.2


@frozen
class Ground:
    """What most of a scene is like, in the brightest of its frames.

    Attributes:
        darkest: its darkest hundredth.
        median: its median.
        brightest: its brightest pixel.
    """

    darkest: float
    median: float
    brightest: float

    @classmethod
    def of(cls, frames: Float) -> Self:
        """Look at luminances ``(N, h, w)``."""
        brightest = np.asarray(cv2.blur(frames.max(axis=0), (3, 3)), np.float32)
        sample = brightest[::2, ::2].ravel()
        median = float(np.partition(sample, sample.size // 2)[sample.size // 2])
        return cls(float(ends(sample, 0.01)[0]), median, float(brightest.max()))

    @property
    def is_dark(self) -> bool:
        """Whether most is dark and alike; so it is also when one part is bright in every frame."""
        span = self.brightest - self.darkest
        return span > 0 and self.median - self.darkest < DARK_GROUND * span

    @property
    def is_lit(self) -> bool:
        """Whether most of frames in [0, 1] is beyond doubt in the light.

        Whatever frames of the scene follow, its ground will not be dark.
        """
        span = self.brightest - self.darkest
        return self.median > _LIT and self.median - self.darkest > _CLEARLY * span
