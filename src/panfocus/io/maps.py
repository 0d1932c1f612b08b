"""Write index, depth and confidence maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import OutputError, UsageError
from panfocus.frame import Metadata
from panfocus.io import png_write, tiff_write
from panfocus.io.atomic import write_atomic
from panfocus.io.mark import mark
from panfocus.io.metadata import with_mark
from panfocus.io.ome_write import PixelSize
from panfocus.io.write import output_format

_TOP = 65_535


def write_map(
    path: Path,
    array: NDArray[Any],
    *,
    overwrite: bool = False,
    pixel_um: PixelSize | None = None,
) -> list[str]:
    """Write a map whole or not at all.

    TIFF keeps float32 and uint16 values as they are. PNG holds 16-bit integers: an index map is
    written as it is, a float map is scaled from its own minimum and maximum to 0-65535, with the
    scale in the note and in the file (tEXt ``Description``); values that are not finite become 0.

    Args:
        path: ``.tif`` or ``.png``.
        array: (H, W), uint8, uint16 or float.
        overwrite: whether an existing file may be replaced.
        pixel_um: sizes of a pixel, for an ``.ome.tif``; None where they are not known.

    Returns:
        Notes: the scale of a PNG.

    Raises:
        OutputError: unknown extension, exists already, or cannot be written.
        UsageError: not a map.
    """
    if array.ndim != 2 or array.size == 0 or not (array.dtype.kind == "f" or _is_index(array)):
        raise UsageError(
            "this is not a map",
            expected="(H, W), uint8, uint16 or float",
            got=f"{array.shape} {array.dtype}",
        )
    found = output_format(path, "map")
    values = array if _is_index(array) else array.astype(np.float32, copy=False)
    notes: list[str] = []
    if found == "TIFF":
        try:
            pieces = tiff_write.encode(
                values, Metadata(exif=with_mark(None, is_map=True)), path=path, pixel_um=pixel_um
            )
        except tiff_write.TiffSizeError as error:
            raise OutputError(str(error), where=str(path)) from error
    elif values.dtype.kind == "f":
        scaled, scale = _scale(values)
        pieces = png_write.encode(
            scaled, Metadata(), {"Software": mark(is_map=True), "Description": scale}
        )
        notes.append(f"{path.name}: {scale}; a .tif keeps the exact values")
    else:
        pieces = png_write.encode(values, Metadata(), {"Software": mark(is_map=True)})
    write_atomic(path, pieces, overwrite=overwrite)
    return notes


def _is_index(array: NDArray[Any]) -> bool:
    return str(array.dtype) in ("uint8", "uint16")


def _scale(values: NDArray[np.float32]) -> tuple[NDArray[np.uint16], str]:
    """Scale to 16 bit; return the integers and the words that tell how to scale back."""
    finite = np.isfinite(values)
    low, high = 0.0, 0.0
    if finite.any():
        low, high = float(values[finite].min()), float(values[finite].max())
    step = (high - low) / _TOP
    out = np.zeros(values.shape, np.uint16)
    if step > 0:
        steps = (np.where(finite, values, low).astype(np.float64) - low) / step
        np.copyto(out, np.rint(steps), casting="unsafe")
    return out, f"value = {low!r} + {step!r} * sample"
