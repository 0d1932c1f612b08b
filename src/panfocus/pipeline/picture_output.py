"""Write the picture of a fusion, and what is known of the size of its pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from panfocus import io
from panfocus.io.outputs import check_apart
from panfocus.pipeline.result import Fusion


def pixel_size(fusion: Fusion, told: float | None) -> tuple[float, float] | None:
    """Return the sizes (rows, columns) of a pixel in µm: as told, or as the only file of all says.

    None where nobody says it.
    """
    if told is not None:
        return told, told
    files = fusion.sources
    if len(files) != 1 or files[0].suffix.lower() not in (".tif", ".tiff"):
        return None
    return io.pixel_um(files[0])


def write_picture(
    path: Path,
    fusion: Fusion,
    *,
    quality: int,
    overwrite: bool,
    pixel_um: float | None = None,
) -> list[str]:
    """Write the fused picture with its metadata; return notes."""
    check_apart(fusion.sources, [("", path)])
    channels = 1 if fusion.image.ndim == 2 else fusion.image.shape[2]
    dtype = str(np.dtype(fusion.image.dtype))
    io.check_output(path, overwrite=overwrite, dtype=dtype, channels=channels, kind="image")
    return io.write_image(
        path,
        fusion.image,
        fusion.metadata,
        quality=quality,
        overwrite=overwrite,
        is_result=True,
        pixel_um=pixel_size(fusion, pixel_um),
    )
