"""What lies in a folder that can be opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from panfocus.errors import InputError
from panfocus.io.folder import is_machine_folder, sift
from panfocus.io.formats import SUFFIXES
from panfocus.io.volumes.open import is_vendors
from panfocus.io.volumes.reading import ways_of
from panfocus.resources.paths import is_folder
from panfocus.web.evaluations import is_evaluation
from panfocus.web.places import Places

#: How the files of projects end.
PROJECT_ENDING = ".panfocus.json"
#: Formats whose single files can hold several frames.
_OF_SEVERAL = ("TIFF", "GIF", "video")
#: Entries of a folder that are listed.
_MOST_LISTED = 500


def listing(folder: Path, places: Places) -> dict[str, Any]:
    """Return what lies in a folder that can be opened.

    Raises:
        InputError: it cannot be listed.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name.casefold())
    except OSError as error:
        raise InputError("a folder cannot be listed", where=str(folder), got=str(error)) from error
    folders: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []
    for entry in entries[: 20 * _MOST_LISTED]:
        path = Path(entry.path)
        if entry.name.startswith(".") or not places.shows(path):
            continue
        if is_folder(path) and not path.name.endswith(".zarr"):
            if not is_machine_folder(entry.name):
                facts = {"name": entry.name, "path": str(path), "pictures": pictures_in(path)}
                folders.append({**facts, "ways": ways_of(path)})
        elif path.suffix.lower() in SUFFIXES or _opens(path):
            facts = {"name": entry.name, "path": str(path), "stack": _holds_frames(path)}
            files.append({**facts, "ways": ways_of(path)})
    parent = folder.parent
    pictures = [path for f in files if (path := Path(f["path"])).suffix.lower() in SUFFIXES]
    return {
        "path": str(folder),
        "evaluation": is_evaluation(folder),
        "ways": ways_of(folder),
        "parent": str(parent) if places.allows(parent) else None,
        "folders": folders[:_MOST_LISTED],
        "files": files[:_MOST_LISTED],
        "pictures": len(sift(pictures, str(folder))[0]),
    }


def _opens(path: Path) -> bool:
    """Whether it is opened by itself, and is no picture."""
    return path.name.lower().endswith((".zarr", PROJECT_ENDING)) or is_vendors(path)


def _holds_frames(path: Path) -> bool:
    """Whether a file may hold several frames by itself, as its name says."""
    return _opens(path) or SUFFIXES.get(path.suffix.lower()) in _OF_SEVERAL


def pictures_in(folder: Path) -> int:
    """Return how many pictures lie in a folder, about."""
    try:
        with os.scandir(folder) as entries:
            found = 0
            for entry in entries:
                found += os.path.splitext(entry.name)[1].lower() in SUFFIXES  # noqa: PTH122  many
                if found >= _MOST_LISTED:
                    break
            return found
    except OSError:
        return 0
