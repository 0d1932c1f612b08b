"""One picture of a stack, from reading to writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink
from panfocus.arrays.types import Pixels


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
class Item:
    """A frame on its way into the pipeline.

    Attributes:
        name: for messages.
        pixels: ``(H, W[, C])`` native.
        has_alpha: the last channel is opacity.
        metadata: of its file.
        guide: ``(H, W)``, same dtype, that alone decides; None for the luminance of `pixels`.
        cover: ``(H, W)`` uint8, 255 where the frame shows anything and 0 where alignment had to
            make something up; None when it shows everything.
        notes: what was found wrong with it while it was read.
    """

    name: str
    pixels: Pixels
    has_alpha: bool
    metadata: Metadata
    guide: Pixels | None = None
    cover: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()

    def shrunk(self, factor: int) -> Item:
        """Return the item at ``(H // factor, W // factor[, C])``."""
        guide = None if self.guide is None else shrink(self.guide, factor)
        return replace(self, pixels=shrink(self.pixels, factor), guide=guide)


def no_metadata() -> Metadata:
    """Return the metadata of a frame that came as an array."""
    return Metadata(exif=None, icc=None, xmp=None, dpi=None)


class Stack(Protocol):
    """Frames that can be looked at more than once."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many frames, of which height and width."""
        ...

    def items(self) -> Iterator[Item]:
        """Yield the frames in order."""
        ...

    def small(self, order: Sequence[int], factor: int) -> Iterator[Item]:
        """Yield frames by number, shrunk to ``(H // factor, W // factor[, C])``."""
        ...
