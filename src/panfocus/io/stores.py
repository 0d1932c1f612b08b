"""Zarr folders: what belongs to one, and whether one may be replaced with nothing else lost."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from panfocus import schema
from panfocus.errors import OutputError
from panfocus.resources.paths import is_file

_GROUP, _ARRAY, _EITHER = ".zgroup", ".zarray", "zarr.json"
_FACTS = frozenset({_GROUP, _ARRAY, _EITHER, ".zattrs", ".zmetadata"})
#: What file managers leave everywhere.
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
#: Names of chunks, and of the folders that they lie in, in version 2 and 3.
_CHUNK = re.compile(r"c|(?:c\.)?\d+(?:\.\d+)*")


def is_store(folder: Path) -> bool:
    """Whether a folder is a group or an array of Zarr."""
    return any(is_file(folder / name) for name in (_GROUP, _ARRAY, _EITHER))


def store_of(path: Path) -> Path:
    """Return the outermost Zarr that a group or array lies in; any other path as it is."""
    found = path
    real = Path(os.path.realpath(path))
    for folder in (real, *real.parents):
        if not is_store(folder):
            break
        found = folder
    return found


def check_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that holds anything but one Zarr; an empty one may go.

    Raises:
        OutputError: it is somebody's folder, or somebody has put something into it.
        OSError: it cannot be listed.
    """
    if not any(folder.iterdir()):
        return
    foreign = next(_foreign(folder, in_array=False), None) if is_store(folder) else folder
    if foreign is None:
        return
    raise OutputError(
        "the output is a folder that holds more than a Zarr",
        where=str(folder),
        expected="a new name, or a folder with nothing in it but what belongs to a Zarr",
        got="a folder that is no Zarr" if foreign == folder else str(foreign),
        remedy="choose another name, or move that folder away first; nothing was touched",
    )


def _foreign(folder: Path, *, in_array: bool) -> Iterator[Path]:
    """Yield what is not Zarr's; links count as such, since what they lead to is elsewhere."""
    in_array = in_array or _is_array(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from _foreign(path, in_array=in_array)
                continue
            is_chunk = in_array and _CHUNK.fullmatch(entry.name)
            if not entry.is_file(follow_symlinks=False) or not (is_chunk or _is_known(path)):
                yield path


def _is_known(path: Path) -> bool:
    is_ome = path.name == "METADATA.ome.xml" and path.parent.name == "OME"  # of bioformats2raw
    return path.name in _FACTS or path.name in _LITTER or is_ome


def _is_array(folder: Path) -> bool:
    if is_file(folder / _ARRAY):
        return True
    if not is_file(folder / _EITHER):  # a pipe would be waited for
        return False
    try:
        facts: object = schema.read(folder / _EITHER)
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and cast("dict[str, object]", facts).get("node_type") == "array"
