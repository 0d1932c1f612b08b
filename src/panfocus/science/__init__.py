"""Scientific stacks, TCZYX: OME-TIFF, ImageJ hyperstacks, OME-Zarr; read and written by planes.

The public names load on first use: every fusion asks `is_science` about its inputs, and few are.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panfocus.science.fuse import Choice as Choice
    from panfocus.science.fuse import check as check
    from panfocus.science.fuse import check_output as check_output
    from panfocus.science.fuse import fuse_file as fuse_file
    from panfocus.science.fuse import output_files as output_files
    from panfocus.science.open import is_science as is_science
    from panfocus.science.open import open_volume as open_volume
    from panfocus.science.volume import Channel as Channel
    from panfocus.science.volume import Position as Position
    from panfocus.science.volume import Volume as Volume

_HOMES = {
    "Channel": "panfocus.science.volume",
    "Choice": "panfocus.science.fuse",
    "Position": "panfocus.science.volume",
    "Volume": "panfocus.science.volume",
    "check": "panfocus.science.fuse",
    "check_output": "panfocus.science.fuse",
    "fuse_file": "panfocus.science.fuse",
    "is_science": "panfocus.science.open",
    "open_volume": "panfocus.science.open",
    "output_files": "panfocus.science.fuse",
}
__all__ = [
    "Channel",
    "Choice",
    "Position",
    "Volume",
    "check",
    "check_output",
    "fuse_file",
    "is_science",
    "open_volume",
    "output_files",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'panfocus.science' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
