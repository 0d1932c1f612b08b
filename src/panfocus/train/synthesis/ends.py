"""Pictures that end before a network's field does.

A network takes sides of certain multiples only. What is missing below and on the right is filled
with `PAD`, and a network that never saw such an end in training decides badly beside it.
"""

from __future__ import annotations

import numpy as np

from panfocus.arrays.types import Float
from panfocus.systems.planes import PAD
from panfocus.train.synthesis.samples import Sample

#: Pictures end by less than so many pixels before the field does.
STRIDE = 16


class End:
    """Pushes arrays ``(..., H, W)`` up and left, all by the same, and fills what is left behind.

    Args:
        rng: draws by how much.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._down, self._across = (int(n) for n in rng.integers(0, STRIDE, 2))

    def pushed(self, array: Float, value: float = PAD) -> Float:
        """Return the array pushed, with `value` behind it."""
        out = np.full_like(array, value)
        height, width = array.shape[-2:]
        kept = array[..., self._down :, self._across :]
        out[..., : height - self._down, : width - self._across] = kept
        return out


def ended(rng: np.random.Generator, sample: Sample) -> Sample:
    """Return a pair whose pictures end before its field; nothing is asked for beyond."""
    end = End(rng)
    return sample._replace(
        first=end.pushed(sample.first),
        second=end.pushed(sample.second),
        truth=end.pushed(sample.truth),
        mask=end.pushed(sample.mask, 0.5),
        valid=end.pushed(sample.valid, 0.0),
        clean=end.pushed(sample.clean),
    )
