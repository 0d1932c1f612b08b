"""One picture of a stack, from reading to writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self, overload

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import floats, luminance, shrink, white
from panfocus.arrays.types import Float, Pixels
from panfocus.resources.spare import OF_FRAMES

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


#: Rows and columns of a part of a picture.
Tile = tuple[slice, slice]


class UnmadePixels(Protocol):
    """Opaque colour of a frame that is made part by part, as it is asked for.

    Attributes:
        shape: ``(H, W, 3)``.
        dtype: of the pixels.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def taken_grey(self) -> Pixels:
        """Luminance ``(h, w)`` of the frame as it was taken, whatever its geometry."""
        ...

    @property
    def largest_sample(self) -> float:
        """Largest sample of the frame as it was taken; none that is made is larger."""
        ...

    def forget_grey(self) -> None:
        """Let go of `taken_grey`, which is made anew should it be asked for again."""
        ...

    def whole(self) -> Pixels:
        """Return all pixels ``(H, W, 3)``."""
        ...

    def region(self, tile: Tile) -> Pixels:
        """Return those of a part; places may be rounded otherwise than in `whole`."""
        ...

    def region_quickly(self, tile: Tile) -> Pixels:
        """Return the same, interpolated quickly, as an array of its own."""
        ...

    def grey(self) -> Pixels:
        """Return luminance ``(H, W)``, near enough to be looked at but not to be shown."""
        ...

    def colour(self, factor: int) -> Pixels:
        """Return the pixels, averaged over blocks, ``(H // factor, W // factor, 3)``."""
        ...

    def measured(self, measure: Callable[[Pixels], Float], factor: int) -> Float:
        """Return what is measured on `taken_grey`, where the frame has it, working scale."""
        ...


class _Held:
    """Pixels of a frame: an array, or what makes it once it is asked for."""

    @overload
    def __get__(self, frame: None, owner: type[Frame]) -> Self: ...
    @overload
    def __get__(self, frame: Frame, owner: type[Frame]) -> Pixels: ...
    def __get__(self, frame: Frame | None, owner: type[Frame]) -> Self | Pixels:
        if frame is None:  # asked by `dataclass` for a default: there is none
            raise AttributeError
        held = frame.held
        if not isinstance(held, np.ndarray):
            held = vars(frame)["pixels"] = held.whole()
        return held

    def __set__(self, frame: Frame, value: Pixels | UnmadePixels) -> None:
        vars(frame)["pixels"] = value


@dataclass(frozen=True)
class Frame:
    """One picture of a stack.

    Attributes:
        name: for messages.
        pixels: ``(H, W[, C])`` native: uint8, uint16 or float32, RGB order, opacity last. Where
            `UnmadePixels` are given, all of them are made when they are asked for.
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
    pixels: _Held = _Held()
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
        """Return the frame of an array, named by its number.

        Args:
            number: position in the stack, from 0.
            pixels: ``(H, W[, C])``, uint8, uint16 or float32 in [0, 1].
            has_alpha: whether the last channel is opacity.
            guide: ``(H, W)`` of the same dtype, that alone decides; None for the luminance.
            cover: ``(H, W)``, 255 where the frame shows anything; None for everywhere.

        Example:
            >>> frame = Frame.of(0, np.zeros((4, 6, 3), np.uint8))
            >>> frame.name, frame.shape
            ('frame 0', (4, 6, 3))
        """
        name = f"frame {number}"
        return cls(name, pixels, has_alpha, guide=guide, cover=cover, number=number)

    @property
    def held(self) -> Pixels | UnmadePixels:
        """The pixels, or what will make them."""
        held: Pixels | UnmadePixels = vars(self)["pixels"]
        return held

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the pixels; none are made for it."""
        return self.held.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels; none are made for it."""
        return self.held.dtype

    def region(self, tile: Tile) -> Pixels:
        """Return a part of the pixels, ``(h, w[, C])`` native; only what it needs is made.

        Args:
            tile: rows and columns within the frame.
        """
        held = self.held
        return held[tile] if isinstance(held, np.ndarray) else held.region(tile)

    def region_quickly(self, tile: Tile) -> Pixels:
        """Return the same, interpolated quickly, as an array of its own: it is to show faintly."""
        held = self.held
        return held[tile].copy() if isinstance(held, np.ndarray) else held.region_quickly(tile)

    @cached_property
    def grey(self) -> Pixels:
        """Luminance ``(H, W)``, or what decides in its place, native dtype; kept once asked for."""
        if self.guide is not None:
            return self.guide
        held = self.held
        if isinstance(held, np.ndarray):
            return luminance(held, has_alpha=self.has_alpha, room=OF_FRAMES.empty)
        return held.grey()

    @property
    def taken_grey(self) -> Pixels:
        """The same of the frame as it was taken, if its pixels are yet to be put in place."""
        held = self.held
        return self.grey if isinstance(held, np.ndarray) else held.taken_grey

    @property
    def largest_sample(self) -> float:
        """The largest sample, or one that none of those yet to be made is larger than."""
        held = self.held
        return float(held.max()) if isinstance(held, np.ndarray) else held.largest_sample

    def measured(self, measure: Callable[[Pixels], Float], factor: int) -> Float:
        """Return what a function finds in the luminance, at the working scale.

        Where pixels are yet to be put in place it looks at the frame as it was taken, and what it
        found is moved: no detail is lost by interpolating before it is measured.

        Args:
            measure: takes a luminance ``(H, W)`` to ``(H // factor, W // factor)``.
            factor: of the working scale.
        """
        held = self.held
        if isinstance(held, np.ndarray):
            return measure(self.grey)
        return held.measured(measure, factor)

    def without_caches(self) -> Frame:
        """Return the frame without luminance and the like that were kept, to be held for long."""
        held = self.held
        if not isinstance(held, np.ndarray):
            held.forget_grey()
        return replace(self, pixels=held)

    def covered(self, cover: NDArray[np.uint8] | None) -> Frame:
        """Return the frame with another cover, ``(H, W)`` uint8; None: it shows everything."""
        return replace(self, pixels=self.held, cover=cover)

    def shrunk(self, factor: int) -> Frame:
        """Return a frame that shows everything at ``(H // factor, W // factor[, C])``."""
        guide = None if self.guide is None else shrink(self.guide, factor)
        return replace(self, pixels=shrink(self.pixels, factor), guide=guide)

    def colour(self, factor: int) -> Pixels:
        """Return colour at the working scale, ``(h, w, C)`` native, opacity left out."""
        held = self.held
        if not isinstance(held, np.ndarray) and factor > 1 and self.guide is None:
            return held.colour(factor)
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
