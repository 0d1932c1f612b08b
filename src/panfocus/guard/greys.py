"""Luminances of frames that are looked at: by half of their scale always, whole where needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ground import Ground
from panfocus.arrays.types import Float, Pixels
from panfocus.guard.blocks import grey_of, half

#: Pixels that are reduced at once: their floats stay in the processor's cache.
_BAND = 1 << 16


class Greys:
    """Luminances in [0, 1] of frames of one size.

    Few decisions are doubted so that all of it is needed; a frame in floats is twelve times as
    large as its half.
    """

    def __init__(
        self, frames: Sequence[Pixels] | Pixels, shown: Sequence[NDArray[np.bool_] | None] = ()
    ) -> None:
        """Take frames.

        Args:
            frames: each ``(h, w, C)``, native or in [0, 1].
            shown: where each shows anything of its own, ``(h, w)``; None for everywhere. The rest
                is filled by the mean of the others.
        """
        self._frames = frames
        self._shown = shown

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self._frames[0].shape[:2]
        return height, width

    def __len__(self) -> int:
        """How many frames."""
        return len(self._frames)

    @cached_property
    def whole(self) -> list[Float]:
        """Of every frame, ``(h, w)``."""
        return _filled([grey_of(frame) for frame in self._frames], self._shown)

    @cached_property
    def ground(self) -> Ground:
        """What most of the scene is like, by half of the scale."""
        return Ground.of(self.halves)

    @cached_property
    def halves(self) -> Float:
        """By half of the scale, ``(N, h / 2, w / 2)``."""
        if any(mask is not None for mask in self._shown) or min(self.shape) < 2:
            return np.stack([half(grey) for grey in self.whole])
        height, width = (side // 2 for side in self.shape)
        out = np.empty((len(self), height, width), np.float32)
        step = max(_BAND // (4 * width), 1)
        for frame, small in zip(self._frames, out, strict=True):
            for top in range(0, height, step):
                stop = min(top + step, height)
                small[top:stop] = half(grey_of(frame[2 * top : 2 * stop]))
        return out


def _filled(greys: list[Float], shown: Sequence[NDArray[np.bool_] | None]) -> list[Float]:
    """Return the frames with what they do not show filled by the mean of the others."""
    total: Float | None = None
    out = greys.copy()
    for n, mask in enumerate(shown):
        if mask is None:
            continue
        total = np.asarray(sum(greys), np.float32) if total is None else total
        others = (total - greys[n]) / np.float32(len(greys) - 1)
        out[n] = np.where(mask, greys[n], others)
    return out
