"""Write pictures that are shown one after the other: animated GIF or WebP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import OutputError
from panfocus.io.atomic import write_atomic
from panfocus.io.write import check_place

_FORMATS = {".gif": "GIF", ".webp": "WEBP"}


def check_animation(path: Path, *, overwrite: bool) -> None:
    """Refuse an animation that cannot be written, before any work.

    Raises:
        OutputError: another extension; exists; or its folder cannot be written to.
    """
    if path.suffix.lower() not in _FORMATS:
        raise OutputError(
            "the extension does not name a format for animations",
            where=str(path),
            expected=" ".join(_FORMATS),
            got=path.suffix or "no extension",
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
    how: dict[str, Any] = {"quality": quality, "method": 4} if kind == "WEBP" else {}
    buffer = io.BytesIO()
    first.save(
        buffer, kind, save_all=True, append_images=images, duration=milliseconds, loop=0, **how
    )
    write_atomic(path, [buffer.getvalue()], overwrite=overwrite)
