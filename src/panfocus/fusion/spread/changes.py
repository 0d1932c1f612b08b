"""What mending spread light changes in a picture, and how it is put in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.enlarging import scaled
from panfocus.arrays.tiles import Window, windows
from panfocus.arrays.types import Float, Pixels, SampleT
from panfocus.frame import Frame, Tile
from panfocus.frozen import frozen
from panfocus.fusion.spread.layers import Behind
from panfocus.fusion.spread.light import Encoding, brightest, grown

#: Side of the tiles in which the picture is changed, pixels of full scale.
_TILE = 256
#: Part of the range of values by which a pixel must change to be counted.
_SEEN = 0.008


@frozen
class Changes:
    """What is changed, and how far, with the first frame's thing in front and the second's."""

    area: Tile
    scale: int
    how: Encoding
    found: Sequence[Behind]
    weights: Sequence[Float]

    def applied(self, picture: Pixels, frames: Sequence[Frame]) -> tuple[Pixels, float]:
        """Return a picture with the changes made, and the part that changed visibly."""
        out, changed = picture.copy(), 0
        area = scaled(self.area, self.scale)
        inside = out[area]
        pixels = [frame.region(area) for frame in frames]
        tile = max(_TILE // self.scale, 1)
        height, width = self.weights[0].shape
        for window in windows(height, width, tile, 2):
            for k, weight in enumerate(self.weights):
                if weight[window.core].any():
                    changed += self._change(inside, pixels[k], pixels[1 - k], window, k)
        return out, changed / (picture.shape[0] * picture.shape[1])

    def _change(self, out: Pixels, near: Pixels, far: Pixels, window: Window, k: int) -> int:
        """Change a tile of the picture; return how many of its pixels changed visibly."""
        read, core, inner = (
            scaled(part, self.scale) for part in (window.read, window.core, window.inner)
        )
        layers = self.found[k].layers.grown(window.read, self.scale)
        weight = grown(self.weights[k][window.read], self.scale)
        sharp, other = (self.how.linear(deep(each[read])) for each in (near, far))
        light = layers.in_focus(sharp, other)
        made = self.how.samples(light)[inner]
        before = deep(out[core]).astype(np.float32)
        step = weight[inner][..., None] * (made - before)
        after = before + step
        after = np.rint(after) if out.dtype.kind != "f" else after
        out[core] = after.reshape(out[core].shape)
        return int(np.count_nonzero(brightest(np.abs(step)) > _SEEN * self.how.top))


def deep(values: NDArray[SampleT]) -> NDArray[SampleT]:
    """Return ``(H, W, C)`` of what may be ``(H, W)`` where there is one channel."""
    return values if values.ndim == 3 else values[..., None]
