"""Which other files an OME-TIFF says it consists of."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from panfocus.io.ifd import Block, Tag, read_directory, read_header
from panfocus.resources.paths import is_file

_NAME = re.compile(rb"""\b(?:FileName|MetadataFile)\s*=\s*(?:"([^"]+)"|'([^']+)')""")
_MOST = 1 << 28


def set_files(path: Path) -> list[Path]:
    """Return the other files of a set, whether they are there or not.

    Any other file, and a damaged one, consists of itself alone.
    """
    names = _names_in(path)
    # a part of a set may tell only where the set is described
    names |= {name for said in names if said != path.name for name in _names_in(path.parent / said)}
    return [path.parent / name for name in sorted(names - {path.name})]


def _names_in(path: Path) -> set[str]:
    """Return the file names in the OME-XML of a TIFF, or of a file that is nothing else."""
    try:
        if not is_file(path):
            return set()
        with path.open("rb") as file:
            if path.suffix.lower() in (".ome", ".xml"):
                text = file.read(_MOST)
            else:
                layout, offset = read_header(file)
                block = Block(layout.order, read_directory(file, layout, offset)[0])
                text = block.data(Tag.DESCRIPTION) or b""
    except (OSError, ValueError, struct.error):
        return set()
    return {_unescaped(match[1] or match[2]) for match in _NAME.finditer(text)}


def _unescaped(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    if "&" not in text:
        return text
    from html import unescape  # noqa: PLC0415  few names need it

    return unescape(text)
