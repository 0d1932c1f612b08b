"""BMP of microscopes and machine vision, TGA of renderers, and GIF: read by Pillow."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

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
#: Bytes between the parts of a GIF that are none.
_MOST_STRAY = 4096
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
    _check_blocks(path)
    with _open(path) as picture:
        header = _header(picture)
        return [(n, header) for n in range(getattr(picture, "n_frames", 1))]


def _check_blocks(path: Path) -> None:
    """Refuse a GIF that goes on in what is no part of one: Pillow looks for a part for ever.

    block:  "!" kind, or "," place (8) and flags (1), colours if any, code size (1); then pieces of
    length (1) and data, until one of length 0 (w3.org/Graphics/GIF/spec-gif89a.txt)
    """
    with path.open("rb") as file:
        if file.read(3) != b"GIF":
            return
        file.seek(10)
        flags = file.read(1)
        file.seek(13 + _colour_bytes(flags))
        stray = 0
        while (start := file.read(1)) not in (b"", b";"):
            if start == b"!":
                file.seek(1, 1)
                _skip_pieces(file)
            elif start == b",":
                flags = file.read(9)[8:]
                file.seek(_colour_bytes(flags) + 1, 1)
                _skip_pieces(file)
            else:
                stray += 1
                if stray > _MOST_STRAY:
                    raise ValueError("a GIF with much between its pictures that is no part of it")


def _colour_bytes(flags: bytes) -> int:
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _skip_pieces(file: BinaryIO) -> None:
    while length := file.read(1):
        if not length[0]:
            return
        file.seek(length[0], 1)


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
