"""Whether the files of a folder may be planes of a volume, one each."""

from __future__ import annotations

import os
from pathlib import Path

#: Endings of files with one plane each, and how many make a volume of more than one stack.
PLANES = (".tif", ".tiff", ".png")
LEAST_PLANES = 4


def may_hold_planes(folder: Path) -> bool:
    """Whether names are worth being read: what reads them takes 12 ms to import."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name.lower(), entry.is_dir()) for entry in entries]
    except OSError:
        return True
    files = sum(name.endswith(PLANES) for name, is_folder in found if not is_folder)
    return files >= LEAST_PLANES or any(is_folder for _, is_folder in found)
