"""Layers as Photoshop keeps them, in PSD, PSB, and one tag of a TIFF alike.

Adobe's "Photoshop File Formats Specification" describes them. Channels are stored as they are,
since then every length is known before any pixel is: layers are written as they come, one at a
time, however many there are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALPHA, _MASK = -1, -2
#: Says that a channel is stored as it is.
RAW = struct.pack(">H", 0)


@dataclass(frozen=True)
class PsdLayer:
    """What is known of a layer before its pixels.

    Attributes:
        name: that editors show.
        has_alpha: whether its pixels end in opacity.
        has_mask: whether it comes with a mask.
    """

    name: str
    has_alpha: bool = False
    has_mask: bool = False


#: Pixels ``(H, W[, C])`` of a layer and its mask ``(H, W)`` or None, both of the picture's dtype.
LayerPixels = tuple[NDArray[Any], NDArray[Any] | None]


@dataclass(frozen=True)
class PsdLayout:
    """How numbers are written, and what the picture is.

    Attributes:
        height: pixels.
        width: pixels.
        colours: channels without opacity.
        depth: bits of a channel.
        is_large: whether lengths have 64 bits, as in PSB.
    """

    height: int
    width: int
    colours: int
    depth: int
    is_large: bool = False

    def length(self, value: int) -> bytes:
        """Return a length that is longer in a large file."""
        return struct.pack(">Q" if self.is_large else ">I", value)

    @property
    def plane(self) -> int:
        """Bytes of a channel, with what tells its coding."""
        return self.height * self.width * self.depth // 8 + 2

    @property
    def block(self) -> bytes:
        """The key of the block that holds the layers, where they do not stand on their own."""
        return b"8BIMLayr" if self.depth == 8 else b"8BIMLr16"

    def planes(self, pixels: NDArray[Any]) -> Iterator[memoryview]:
        """Yield the channels one after the other, as the file has its numbers."""
        colours = pixels[..., None] if pixels.ndim == 2 else pixels
        for c in range(colours.shape[2]):
            plane = np.ascontiguousarray(colours[..., c])
            ordered: Any = plane.astype(plane.dtype.newbyteorder(">"), copy=False)
            yield memoryview(ordered).cast("B")

    def channels(self, layer: PsdLayer) -> list[int]:
        """Return the ids of a layer's channels, in their order."""
        alpha = [_ALPHA] if layer.has_alpha else []
        return [*range(self.colours), *alpha, *([_MASK] if layer.has_mask else [])]

    def record(self, layer: PsdLayer) -> bytes:
        """Return what stands of a layer before its pixels."""
        box = struct.pack(">4i", 0, 0, self.height, self.width)
        ids = self.channels(layer)
        mask = box + struct.pack(">BBH", 0, 0, 0) if layer.has_mask else b""
        extra = struct.pack(">I", len(mask)) + mask + struct.pack(">I", 0) + _names(layer.name)
        parts = [box, struct.pack(">H", len(ids))]
        parts += [struct.pack(">h", each) + self.length(self.plane) for each in ids]
        parts += [b"8BIMnorm", struct.pack(">BBBB", 255, 0, 8, 0)]
        return b"".join([*parts, struct.pack(">I", len(extra)), extra])


def _names(name: str) -> bytes:
    """Return a layer's name for old readers, and for those that know more letters."""
    plain = name.encode("ascii", "replace")[:255]
    pascal = bytes([len(plain)]) + plain
    pascal += bytes(-len(pascal) % 4)
    # a name may hold bytes that are no letters
    wide = name.encode("utf-16-be", "replace")
    wide = struct.pack(">I", len(wide) // 2) + wide
    wide += bytes(-len(wide) % 4)
    return pascal + b"8BIMluni" + struct.pack(">I", len(wide)) + wide


@dataclass(frozen=True)
class LayeredPicture:
    """A picture above its layers, which are made as they are written, and once.

    Attributes:
        picture: ``(H, W[, C])`` uint8 or uint16, what all layers together show.
        layers: from the lowest to the uppermost.
        pixels: of each layer in turn, all of the picture's size.
        has_alpha: whether the picture's last channel is opacity.
    """

    picture: NDArray[Any]
    layers: Sequence[PsdLayer]
    pixels: Iterator[LayerPixels]
    has_alpha: bool = False

    @property
    def colours(self) -> int:
        """Channels without opacity."""
        return (1 if self.picture.ndim == 2 else self.picture.shape[2]) - self.has_alpha

    def layout(self, *, is_large: bool = False) -> PsdLayout:
        """Return how its numbers are written."""
        height, width = self.picture.shape[:2]
        return PsdLayout(height, width, self.colours, 8 * self.picture.itemsize, is_large)


def layers_length(layout: PsdLayout, layers: Sequence[PsdLayer]) -> int:
    """Return how many bytes `layer_pieces` yields."""
    bare = _bare_length(layout, layers)
    return bare + -bare % 4


def _bare_length(layout: PsdLayout, layers: Sequence[PsdLayer]) -> int:
    records = sum(len(layout.record(layer)) for layer in layers)
    return 2 + records + layout.plane * sum(len(layout.channels(layer)) for layer in layers)


def layer_pieces(layout: PsdLayout, layered: LayeredPicture) -> Iterator[bytes | memoryview]:
    """Yield what is told of the layers, and then their pixels; the layout is of the file."""
    layers = layered.layers
    # a negative number says that the picture's first further channel is its opacity
    yield struct.pack(">h", -len(layers) if layered.has_alpha else len(layers))
    yield from map(layout.record, layers)
    for layer, (colour, mask) in zip(layers, layered.pixels, strict=True):
        for plane in layout.planes(colour):
            yield RAW
            yield plane
        if layer.has_mask and mask is not None:
            yield RAW
            yield from layout.planes(mask)
    yield bytes(-_bare_length(layout, layers) % 4)
