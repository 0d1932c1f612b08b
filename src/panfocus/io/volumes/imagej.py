"""What ImageJ's description and the resolution tags of a TIFF say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tifffile

from panfocus.io.units import micrometres
from panfocus.io.volumes.volume import Channel, colour_of_hex

_NO_UNIT = ("", "pixel", "pixels", "None")


def describe(file: tifffile.TiffFile) -> dict[str, Any]:
    """Return channels, voxel size and times; and notes on what is no length."""
    said: Mapping[str, Any] = file.imagej_metadata or {}
    about: dict[str, Any] = {}
    channels = _channels(file, said)
    if channels:
        about["channels"] = channels
    unit = str(said.get("unit", ""))
    # a spacing of 1 is not written
    depth = micrometres(abs(_number(said.get("spacing", 1))), said.get("zunit", unit))
    if unit not in _NO_UNIT and depth is None and int(said.get("slices", 1)) > 1:
        about["notes"] = [f"the unit {unit!r} is no length: depth is counted in planes"]
    sizes = [depth]
    tags = file.pages.first.tags
    for name, own in (("YResolution", "yunit"), ("XResolution", "xunit")):
        tag: Any = tags.get(name)
        above, below = tag.value if tag is not None else (0, 0)
        per = said.get(own, unit)
        sizes.append(micrometres(below / above, per) if above and below else None)
    about["voxel"] = tuple(sizes)
    if said.get("finterval"):
        about |= {"TimeIncrement": said["finterval"], "TimeIncrementUnit": "s"}
    return about


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _channels(file: tifffile.TiffFile, said: Mapping[str, Any]) -> list[Channel]:
    """Return the colours of the channels: ImageJ's tables, or the palette of an 8-bit stack."""
    # a single table comes without a list around it
    tables = list(np.asarray(said.get("LUTs", ()), np.uint8).reshape(-1, 3, 256))
    single = int(said.get("channels", 1)) == 1
    palette: Any = file.pages.first.colormap
    if not tables and palette is not None and palette.shape == (3, 256):
        tables = [(np.asarray(palette) >> 8).astype(np.uint8)]
    if not tables or not (single or said.get("mode") in ("composite", "color")):
        return []
    return [
        Channel("", {"Color": colour_of_hex(table[:, -1].tobytes().hex())}, table)
        for table in tables
    ]
