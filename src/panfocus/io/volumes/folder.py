"""A folder with one plane a file, whose names say Z, channel, time and position."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from natsort import natsort_keygen, ns
from numpy.typing import NDArray

from panfocus import schema
from panfocus.errors import InputError
from panfocus.io.frames import DAMAGE
from panfocus.io.volumes.names import Axis, Parse, parsed, parser_of
from panfocus.io.volumes.plane_files import LEAST_PLANES, PLANES
from panfocus.io.volumes.volume import (
    Channel,
    Position,
    Volume,
    check_counts,
    check_dtype,
    check_samples,
    damaged,
)
from panfocus.resources.others import others_told
from panfocus.resources.paths import is_folder

_ORDER: tuple[Axis, ...] = ("P", "T", "C", "Z")
_MOST_FILES = 200_000  # that a folder is looked through for
_FEW = 64  # of its files tell already that a folder is none
_natural = natsort_keygen(alg=ns.IGNORECASE)

_Place = tuple[str, str, str, str]


@dataclass(frozen=True)
class PlaneFiles:
    """Which file holds which plane.

    Attributes:
        values: of every axis, as the names write them, in natural order.
        files: by (position, time, channel, Z).
    """

    values: Mapping[Axis, Sequence[str]]
    files: Mapping[_Place, Path]

    @property
    def first_missing(self) -> _Place | None:
        """The first place for which there is no file."""
        p, t, c, z = (self.values[axis] for axis in _ORDER)
        places = product(p, t, c, z)
        return next((place for place in places if place not in self.files), None)


def is_folder_of_planes(folder: Path) -> bool:
    """Whether the names in a folder say Z, and several channels, times or positions."""
    return is_folder(folder) and _recognised(folder) is not None


def channels_without_z(folder: Path) -> str | None:
    """Return what the names in a folder say where that is channels, times or positions, and no Z.

    Fused as frames, channels would be mixed with each other.

    Returns:
        As ``9 T, 2 C``; None where the names say something else, or nothing.
    """
    grid = _told(folder)
    if grid is None:
        return None
    sizes = {axis: len(values) for axis, values in grid.values.items() if len(values) > 1}
    if "Z" in sizes or "C" not in sizes or len(sizes) < 2 or grid.first_missing is not None:
        return None
    return ", ".join(f"{size} {axis}" for axis, size in sizes.items())


def _recognised(folder: Path) -> PlaneFiles | None:
    grid = _told(folder)
    if grid is None:
        return None
    sizes = {axis: len(values) for axis, values in grid.values.items()}
    return grid if sizes["Z"] > 1 and max(sizes["P"], sizes["T"], sizes["C"]) > 1 else None


def _told(folder: Path) -> PlaneFiles | None:
    """Return which file is which plane where all names are alike but for their numbers."""
    names = _names(folder)
    if len(names) < LEAST_PLANES or any(_said(name) is None for name in names[:_FEW]):
        return None
    found = {name: _said(name) for name in names}
    first = found[names[0]]
    axes, rest = first or ({}, "")
    is_alike = all(
        f is not None and f[1] == rest and f[0].keys() == axes.keys() for f in found.values()
    )
    if not is_alike or not {"Z", "C"} & axes.keys():
        return None
    said = {name: f[0] for name, f in found.items() if f is not None}
    if "Z" not in axes and len({tuple(sorted(s.items())) for s in said.values()}) < len(said):
        return None  # photographs may be called anything
    return _grid(folder, said)


def _said(name: str) -> tuple[Mapping[Axis, str], str] | None:
    found = parsed(name)
    return found if found is not None and found[0] else None


def _names(folder: Path) -> list[str]:
    """Return the names of pictures in a folder, or in its folders where there are none in it."""
    try:
        entries = [e for e in os.scandir(folder) if not e.name.startswith(".")][:_MOST_FILES]
    except OSError:
        return []
    files = [e.name for e in entries if e.name.lower().endswith(PLANES) and _is_there(e.is_file)]
    if files:
        return sorted(files, key=_natural)
    folders = [e.name for e in entries if _is_there(e.is_dir)]
    below = [name for name in folders if parsed(name) not in (None, ({}, name))]
    inside = [f"{name}/{file}" for name in below for file in _names_in(folder / name)]
    return sorted(inside[:_MOST_FILES], key=_natural)


def _is_there(is_it: Callable[[], bool]) -> bool:
    try:
        return is_it()
    except OSError:  # a link to itself
        return False


def _names_in(folder: Path) -> list[str]:
    try:
        return [e.name for e in os.scandir(folder) if e.name.lower().endswith(PLANES)]
    except OSError:
        return []


def _grid(folder: Path, found: Mapping[str, Mapping[Axis, str]]) -> PlaneFiles:
    values: dict[Axis, Sequence[str]] = {
        axis: sorted({said.get(axis, "") for said in found.values()}, key=_natural)
        for axis in _ORDER
    }
    files: dict[_Place, Path] = {}
    for name, said in found.items():
        p, t, c, z = (said.get(axis, "") for axis in _ORDER)
        place = p, t, c, z
        if place in files:
            raise InputError(
                "two files are of one plane",
                where=str(folder),
                expected="one file for each",
                got=f"{files[place].name} and {Path(name).name}",
                remedy="say by `pattern` which part of the names is which",
            )
        files[place] = folder / name
    return PlaneFiles(values, files)


def open_folder(folder: Path, pattern: str | None = None) -> Volume:
    """Open a folder with one plane a file; one file is looked into, and no pixel is read.

    Args:
        folder: with TIFFs or PNGs, or with folders of them.
        pattern: of the names, as `panfocus.io.volumes.names.parser_of` takes it; None to see by
            the usual words.

    Raises:
        InputError: names that do not fit, planes that are missing, or files of another kind.
        UsageError: a pattern without ``{z}``.
    """
    grid = _recognised(folder) if pattern is None else _by_pattern(folder, parser_of(pattern))
    if grid is None:
        raise InputError(
            "the names in the folder do not tell planes apart",
            where=str(folder),
            expected="Z and channel, time or position in every name, as in img_z03_c1.tif",
            remedy="say it by `pattern`, for example img_{t}_{c}_{z}.tif",
        )
    sizes = {axis: len(values) for axis, values in grid.values.items()}
    check_counts(folder, sizes["T"] * sizes["P"], sizes["C"], sizes["Z"])
    missing = grid.first_missing
    if missing is not None:
        words = [f"{a} {v}" for a, v in zip(_ORDER, missing, strict=True) if v]
        raise InputError(
            "a plane is missing",
            where=f"{folder}, {', '.join(words)}",
            expected=f"{math.prod(sizes.values())} files: "
            + " x ".join(f"{size} {axis}" for axis, size in sizes.items() if size > 1),
            got=f"{len(grid.files)}",
            remedy="copy the folder again, or leave that time or position out",
        )
    return _volume(folder, grid)


def _by_pattern(folder: Path, parse: Parse) -> PlaneFiles | None:
    found = {name: said for name in _names(folder) if (said := parse(name)) is not None}
    return _grid(folder, found) if found else None


def _volume(folder: Path, grid: PlaneFiles) -> Volume:
    first = grid.files[min(grid.files, key=lambda place: tuple(map(_natural, place)))]
    with others_told(partial(damaged, first, ""), OSError, *DAMAGE):
        plane = _read(first)
    check_dtype(first, plane.dtype)
    height, width = plane.shape[:2]
    samples = 1 if plane.ndim == 2 else plane.shape[2]
    check_samples(first, samples)
    channels = [Channel("" if value.isdigit() else value) for value in grid.values["C"]]
    voxel = _voxel(folder)
    positions = [
        Position(
            name=p or str(n),
            times=len(grid.values["T"]),
            depths=len(grid.values["Z"]),
            height=height,
            width=width,
            samples=samples,
            dtype=plane.dtype,
            channels=channels,
            read=lambda t, c, z, p=p: _read(
                grid.files[p, grid.values["T"][t], grid.values["C"][c], grid.values["Z"][z]]
            ),
            voxel_um=voxel,
        )
        for n, p in enumerate(grid.values["P"])
    ]
    said = ", ".join(f"{len(v)} {axis}" for axis, v in grid.values.items() if len(v) > 1)
    return Volume(folder, "folder of planes", positions, [f"by their names the files are {said}"])


def _read(path: Path) -> NDArray[Any]:
    """Return the plane in a file, ``(Y, X)`` or ``(Y, X, S)``, in native byte order."""
    if path.suffix.lower() == ".png":
        from panfocus.io import png  # noqa: PLC0415  not needed for most

        return png.decode(path.read_bytes())
    import tifffile  # noqa: PLC0415  slow to import

    with tifffile.TiffFile(path, is_ome=False) as file:
        if len(file.pages) > 1:
            raise InputError(
                "a file of a folder of planes holds several",
                where=str(path),
                expected="one page",
                got=f"{len(file.pages)}",
                remedy="fuse each file on its own: `panfocus batch` takes the folder",
            )
        pixels = file.pages.first.asarray(maxworkers=1)
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def _voxel(folder: Path) -> tuple[float | None, float | None, float | None]:
    """Return (z, y, x) in µm as Micro-Manager's metadata.txt beside the planes says."""
    try:
        told: Any = schema.read(folder / "metadata.txt")
        summary = told.get("Summary", {})
        z, pixel = (float(summary.get(key) or 0) for key in ("z-step_um", "PixelSize_um"))
    except (OSError, ValueError, AttributeError, TypeError):
        return None, None, None
    step, side = (abs(v) if 0 < abs(v) < 1e6 else None for v in (z, pixel))
    return step, side, side
