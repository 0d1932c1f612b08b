"""OpenEXR of renderers and high dynamic range: light as measured, read by OpenEXR's own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.extras import need
from panfocus.io.frames import Header, KindError
from panfocus.io.icc import linear_profile

_GREY, _COLOUR = "Y", ("R", "G", "B")


class ExrError(ValueError):
    """The file is not a whole OpenEXR."""


def _channels(path: Path) -> dict[str, Any]:
    exr = need(("OpenEXR",), "exr", "OpenEXR", path)
    with exr.File(str(path), separate_channels=True) as file:
        if not file.parts:  # its library prints what is wrong, and goes on
            raise ExrError("no whole picture in the file")
        if len(file.parts) != 1:
            raise KindError(f"{len(file.parts)} parts", "save one of them as a file")
        return dict(file.channels())


def _chosen(found: dict[str, Any]) -> tuple[str, ...]:
    if set(_COLOUR) <= found.keys():
        return _COLOUR
    if _GREY in found:
        return (_GREY,)
    raise KindError(f"channels {', '.join(sorted(found))}", "save it with channels R, G, B or Y")


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size and kind; the pixels are decoded for that, and dropped.

    Raises:
        InputError: the extra ``exr`` is not installed.
        KindError: no colours or grey in it.
        ValueError, RuntimeError: damaged or cut off.
    """
    return [(0, decode(path, 0)[1])]


def decode(path: Path, page: int) -> tuple[NDArray[np.float32], Header]:
    """Decode red, green and blue, or grey; opacity is not read.

    Returns:
        (H, W) or (H, W, 3) float32, proportional to light, and the header.

    Raises:
        ValueError, RuntimeError: damaged or cut off.
    """
    found = _channels(path)
    names = _chosen(found)
    planes = [np.asarray(found[name].pixels, np.float32) for name in names]
    pixels = planes[0] if len(planes) == 1 else np.dstack(planes)
    # the profile says how to show colours that are proportional to light
    metadata = Metadata(icc=linear_profile()) if len(names) == 3 else Metadata()
    height, width = pixels.shape[:2]
    header = Header(height, width, len(names), "uint16", metadata, numbers="floating point")
    return np.ascontiguousarray(pixels), header
