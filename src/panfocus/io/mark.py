"""The mark that results carry: by which program they were made, where others look for it too."""

from __future__ import annotations

import re

from panfocus._version import __version__
from panfocus.io.ifd import ASCII, Block, Directory, Entry, Tag

#: The name alone was written by early versions.
_MARK = re.compile(r"panfocus(?: \d[\w.+-]*)?(?P<map> \(map\))?")


def mark(*, is_map: bool = False) -> str:
    """Return the mark: name and version, and whether it is a map and no picture."""
    return f"panfocus {__version__}" + (" (map)" if is_map else "")


def is_mark(text: object, *, of_map: bool = False) -> bool:
    """Whether a text, or its bytes, is a mark of any version.

    Args:
        text: what a file says of its maker.
        of_map: count the marks of maps alone.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    match = _MARK.fullmatch(text.strip(" \0\n")) if isinstance(text, str) else None
    return match is not None and (not of_map or match["map"] is not None)


def put_mark(block: Block, *, is_map: bool = False) -> None:
    """Mark a block of EXIF: as its Software, or, where a camera told its own, as the editor's."""
    text = mark(is_map=is_map).encode() + b"\0"
    entry = Entry(ASCII, len(text), text)
    if Tag.SOFTWARE not in block.root:
        block.root[Tag.SOFTWARE] = entry
        return
    inner = block.root.get(Tag.EXIF_IFD)
    if not isinstance(inner, dict):
        inner = Directory()
        block.root[Tag.EXIF_IFD] = inner
    inner[Tag.EDITING_SOFTWARE] = entry


def drop_mark(root: Directory) -> None:
    """Drop the mark: what is read from a result says of what is written only what still holds."""
    for directory, tag in _places(root):
        if _is_marked(directory, tag):
            del directory[tag]


def has_mark(root: Directory, *, of_map: bool = False) -> bool:
    """Whether a block's root directory, or the EXIF directory in it, carries the mark."""
    return any(_is_marked(directory, tag, of_map=of_map) for directory, tag in _places(root))


def _places(root: Directory) -> list[tuple[Directory, int]]:
    places = [(root, Tag.SOFTWARE), (root, Tag.EDITING_SOFTWARE)]
    inner = root.get(Tag.EXIF_IFD)
    return [*places, (inner, Tag.EDITING_SOFTWARE)] if isinstance(inner, dict) else places


def _is_marked(directory: Directory, tag: int, *, of_map: bool = False) -> bool:
    entry = directory.get(tag)
    return isinstance(entry, Entry) and is_mark(entry.data, of_map=of_map)
