"""Write layers as Photoshop's PSD, or as PSB where they are large; read by all common editors.

Adobe's "Photoshop File Formats Specification" describes both. Channels are stored as they are,
since then every length is known before any pixel is: layers are written as they come, one at a
time, however many there are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import OutputError
from panfocus.frame import Metadata
from panfocus.io.atomic import write_atomic
from panfocus.io.metadata import with_mark

SIGNATURE = b"8BPS"
ENDINGS = (".psd", ".psb")
_MOST_SIDE = {".psd": 30_000, ".psb": 300_000}
_MOST_BYTES = {".psd": 2**31 - 1, ".psb": 2**62}
_GREY, _RGB = 1, 3
_ALPHA, _MASK = -1, -2
_RAW = struct.pack(">H", 0)
_RESOLUTION, _ICC, _EXIF, _XMP = 1005, 1039, 1058, 1060
_MOST_EXIF = 1 << 24


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
class _Layout:
    """How numbers are written, and what the picture is."""

    height: int
    width: int
    colours: int
    depth: int
    is_large: bool

    def length(self, value: int) -> bytes:
        return struct.pack(">Q" if self.is_large else ">I", value)

    @property
    def plane(self) -> int:
        """Bytes of a channel, with what tells its coding."""
        return self.height * self.width * self.depth // 8 + 2

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
        parts += [b"8BIMnorm", struct.pack(">BBBB", 255, 0, 8, 0), struct.pack(">I", len(extra))]
        return b"".join([*parts, extra])


def _names(name: str) -> bytes:
    """Return a layer's name for old readers, and for those that know more letters."""
    plain = name.encode("ascii", "replace")[:255]
    pascal = bytes([len(plain)]) + plain
    pascal += bytes(-len(pascal) % 4)
    wide = name.encode("utf-16-be", "replace")  # a name may hold bytes that are no letters
    wide = struct.pack(">I", len(wide) // 2) + wide
    wide += bytes(-len(wide) % 4)
    return pascal + b"8BIMluni" + struct.pack(">I", len(wide)) + wide


def _resources(metadata: Metadata) -> bytes:
    """Return profile, EXIF with the mark of results, XMP and resolution."""
    found: list[tuple[int, bytes | None]] = [
        (_ICC, metadata.icc),
        (_EXIF, with_mark(metadata.exif)),
        (_XMP, metadata.xmp),
    ]
    if metadata.dpi is not None:
        x, y = (round(each * 65536) for each in metadata.dpi)
        found.append((_RESOLUTION, struct.pack(">IHHIHH", x, 1, 2, y, 1, 2)))
    out = b""
    for number, data in found:
        if data is not None:
            out += b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)
    return struct.pack(">I", len(out)) + out


def read_exif(file: BinaryIO) -> bytes | None:
    """Return the EXIF block of a PSD or PSB as it is, None without one.

    Raises:
        struct.error: cut off.
    """
    file.seek(26)
    file.seek(struct.unpack(">I", file.read(4))[0], 1)  # colours of palettes
    end = struct.unpack(">I", file.read(4))[0] + file.tell()
    while file.tell() < end:
        number, name = struct.unpack(">4xHB", file.read(7))
        file.seek(name + (name + 1) % 2, 1)
        length = struct.unpack(">I", file.read(4))[0]
        if number == _EXIF:
            return file.read(min(length, _MOST_EXIF))
        file.seek(length + length % 2, 1)
    return None


def psd_bytes(height: int, width: int, colours: int, itemsize: int, layers: int) -> int:
    """Return about how large a file is: each layer has opacity and a mask at most."""
    return height * width * itemsize * (layers * (colours + 2) + colours + 1)


