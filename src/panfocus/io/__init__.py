"""Photographs in and out: find, check and read frames; check outputs, write pictures and maps."""

from __future__ import annotations

from panfocus.frame import Frame, Metadata
from panfocus.io.alike import develop_alike
from panfocus.io.find import find_frames, settle_orientation
from panfocus.io.fit import check_frames
from panfocus.io.frames import FrameInfo
from panfocus.io.maps import write_map
from panfocus.io.read import read_frame, read_reduced
from panfocus.io.tiff_axes import pixel_um, step_um
from panfocus.io.write import (
    check_output,
    check_place,
    held_dtype,
    output_format,
    to_depth,
    write_image,
)

__all__ = [
    "Frame",
    "FrameInfo",
    "Metadata",
    "check_frames",
    "check_output",
    "check_place",
    "develop_alike",
    "find_frames",
    "held_dtype",
    "output_format",
    "pixel_um",
    "read_frame",
    "read_reduced",
    "settle_orientation",
    "step_um",
    "to_depth",
    "write_image",
    "write_map",
]
