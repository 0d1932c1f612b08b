"""Places that a brighter frame burnt out: there it shows nothing of the scene.

What is white stays white when a frame is darkened to match the reference (`curves`), for nothing
tells how bright it was. So the frame is hidden there, and frames that are not burnt out, the
reference at least, show the place. Where it is darkened by little, white is nearly right: then what
lies beside white of the reference stays, as it is mostly burnt out in all frames, and the sharpest
of them has the edges around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Pixels
from panfocus.frame import Frame
from panfocus.registration.curves import Curve
from panfocus.registration.transforms import Crop, Matrix
from panfocus.registration.warp import window_of

#: Share of white from which on a pixel is burnt out, noise and compression allowed for; and of a
#: reduced copy of the reference, where all that it averages is.
_BURNT, _WHITE = 0.985, 0.995
#: Share of its levels that a frame must lose for its white to be wrong, and from which on it is so
#: wrong that it is hidden wherever it is. MEASURED: a pair of frames darkened by 6 and 3 % lost 3.8
#: dB by that; of 15 stacks darkened by 12 % and more 12 gained up to 8 dB beside hiding them only
#: where the reference is not white, and three, of small lights, lost up to .7.
_SOME, _FAR = 0.02, 0.1
#: Pixels that are beside white of the reference: blur spreads it over some of them.
_BESIDE = 12
#: Pixels around what is burnt out that it spoils, as they are clipped in part; and that it must
#: reach in all directions for that: of grains of a texture one pixel is enough.
_AROUND, _LARGE = 3, 2

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Highlights:
    """Where the reference frame is white.

    Attributes:
        white: ``(h, w)``, of a reduced copy.
        factor: by which it is reduced.
    """

    white: Mask
    factor: int

    @classmethod
    def of(cls, small: Frame, factor: int, share: float = 1.0) -> Highlights:
        """Return those of a reduced frame; `share`: of the samples' range that is white."""
        level = _WHITE * white(small.pixels.dtype) * share
        return cls(burnt_out(small.pixels, level, has_alpha=small.has_alpha) > 0, factor)

    def hide(
        self, placed: Frame, pixels: Pixels, curve: Curve | None, matrix: Matrix, field: Crop
    ) -> Frame:
        """Return a frame in place that is not shown where it is burnt out.

        Args:
            placed: the frame in place, see `Registration.place`.
            pixels: ``(H, W[, C])``, its own as they were taken.
            curve: by which it was made as bright as the reference.
            matrix: from the reference frame to it, pixels.
            field: of the reference frame, that is made.
        """
        if curve is None or not darkens(curve):
            return placed
        level = _BURNT * white(pixels.dtype) * curve.white
        burnt = burnt_out(pixels, level, has_alpha=placed.has_alpha)
        if not burnt.any():
            return placed
        large = cv2.morphologyEx(burnt, cv2.MORPH_OPEN, _square(_LARGE))
        grown = (cv2.dilate(burnt, _square(1)), cv2.dilate(large, _square(_AROUND)))
        around = cv2.bitwise_or(*grown)
        size = (field.right - field.left, field.bottom - field.top)
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        there = cv2.warpPerspective(around, window_of(matrix, field), size, flags=flags)
        hidden = np.asarray(there) > 0
        if float(curve.gain.mean()) >= 1 - _FAR:
            hidden &= ~self._in_field(field)
        shown = np.where(hidden, np.uint8(0), np.uint8(255))
        cover = shown if placed.cover is None else np.minimum(placed.cover, shown)
        return replace(placed, cover=cover) if hidden.any() else placed

    @cached_property
    def _near(self) -> Mask:
        side = 2 * -(-_BESIDE // self.factor) + 1
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        return np.asarray(cv2.dilate(self.white.astype(np.uint8), around)) > 0

    def _in_field(self, field: Crop) -> Mask:
        """Return what is white in the reference or beside that, ``(h, w)`` of a field."""
        mask = self._near
        rows, cols = (
            np.clip(np.arange(first, last) // self.factor, 0, count - 1)
            for first, last, count in (
                (field.top, field.bottom, mask.shape[0]),
                (field.left, field.right, mask.shape[1]),
            )
        )
        return mask[rows[:, None], cols]


def _square(reach: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)


def darkens(curve: Curve | None) -> bool:
    """Whether a curve makes a frame so much darker that its white is wrong."""
    return curve is not None and bool(np.any(curve.log)) and float(curve.gain.mean()) < 1 - _SOME


def burnt_out(pixels: Pixels, level: float, *, has_alpha: bool = False) -> NDArray[np.uint8]:
    """Return where any colour of ``(H, W[, C])`` reaches a level, 255 there and 0 elsewhere."""
    colours = np.ascontiguousarray(pixels[..., :-1] if has_alpha else pixels)
    channels = 1 if colours.ndim == 2 else colours.shape[2]
    is_float = colours.dtype.kind == "f"
    below = float(
        np.nextafter(np.float32(level), np.float32(0)) if is_float else np.ceil(level) - 1
    )
    least = float(np.finfo(np.float32).min) if is_float else 0.0
    inside = cv2.inRange(colours, np.full(channels, least), np.full(channels, below))
    return np.asarray(cv2.bitwise_not(inside), np.uint8)
