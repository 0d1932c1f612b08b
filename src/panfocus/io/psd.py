"""Write layers as Photoshop's PSD, or as PSB where they are large; read by all common editors.

Adobe's "Photoshop File Formats Specification" describes both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.atomic import write_atomic
from panfocus.io.metadata import with_mark
from panfocus.io.psd_layers import (
    RAW,
    LayeredPicture,
    PsdLayout,
    layer_pieces,
    layers_length,
)

SIGNATURE = b"8BPS"
_GREY, _RGB = 1, 3
_RESOLUTION, _ICC, _EXIF, _XMP = 1005, 1039, 1058, 1060
_MOST_EXIF = 1 << 24


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


def write_psd(
    path: Path, layered: LayeredPicture, metadata: Metadata, *, overwrite: bool = False
) -> None:
    """Write layers whole or not at all, one held at a time.

    Args:
        path: ``.psd`` or ``.psb``.
        layered: a picture above its layers.
        metadata: of the picture.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: exists, or cannot be written.
    """
    layout = layered.layout(is_large=path.suffix.lower() == ".psb")
    write_atomic(path, _pieces(layout, layered, metadata), overwrite=overwrite)


def _pieces(
    layout: PsdLayout, layered: LayeredPicture, metadata: Metadata
) -> Iterator[bytes | memoryview]:
    mode = _RGB if layout.colours == 3 else _GREY
    version = 2 if layout.is_large else 1
    channels = layout.colours + layered.has_alpha
    yield struct.pack(
        ">4sH6xHIIHH", SIGNATURE, version, channels, layout.height, layout.width, layout.depth, mode
    )
    yield struct.pack(">I", 0)
    yield _resources(metadata)
    yield from _layer_section(layout, layered)
    yield RAW
    yield from layout.planes(_on_white(layered.picture) if layered.has_alpha else layered.picture)


def _on_white(picture: NDArray[Any]) -> NDArray[Any]:
    """Return colours as seen before white, which is how the whole picture is kept with opacity."""
    top = np.iinfo(picture.dtype).max
    share = picture[..., -1:].astype(np.float64) / top
    out = picture.copy()
    colours = picture[..., :-1] * share + top * (1 - share)
    out[..., :-1] = np.rint(colours).astype(picture.dtype)
    return out


def _layer_section(layout: PsdLayout, layered: LayeredPicture) -> Iterator[bytes | memoryview]:
    inner = layers_length(layout, layered.layers)
    if layout.depth == 8:
        head, tail = layout.length(inner), struct.pack(">I", 0)
    else:  # deeper layers stand in a block of their own behind the place of others
        head = layout.length(0) + struct.pack(">I", 0) + layout.block + layout.length(inner)
        tail = b""
    yield layout.length(len(head) + inner + len(tail)) + head
    yield from layer_pieces(layout, layered)
    yield tail
