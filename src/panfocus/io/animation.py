"""Write pictures that are shown one after the other: animated GIF or WebP.

Both carry the mark of results (`panfocus.io.mark`), so that one that lies among frames is none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import FormatError
from panfocus.io.atomic import write_atomic
from panfocus.io.mark import mark
from panfocus.io.metadata import with_mark
from panfocus.io.write import check_place

_FORMATS = {".gif": "GIF", ".webp": "WEBP"}
_EXTENSION, _COMMENT = b"\x21", b"\xfe"  # of GIF89a


def check_animation(path: Path, *, overwrite: bool) -> None:
    """Refuse an animation that cannot be written, before any work.

    Raises:
        FormatError: another extension.
        OutputError: exists, or its folder cannot be written to.
    """
    if path.suffix.lower() not in _FORMATS:
        raise FormatError(
            "the extension does not name a format for animations",
            where=str(path),
            expected=" ".join(_FORMATS),
            got=path.suffix or "no extension",
            remedy="give the output one of these extensions",
        )
    check_place(path, overwrite=overwrite)


def write_animation(
    path: Path,
    pictures: Iterator[NDArray[np.uint8]],
    *,
    milliseconds: int,
    quality: int = 90,
    overwrite: bool = False,
) -> None:
    """Write an animation without end, whole or not at all.

    Args:
        path: ``.gif`` or ``.webp``.
        pictures: ``(H, W[, 3])`` uint8 of one size, at least one, in the order that they are shown.
        milliseconds: that each is shown.
        quality: of WebP, 1 to 100.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: see `check_animation`.
    """
    check_animation(path, overwrite=overwrite)
    from PIL import Image  # noqa: PLC0415 - few fusions make one

    kind = _FORMATS[path.suffix.lower()]
    images = (Image.fromarray(picture) for picture in pictures)
    first = next(images)
    how: dict[str, Any] = (
        {"quality": quality, "method": 4, "exif": with_mark(None)}
        if kind == "WEBP"
        else {"comment": mark()}
    )
    buffer = io.BytesIO()
    first.save(
        buffer, kind, save_all=True, append_images=images, duration=milliseconds, loop=0, **how
    )
    write_atomic(path, [buffer.getvalue()], overwrite=overwrite)


def gif_comments(file: BinaryIO) -> Iterator[bytes]:
    """Yield the comments that stand before the first picture of a GIF.

    Raises:
        IndexError: cut off.
    """
    head = file.read(13)
    colours = head[10]
    file.seek(3 << (colours & 7) + 1 if colours & 0x80 else 0, 1)
    while file.read(1) == _EXTENSION:
        kind = file.read(1)
        blocks: list[bytes] = []
        while length := file.read(1)[0]:
            blocks.append(file.read(length))
        if kind == _COMMENT:
            yield b"".join(blocks)