def check_psd(path: Path, height: int, width: int, size: int) -> None:
    """Refuse a file that the format cannot be, before any work.

    Args:
        path: `ENDINGS` decide the format.
        height: pixels.
        width: pixels.
        size: see `psd_bytes`.

    Raises:
        OutputError: another extension, or too large.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise OutputError(
            "the extension does not name a format for layers",
            where=str(path),
            expected=" ".join(ENDINGS),
            got=path.suffix or "no extension",
        )
    if max(height, width) > _MOST_SIDE[ending] or size > _MOST_BYTES[ending]:
        raise OutputError(
            f"the layers are too large for {ending}",
            where=str(path),
            expected=f"at most {_MOST_SIDE[ending]} pixels a side and {_MOST_BYTES[ending]} bytes",
            got=f"{width} x {height}, about {size} bytes",
            remedy="write .psb" if ending == ".psd" else "write fewer or smaller frames",
        )


def write_psd(
    path: Path,
    picture: NDArray[Any],
    layers: Sequence[PsdLayer],
    pixels: Iterator[LayerPixels],
    metadata: Metadata,
    *,
    has_alpha: bool = False,
    overwrite: bool = False,
) -> None:
    """Write layers whole or not at all, one held at a time.

    Args:
        path: ``.psd`` or ``.psb``.
        picture: ``(H, W[, C])`` uint8 or uint16, what all layers together show.
        layers: from the lowest to the uppermost.
        pixels: of each layer in turn, all of the picture's size.
        metadata: of the picture.
        has_alpha: whether the picture's last channel is opacity.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: see `check_psd`; exists, or cannot be written.
    """
    height, width = picture.shape[:2]
    colours = (1 if picture.ndim == 2 else picture.shape[2]) - has_alpha
    is_large = path.suffix.lower() == ".psb"
    layout = _Layout(height, width, colours, 8 * picture.itemsize, is_large)
    size = psd_bytes(height, width, colours, picture.itemsize, len(layers))
    check_psd(path, height, width, size)
    pieces = _pieces(layout, picture, layers, pixels, metadata, has_alpha=has_alpha)
    write_atomic(path, pieces, overwrite=overwrite)


def _pieces(
    layout: _Layout,
    picture: NDArray[Any],
    layers: Sequence[PsdLayer],
    pixels: Iterator[LayerPixels],
    metadata: Metadata,
    *,
    has_alpha: bool,
) -> Iterator[bytes | memoryview]:
    mode = _RGB if layout.colours == 3 else _GREY
    version = 2 if layout.is_large else 1
    channels = layout.colours + has_alpha
    yield struct.pack(
        ">4sH6xHIIHH", SIGNATURE, version, channels, layout.height, layout.width, layout.depth, mode
    )
    yield struct.pack(">I", 0)
    yield _resources(metadata)
    yield from _layer_section(layout, layers, pixels, has_alpha=has_alpha)
    yield _RAW
    yield from _planes(_on_white(picture) if has_alpha else picture)


def _on_white(picture: NDArray[Any]) -> NDArray[Any]:
    """Return colours as seen before white, which is how the whole picture is kept with opacity."""
    top = np.iinfo(picture.dtype).max
    share = picture[..., -1:].astype(np.float64) / top
    out = picture.copy()
    colours = picture[..., :-1] * share + top * (1 - share)
    out[..., :-1] = np.rint(colours).astype(picture.dtype)
    return out


def _layer_section(
    layout: _Layout, layers: Sequence[PsdLayer], pixels: Iterator[LayerPixels], *, has_alpha: bool
) -> Iterator[bytes | memoryview]:
    records = [layout.record(layer) for layer in layers]
    planes = sum(len(layout.channels(layer)) for layer in layers)
    # a negative number says that the picture's first further channel is its opacity
    count = struct.pack(">h", -len(layers) if has_alpha else len(layers))
    inner = len(count) + sum(map(len, records)) + planes * layout.plane
    padding = bytes(-inner % 4)
    inner += len(padding)
    if layout.depth == 8:
        head, tail = layout.length(inner), struct.pack(">I", 0)
    else:  # deeper layers stand in a block of their own behind the place of others
        head = layout.length(0) + struct.pack(">I", 0) + b"8BIMLr16" + layout.length(inner)
        tail = b""
    yield layout.length(len(head) + inner + len(tail)) + head + count
    yield from records
    for layer, (colour, mask) in zip(layers, pixels, strict=True):
        for plane in _planes(colour):
            yield _RAW
            yield plane
        if layer.has_mask and mask is not None:
            yield _RAW
            yield from _planes(mask)
    yield padding + tail


def _planes(pixels: NDArray[Any]) -> Iterator[memoryview]:
    """Yield the channels one after the other, as the format has its numbers."""
    colours = pixels[..., None] if pixels.ndim == 2 else pixels
    for c in range(colours.shape[2]):
        plane = np.ascontiguousarray(colours[..., c])
        ordered: Any = plane.astype(plane.dtype.newbyteorder(">"), copy=False)
        yield memoryview(ordered).cast("B")
