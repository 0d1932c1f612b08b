"""OpenEXR of renderers and high dynamic range: light as measured, read by OpenEXR's own library."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.frame import Metadata
from panfocus.io.extras import need
from panfocus.io.frames import Header, KindError
from panfocus.io.icc import linear_profile
from panfocus.io.room import check_room

#: Bytes that hold a header; how it tells of the picture's corners; bytes of a pixel, at least,
#: while it is decoded.
_HEAD, _WINDOW, _PIXEL_BYTES = 2**20, "<4i", 12
_GREY, _COLOUR = "Y", ("R", "G", "B")


class ExrError(ValueError):
    """The file is not a whole OpenEXR."""


def _channels(path: Path) -> dict[str, Any]:
    exr = need(("OpenEXR",), "exr", "OpenEXR", path)
    _check_size(path)
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


def _header(names: tuple[str, ...], height: int, width: int) -> Header:
    # the profile says how to show colours that are proportional to light
    metadata = Metadata(icc=linear_profile()) if len(names) == 3 else Metadata()
    return Header(height, width, len(names), "uint16", metadata, numbers="floating point")


def _attributes(head: bytes) -> dict[bytes, bytes]:
    """Return what the header says, by name: name, kind, length (4), value; an empty name ends it.

    (openexr.com, "OpenEXR file layout")
    """
    found: dict[bytes, bytes] = {}
    at = 8  # behind the magic number and the version
    while at < len(head) and head[at]:
        name, _, rest = head[at:].partition(b"\0")
        kind, _, rest = rest.partition(b"\0")
        at += len(name) + len(kind) + 2
        if len(rest) < 4:
            break
        length = struct.unpack_from("<I", head, at)[0]
        found[name] = head[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _check_size(path: Path) -> None:
    """Refuse a picture for which there is no room: the library takes it as soon as it opens one."""
    with path.open("rb") as file:
        window = _attributes(file.read(_HEAD)).get(b"dataWindow", b"")
    if len(window) != struct.calcsize(_WINDOW):
        raise ExrError("no size in its header")
    left, top, right, bottom = struct.unpack(_WINDOW, window)
    if right < left or bottom < top:
        raise ExrError("a picture without pixels")
    check_room(bottom - top + 1, right - left + 1, _PIXEL_BYTES)


def read_headers(path: Path) -> list[tuple[int, Header]]:
    """Read size and kind; the pixels are decoded for that, and dropped.

    Raises:
        InputError: the extra ``exr`` is not installed.
        KindError: no colours or grey in it.
        ValueError, RuntimeError: damaged or cut off.
        MemoryError: more pixels than there is room for.
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
    return np.ascontiguousarray(pixels), _header(names, *pixels.shape[:2])
