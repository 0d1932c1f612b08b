"""Pictures as training keeps them: RGB of 8 or 16 bits, in the range that fusing decides in.

A stack whose numbers fill a small part of their range, as a camera's 12 bits in a file of 16 do, is
stretched before a network decides (`panfocus.systems.intensity`); what it learns from must be too.
Frames of 8 bits that fill their range stay as they are, to the bit. All others become 16 bits, so
that no level is lost: 12 bits have 4096 of them, of which a picture of 8 bits would keep 17.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink, white, working_factor
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Pixels
from panfocus.frame import Frame
from panfocus.systems.intensity import LOOKED_AT, MARGIN, OUTSIDE, Stretch

Float = NDArray[np.float32]
#: RGB ``(H, W, 3)``, white at the largest number of its dtype.
Picture = NDArray[np.uint8 | np.uint16]

#: Pixels above which a network decides at a reduced scale (the bundled systems' cards), and above
#: which its training material is reduced alike: by whole blocks. A reduced picture is sharper than
#: the same one whole, so that more reduction than in use would teach another sharpness.
MOST_PIXELS = 2_700_000


def colours_of(item: Frame) -> Pixels:
    """Return a frame without opacity, ``(H, W)`` or ``(H, W, 3)``, native."""
    pixels = item.pixels
    if pixels.ndim == 2:
        return pixels
    if item.has_alpha:
        pixels = pixels[..., :-1]
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def reduced(pixels: Pixels) -> Pixels:
    """Shrink as fusing does before it decides; pictures that it takes whole stay as they are."""
    height, width = pixels.shape[:2]
    return shrink(pixels, working_factor(height, width, MOST_PIXELS))


def size_of(height: int, width: int) -> tuple[int, int]:
    """Return height and width of a frame once it is `reduced`."""
    factor = working_factor(height, width, MOST_PIXELS)
    return height // factor, width // factor


class Range(NamedTuple):
    """How the numbers of a set become those of pictures.

    Attributes:
        stretch: None where they fill their range.
        is_wide: whether 8 bits would lose levels.
    """

    stretch: Stretch | None
    is_wide: bool

    @classmethod
    def of(cls, frames: Iterable[Pixels], count: int) -> Range:
        """Look at all `count` frames of a set once, as `Stretch.of` does."""
        seen: list[Float] = []
        is_wide = False
        for frame in frames:
            is_wide = is_wide or frame.dtype != np.uint8
            step = math.ceil(max(count * frame.size / LOOKED_AT, 1) ** 0.5)
            sample = frame[::step, ::step].astype(np.float32)
            seen.append((sample / np.float32(white(frame.dtype))).ravel())
        values = np.concatenate(seen)
        # as a stack of frames of one pixel a row: it is looked at whole
        stretch = Stretch.of(values.reshape(1, 1, -1, 1)) or _of_negative(values)
        return cls(stretch, is_wide or stretch is not None)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pictures."""
        return np.dtype(np.uint16 if self.is_wide else np.uint8)

    def picture(self, pixels: Pixels) -> Picture:
        """Return the picture ``(H, W, 3)`` of native pixels ``(H, W[, 3])``; grey is repeated."""
        values = self._values(pixels)
        if values.ndim == 2:
            values = np.repeat(values[..., None], 3, axis=2)
        return np.ascontiguousarray(values)

    def _values(self, pixels: Pixels) -> Picture:
        if self.stretch is None and pixels.dtype == self.dtype:
            return np.asarray(pixels, self.dtype)
        unit = pixels.astype(np.float32) / np.float32(white(pixels.dtype))
        unit = np.clip(unit, 0, 1) if self.stretch is None else self.stretch.apply(unit)
        return np.rint(unit * np.float32(65535)).astype(np.uint16)


def _of_negative(values: Float) -> Stretch | None:
    """Return a stretch for floats below 0, which whole numbers cannot hold; None without any."""
    low, high = ends(values, OUTSIDE)
    return Stretch(low, (1 - 2 * MARGIN) / (high - low)) if low < 0 < high - low else None


def unit(picture: Picture) -> Float:
    """Return any part of a picture as float32 in [0, 1], same shape."""
    return np.asarray(picture.astype(np.float32) / np.float32(white(picture.dtype)), np.float32)


def luminance(picture: Picture) -> Float:
    """Return luminance ``(H, W)`` in grey levels of 255, with fractions where there are 16 bits."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    return grey if picture.dtype == np.uint8 else grey / np.float32(257)
