"""Write a TIFF that holds Photoshop's layers behind its picture.

Every reader of TIFF shows the picture; programs that know the tag `ImageSourceData` show layers.
"Adobe Photoshop TIFF Technical Notes" (22 March 2002) describe it. File and layers have the most
significant byte first, as a PSD has: about the other way, of deep layers, programs disagree.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from panfocus.errors import OutputError
from panfocus.frame import Metadata
from panfocus.io import tiff_write
from panfocus.io.atomic import write_atomic
from panfocus.io.metadata import with_mark
from panfocus.io.psd_layers import LayeredPicture, layer_pieces, layers_length

_BEGIN = b"Adobe Photoshop Document Data Block\0"
#: Of all layers' mask: colour red, half opaque, taken as each layer has it.
_MASK_COLOUR = (0, 65_535, 0, 0, 0, 50, 128)


def write_tiff_layers(
    path: Path, layered: LayeredPicture, metadata: Metadata, *, overwrite: bool = False
) -> None:
    """Write layers whole or not at all, one held at a time; arguments as of `write_layers`.

    Raises:
        OutputError: exists, or cannot be written.
    """
    length, behind = _block(layered)
    marked = replace(metadata, exif=with_mark(metadata.exif))
    page = np.ascontiguousarray(layered.picture)
    try:
        head = tiff_write.encode_before(page, marked, length)
    except tiff_write.TiffSizeError as error:
        raise OutputError(str(error), where=str(path), remedy="write .psb") from error
    write_atomic(path, chain(head, behind), overwrite=overwrite)


def _block(layered: LayeredPicture) -> tuple[int, Iterator[bytes | memoryview]]:
    """Return how long the tag's value is, and its pieces."""
    layout = layered.layout()
    inner = layers_length(layout, layered.layers)
    head = _BEGIN + layout.block + layout.length(inner)
    mask = struct.pack(">6HBx", *_MASK_COLOUR)
    tail = b"8BIMLMsk" + layout.length(len(mask)) + mask + bytes(-len(mask) % 4)

    def pieces() -> Iterator[bytes | memoryview]:
        yield head
        yield from layer_pieces(layout, layered)
        yield tail

    return len(head) + inner + len(tail), pieces()
