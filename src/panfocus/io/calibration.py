"""Uneven light, dust, what a covered camera shows, and hot pixels: taken away as frames are read.

    C = (R - D) m / (F - D)

of a frame R, a dark frame D and a flat field F, all in light as measured, with m the mean of F - D
over the picture, for each colour alone: brightness and colour stay, their unevenness goes
(Seibert, Boone and Lindfors, "Flat-field correction technique for digital detectors", SPIE 3336,
1998). Encoded values are decoded before and encoded after, by the curve of sRGB (IEC 61966-2-1),
and the bit depth stays. All is done where the sensor had its pixels, before a frame is turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.hot_pixels import SpoiltPixels
from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float
from panfocus.frame import Metadata
from panfocus.io.icc import is_linear

#: Formats whose numbers are encoded whatever else they say; so is colour of 8 bits.
_ENCODED = ("JPEG", "WebP", "HEIC", "AVIF", "JPEG XL", "JPEG 2000", "GIF", "PSD", "video")
_BAND = 1 << 20


def is_encoded(kind: str, dtype: str, channels: int, metadata: Metadata) -> bool:
    """Whether a frame's numbers follow sRGB's curve, and not light itself.

    A profile tells. Without one, photographs' formats and 8-bit colour do; grey of any depth and 16
    bits per colour, as microscopes and machine vision write them, hold light.

    Args:
        kind: the format, see `panfocus.io.frames.Format`; of a developed RAW the profile tells too.
        dtype: of the pixels.
        channels: with opacity.
        metadata: of the frame.
    """
    if metadata.icc is not None:
        return not is_linear(metadata.icc)
    told = kind in _ENCODED or kind == "camera RAW" or bool(metadata.png_colour)
    return told or (dtype == "uint8" and channels > 2)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is done to every frame of a stack.

    Attributes:
        dark: ``(H, W, C)`` light that is no light of the scene, 1 for white; None for none.
        gain: ``(H, W, C)`` m / (F - D); None for 1.
        spoilt: samples that are mended; None for none.
    """

    dark: Float | None = None
    gain: Float | None = None
    spoilt: SpoiltPixels | None = None

    @property
    def memory_bytes(self) -> int:
        """What it holds all the while."""
        return sum(each.nbytes for each in (self.dark, self.gain) if each is not None)

    def applied(self, pixels: NDArray[Any], *, has_alpha: bool, encoded: bool) -> NDArray[Any]:
        """Return a frame without what is taken away.

        Args:
            pixels: ``(H, W[, C])`` uint8 or uint16 as the sensor has them; left as they are.
            has_alpha: whether the last channel is opacity, which stays.
            encoded: see `is_encoded`.
        """
        out = pixels.copy()
        view = out if out.ndim == 3 else out[..., None]
        colours = np.ascontiguousarray(view[..., : view.shape[2] - has_alpha])
        if self.spoilt is not None:
            self.spoilt.mend(colours)
        if self.dark is not None or self.gain is not None:
            self._even(colours, encoded=encoded)
        view[..., : colours.shape[2]] = colours
        return out

    def _even(self, colours: NDArray[Any], *, encoded: bool) -> None:
        """Take dark and gain away in place, a band of rows at a time."""
        light = light_of_numbers(str(colours.dtype), encoded)
        rows = max(_BAND // (colours.shape[1] * colours.shape[2]), 1)
        for top in range(0, len(colours), rows):
            band = slice(top, top + rows)
            values = light[colours[band]]
            if self.dark is not None:
                values -= self.dark[band]
            if self.gain is not None:
                values *= self.gain[band]
            colours[band] = _held(values, colours.dtype, encoded=encoded)


@lru_cache(4)
def light_of_numbers(dtype: str, encoded: bool) -> Float:
    """Return the light of every number of uint8 or uint16, 1 for white."""
    top = int(np.iinfo(dtype).max)
    share = np.arange(top + 1, dtype=np.float64) / top
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return (light if encoded else share).astype(np.float32)


def _held(light: Float, dtype: np.dtype[Any], *, encoded: bool) -> NDArray[Any]:
    """Return light as numbers of a dtype; the light is used up."""
    np.clip(light, 0, 1, out=light)
    if encoded:
        bright = np.float32(1.055) * np.power(light, np.float32(1 / 2.4)) - np.float32(0.055)
        light = np.where(light <= 0.0031308, np.float32(12.92) * light, bright)
    return np.rint(light * np.float32(white(dtype))).astype(dtype)
