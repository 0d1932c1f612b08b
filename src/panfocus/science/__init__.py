"""Scientific stacks, TCZYX: OME-TIFF, ImageJ hyperstacks, OME-Zarr; read and written by planes."""

from __future__ import annotations

from panfocus.science.fuse import Choice, check, fuse_file, output_files
from panfocus.science.open import is_science, open_volume
from panfocus.science.volume import Channel, Position, Volume

__all__ = [
    "Channel",
    "Choice",
    "Position",
    "Volume",
    "check",
    "fuse_file",
    "is_science",
    "open_volume",
    "output_files",
]
