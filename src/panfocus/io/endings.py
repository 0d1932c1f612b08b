"""Endings of two parts, as OME gives its files."""

from __future__ import annotations

from pathlib import Path

OME_TIFF_OUT = (".ome.tif", ".ome.tiff")
_LONG = (*OME_TIFF_OUT, ".ome.zarr")


def split_ending(path: Path) -> tuple[str, str]:
    """Return a file's name before its ending, and that as it is written.

    Examples:
        >>> split_ending(Path("cells.v2.ome.tif"))
        ('cells.v2', '.ome.tif')
        >>> split_ending(Path("moth.png"))
        ('moth', '.png')
    """
    low = path.name.lower()
    ending = next((e for e in _LONG if low.endswith(e)), path.suffix)
    length = len(path.name) - len(ending)
    return path.name[:length], path.name[length:]
