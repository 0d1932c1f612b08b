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


def beside(path: Path, tail: str, ending: str | None = None) -> Path:
    """Return the name of a file that belongs to another one and lies beside it.

    Args:
        path: of the file that it belongs to.
        tail: of its name.
        ending: of its own; None for that of the other.

    Examples:
        >>> beside(Path("cells.ome.tif"), "_slab01").name
        'cells_slab01.ome.tif'
        >>> beside(Path("cells.ome.tif"), "_depth", ".tif").name
        'cells_depth.tif'
    """
    name, own = split_ending(path)
    return path.with_name(f"{name}{tail}{own if ending is None else ending}")
