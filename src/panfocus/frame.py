"""One picture of a stack, from reading to writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import floats, luminance, shrink, white
from panfocus.arrays.types import Float, Pixels

#: Frames of a stack, at most: an index map counts them in 16 bits.
MOST_FRAMES = 2**16


@dataclass(frozen=True)
class Metadata:
    """What a photograph carries besides its pixels.

    Always upright and true to the pixels: Orientation is 1, and tags that describe the size, or a
    thumbnail, of the original file are gone.

    Args:
        exif: a TIFF-structured EXIF block, without the ``Exif`` prefix of JPEG.
        icc: an ICC colour profile.
        xmp: an XMP packet.
        dpi: pixels per inch along (x, y).
        png_colour: the chunks by which a PNG without profile tells its colours (gAMA, cHRM, sRGB,
            cICP), kept from PNG to PNG.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    png_colour: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True)
class Frame:
    """One picture of a stack.

    Attributes:
        name: for messages.
        pixels: ``(H, W[, C])`` native: uint8, uint16 or float32, RGB order, opacity last.
        has_alpha: the last channel is opacity.
        metadata: of its file.
        guide: ``(H, W)``, same dtype, that alone decides; None for the luminance of `pixels`.
        cover: ``(H, W)`` uint8, 255 where the frame shows anything and 0 where registration had to
            make something up; None when it shows everything.
        notes: what was found wrong with it while it was read.
        number: position in the stack, from 0.
        place_um: along the axis of focus in micrometres, where its file says that frames are
            unevenly apart; else None.
    """

    name: str
    pixels: Pixels
    has_alpha: bool = False
    metadata: Metadata = Metadata()
    guide: Pixels | None = None
    cover: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()
    number: int = 0
    place_um: float | None = None

    @classmethod
    def of(
        cls,
        number: int,
        pixels: Pixels,
        *,
        has_alpha: bool = False,
        guide: Pixels | None = None,
        cover: NDArray[np.uint8] | None = None,
    ) -> Frame:
        """Return the frame of an array ``(H, W[, C])``, named by its number."""
        name = f"frame {number}"
        return cls(name, pixels, has_alpha, guide=guide, cover=cover, number=number)

    @cached_property
    def grey(self) -> Pixels:
        """Luminance ``(H, W)``, or what decides in its place, native dtype; kept once asked for."""
        if self.guide is not None:
            return self.guide
        return luminance(self.pixels, has_alpha=self.has_alpha)

    def alone(self) -> Frame:
        """Return the frame without what was worked out from it, to be held for long."""
        return replace(self)

    def shrunk(self, factor: int) -> Frame:
        """Return the frame at ``(H // factor, W // factor[, C])``, shown everywhere."""
        guide = None if self.guide is None else shrink(self.guide, factor)
        return replace(self, pixels=shrink(self.pixels, factor), guide=guide)

    def colour(self, factor: int) -> Pixels:
        """Return colour at the working scale, ``(h, w, C)`` native, opacity left out."""
        small = shrink(self.grey if self.guide is not None else self.pixels, factor)
        colour = small[..., None] if small.ndim == 2 else small
        return colour[..., :-1] if self.has_alpha and self.guide is None else colour

    def working(self, factor: int) -> Float:
        """Return the same in [0, 1], float32."""
        return floats(self.colour(factor))

    def opacity(self, factor: int) -> Float | None:
        """Return opacity ``(h, w)`` in [0, 1] at the working scale; None when all is opaque.

        What the frame does not show counts as transparent.
        """
        shown = self.shown(factor)
        if not self.has_alpha:
            return None if shown is None else shown.astype(np.float32)
        small = shrink(np.ascontiguousarray(self.pixels[..., -1]), factor)
        out = small.astype(np.float32) / np.float32(white(self.pixels.dtype))
        return out if shown is None else np.where(shown, out, np.float32(0))

    def shown(self, factor: int) -> NDArray[np.bool_] | None:
        """Return where the frame shows all of a working pixel, ``(h, w)``; None for everywhere."""
        return None if self.cover is None else shrink(self.cover, factor) == 255


class Stack(Protocol):
    """Frames that can be looked at more than once."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order."""
        ...

    def small(self, order: Sequence[int], factor: int) -> Iterator[Frame]:
        """Yield frames by number, shrunk to ``(H // factor, W // factor[, C])``."""
        ...
