"""BMP of microscopes and machine vision, TGA of renderers, and GIF: read by Pillow."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from panfocus.frame import Metadata
from panfocus.io.frames import Header, KindError
from panfocus.io.metadata import tidy_dpi

_KINDS = {
    "1": ("L", 1), "L": ("L", 1), "LA": ("LA", 2), "P": ("RGB", 3), "RGB": ("RGB", 3),
    "RGBA": ("RGBA", 4),
}  # fmt: skip
_PALETTE = "palette colours are read as 8-bit RGB"
_FORMATS = ("BMP", "DIB", "GIF", "TGA")
#: The GIF that is being read: path, bytes, time of change; and who reads it.
_KEPT: dict[tuple[Path, int, int], Image.Image] = {}
_AT_ONCE = Lock()


def _open(path: Path) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None  # what a frame may weigh is bounded before its pixels are read
    return Image.open(path, formats=_FORMATS)


def _header(picture: Image.Image) -> Header:
    if picture.mode not in _KINDS:
        raise KindError(f"pixels of kind {picture.mode}", "save it as PNG or TIFF first")
    is_gif = picture.format == "GIF"
    channels = 3 if is_gif else _KINDS[picture.mode][1]
    width, height = picture.size
    said: Any = picture.info.get("dpi")
    metadata = Metadata(dpi=tidy_dpi(*said) if said else None)
    notes = (_PALETTE,) if is_gif or picture.mode == "P" else ()
    return Header(height, width, channels, "uint8", metadata, notes=notes)


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size and kind of every picture in the file; no pixel is decoded.

    Returns:
        (number, header) of each: a GIF may hold several.

    Raises:
        ValueError: damaged or cut off.
        KindError: pixels of a kind that is not read.
    """
    with _open(path) as picture:
        header = _header(picture)
        return [(n, header) for n in range(getattr(picture, "n_frames", 1))]


def decode(path: Path, page: int) -> tuple[NDArray[np.uint8], Header]:
    """Decode one picture.

    Returns:
        (H, W) or (H, W, C) uint8, and the header.

    Raises:
        ValueError: damaged or cut off.
    """
    with path.open("rb") as file:
        if file.read(3) == b"GIF":
            return _decode_gif(path, page)
    with _open(path) as picture:
        return _decoded(picture)


def _decoded(picture: Image.Image) -> tuple[NDArray[np.uint8], Header]:
    header = _header(picture)
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[header.channels]
    return np.array(picture.convert(mode)), header


def _decode_gif(path: Path, page: int) -> tuple[NDArray[np.uint8], Header]:
    """Decode one picture of a GIF, and keep it open for the next.

    Each is what has changed since the one before: from the first one on, the last of thousands
    would take as long as all of them.
    """
    facts = path.stat()
    mark = path.absolute(), facts.st_size, facts.st_mtime_ns
    with _AT_ONCE:
        picture: Any = _KEPT.pop(mark, None)
        if picture is None:
            Image.MAX_IMAGE_PIXELS = None  # as in `_open`
            picture = Image.open(io.BytesIO(path.read_bytes()), formats=("GIF",))
        _KEPT.clear()
        picture.seek(page)
        found = _decoded(picture)
        if page < picture.n_frames - 1:
            _KEPT[mark] = picture
        return found
