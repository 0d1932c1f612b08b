"""Tell from a file alone whether panfocus has made it; see `panfocus.io.mark`."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO, cast

from panfocus import schema
from panfocus.io import animation, jpeg, png, webp
from panfocus.io.ifd import DirectoryError, read_directory, read_header
from panfocus.io.mark import has_mark, is_mark
from panfocus.io.metadata import parse_exif
from panfocus.resources.paths import is_file, is_folder

_MOST_ATTRIBUTES = 1 << 24


def _psd_exif(file: BinaryIO) -> bytes | None:
    from panfocus.io.psd import read_exif  # noqa: PLC0415  few files are of this kind

    return read_exif(file)


#: How files begin that keep an EXIF block, and how it is read; so of texts about their maker.
_EXIF = ((b"\xff\xd8", jpeg.read_exif), (b"8BPS", _psd_exif))
_TEXTS = ((png.SIGNATURE, png.read_software), (b"GIF8", animation.gif_comments))
_DAMAGE = (OSError, ValueError, IndexError, struct.error, RecursionError)


def is_map_of_panfocus(path: Path) -> bool:
    """Whether a file carries the mark of a map: no photograph, and no picture to be fused again."""
    return _carries(path, of_map=True)


def is_made_by_panfocus(path: Path) -> bool:
    """Whether a picture, a map or an OME-Zarr folder carries panfocus's mark.

    Only headers are read. A file that is gone, damaged or of another kind carries none. Aligned
    frames (`--align-only`) and rendered ones (`synthesize`) are frames, and carry none either.

    Args:
        path: of a file or folder; links are followed.
    """
    return _carries(path, of_map=False)


def _carries(path: Path, *, of_map: bool) -> bool:
    try:
        if is_folder(path):
            return _is_marked_zarr(path, of_map=of_map)
        if not is_file(path):  # a pipe would be waited for
            return False
        with path.open("rb") as file:
            return _is_marked_picture(file, of_map=of_map)
    except _DAMAGE:
        return False


def _is_marked_picture(file: BinaryIO, *, of_map: bool) -> bool:
    head = file.read(12)
    file.seek(0)
    for start, read_exif in _EXIF:
        if head.startswith(start):
            return _is_marked_exif(read_exif(file), of_map=of_map)
    if webp.is_webp(head):
        return _is_marked_exif(webp.read_exif(file), of_map=of_map)
    if head[:2] in (b"II", b"MM"):
        layout, offset = read_header(file)
        return has_mark(read_directory(file, layout, offset)[0], of_map=of_map)
    texts = next((read for start, read in _TEXTS if head.startswith(start)), None)
    return texts is not None and any(is_mark(text, of_map=of_map) for text in texts(file))


def _is_marked_exif(data: bytes | None, *, of_map: bool) -> bool:
    try:
        return data is not None and has_mark(parse_exif(data).root, of_map=of_map)
    except DirectoryError:
        return False


def _is_marked_zarr(folder: Path, *, of_map: bool) -> bool:
    """Look at the attributes of the folder's group, in version 2 or 3 of Zarr."""
    for name, key in ((".zattrs", None), ("zarr.json", "attributes")):
        path = folder / name
        if not is_file(path):
            continue
        found: Any = schema.read(path, _MOST_ATTRIBUTES)
        creator = _item(found if key is None else _item(found, key), "_creator")
        if is_mark(_item(creator, "name")):
            return not of_map or _item(creator, "kind") == "map"
    return False


def _item(of: object, key: str) -> object:
    return cast("dict[str, object]", of).get(key) if isinstance(of, dict) else None
