"""Files that a project names, as records of JSON: where it may read and write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from panfocus.errors import InputError
from panfocus.io.checked_json import Value
from panfocus.pipeline.frame_outputs import PARALLAX, SIZES, FrameOutputs
from panfocus.pipeline.options import MAP_KINDS
from panfocus.pipeline.outputs import Outputs
from panfocus.resources.paths import as_path, is_file
from panfocus.retouch.records import MOST_FRAMES

_FILES = ("height_map", "mesh", "transforms", "report")
_OF_FRAMES = ("layers", "animation", "stereo", "rocking")
_NUMBERS = ("pixel_um", "slab", "quality", "scale_bar")
_SIZES = {"animation_size": SIZES, "parallax": PARALLAX}


class Door:
    """Says which places a project may name."""

    def __init__(self, folder: Path, roots: Sequence[Path] | None) -> None:
        self._folder = folder
        self._roots = roots

    def check_read(self, value: Value) -> str:
        """Return a path that is read, as it is told."""
        told = self._path(value)
        real = Path(os.path.realpath(self._folder / told))
        if self._roots is not None and not any(real.is_relative_to(r) for r in self._roots):
            told_roots = " or ".join(str(root) for root in self._roots)
            value.refuse(
                "a project names a file where it may not read", f"a place below {told_roots}"
            )
        return told

    def check_write(self, value: Value) -> Path:
        """Return a path that is written, from the project's folder."""
        told = Path(self._path(value))
        real = Path(os.path.realpath(self._folder / told))
        leaves = told.is_absolute() or ".." in told.parts
        if leaves or not real.is_relative_to(self._folder) or real == self._folder:
            value.refuse(
                "a project names an output outside of its folder",
                "a file name, or one in a folder beside the project; no `..`, no link out of it",
            )
        return told

    def _path(self, value: Value) -> str:
        """Return a name as it is told, if a file or folder can have it here."""
        told = value.path()
        try:
            as_path(self._folder / told)
        except InputError as error:
            value.refuse(error.what, error.expected or "a name that a file can have")
        return told

    def system(self, value: Value) -> str:
        """Return the name of a system, or its folder."""
        told = self._path(value)
        if is_file(self._folder / told / "card.json") or Path(told).name != told:
            return str(self._folder / self.check_read(value))
        return told


def outputs_from(value: Value, door: Door) -> Outputs:
    """Return the outputs of a record, whoever has written it.

    Raises:
        InputError: it is not what `outputs_to` makes, or names a file outside of the folder.
    """
    value.only("picture", "maps", *_FILES, *_OF_FRAMES, *_NUMBERS, *_SIZES)
    maps, pixel, slab = (value.get(key) for key in ("maps", "pixel_um", "slab"))
    if maps is not None:
        maps.only(*MAP_KINDS)

    def places(names: Sequence[str]) -> dict[str, Any]:
        files = ((name, value.get(name)) for name in names)
        return {name: None if told is None else door.check_write(told) for name, told in files}

    sizes_told = {name: value.get(name) for name in _SIZES}
    frame_sizes: dict[str, Any] = {
        name: told.number(*_SIZES[name]) for name, told in sizes_told.items() if told is not None
    }
    if sizes_told["animation_size"] is not None:
        frame_sizes["animation_size"] = sizes_told["animation_size"].whole(*SIZES)
    sizes = None if slab is None else [each.whole(0, MOST_FRAMES) for each in slab.items(2, 2)]
    quality, bar = value.get("quality"), value.get("scale_bar")
    return Outputs(
        door.check_write(value.item("picture")),
        {} if maps is None else {kind: door.check_write(maps.item(kind)) for kind in maps.names()},
        pixel_um=None if pixel is None else pixel.number(1e-6, 1e9),
        slab=None if sizes is None else (sizes[0], sizes[1]),
        quality=95 if quality is None else quality.whole(1, 100),
        scale_bar=None if bar is None else bar.text(),
        of_frames=FrameOutputs(**places(_OF_FRAMES), **frame_sizes),
        **places(_FILES),
    )


def outputs_to(outputs: Outputs) -> dict[str, Any]:
    """Return the record of outputs; leave to replace files is no part of it."""
    record: dict[str, Any] = {
        "maps": {kind: path.as_posix() for kind, path in outputs.maps.items()}
    }
    for of in (outputs, outputs.of_frames):
        for each in fields(of):
            value = getattr(of, each.name)
            if value is not None and each.name not in ("maps", "overwrite", "of_frames"):
                record[each.name] = value.as_posix() if isinstance(value, Path) else value
    return record
