"""OIB and OIF of Olympus FluoView: planes as TIFFs, in one file or in a folder beside it.

Read by oiffile (BSD licence). The main file, an INI, tells lengths and dyes; names tell planes, as
``s_C001Z002T003.tif``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import InputError
from panfocus.io.extras import need
from panfocus.io.volumes.volume import (
    Channel,
    Position,
    Volume,
    Voxel,
    check_counts,
    check_dtype,
    check_samples,
    damaged,
)
from panfocus.resources.others import others_told

#: Ending of the folder with the planes of an OIF.
FOLDER = ".files"
_PLANE = re.compile(r"_((?:[A-Z]\d{3,6})+)\.tif$")
_PART = re.compile(r"([A-Z])(\d+)")
_MICROMETRES = {"nm": 1e-3, "um": 1.0, "mm": 1e3}
_SECONDS = {"ms": 1e-3, "s": 1.0}
_Place = tuple[int, int, int]


def open_olympus(path: Path) -> Volume:
    """Open an OIB or OIF; one plane is looked into.

    Raises:
        InputError: oiffile is not installed, the file is damaged, a plane is missing, or it has
            axes beside T, C, Z, Y and X.
    """
    oiffile = need(("oiffile",), "bio", f"{path.suffix} of a microscope", path)
    with others_told(partial(damaged, path, ""), Exception):  # damage is told of in many ways
        file: Any = oiffile.OifFile(path)
        names = _planes(path, list(file.glob("*.tif")))
        position = _position(path, file, names)
    return Volume(path, path.suffix[1:].upper(), [position], [], file.close)


def _planes(path: Path, names: Sequence[str]) -> Mapping[_Place, str]:
    """Return the name of each plane by its (t, c, z), all from 0."""
    said = {name: found[1] for name in names if (found := _PLANE.search(name)) is not None}
    axes = {
        name: {part[1]: int(part[2]) for part in _PART.finditer(text)}
        for name, text in said.items()
    }
    others = {letter for told in axes.values() for letter in told} - set("TCZ")
    if others or not axes:
        raise InputError(
            "the planes of this file cannot be told apart",
            where=str(path),
            expected="planes along T, C and Z",
            got=f"the axes {', '.join(sorted(others))}, too" if others else "none",
            remedy="export it as OME-TIFF",
        )
    numbers = {a: sorted({told.get(a, 1) for told in axes.values()}) for a in "TCZ"}
    check_counts(path, *(len(numbers[a]) for a in "TCZ"))
    found = {
        tuple(numbers[a].index(told.get(a, 1)) for a in "TCZ"): name for name, told in axes.items()
    }
    t, c, z = (range(len(numbers[a])) for a in "TCZ")
    planes: dict[_Place, str] = {}
    for place in product(t, c, z):
        if place not in found:
            raise InputError(
                "a plane is missing",
                where=f"{path}, T {place[0]}, C {place[1]}, Z {place[2]}",
                expected=f"{len(t)} T, {len(c)} C, {len(z)} Z",
                got=f"{len(found)} planes",
                remedy="copy it again, an OIF with its folder",
            )
        planes[place] = found[place]
    return planes


def _position(path: Path, file: Any, names: Mapping[_Place, str]) -> Position:  # noqa: ANN401
    lock = Lock()  # an OIB is one file, whose place is shared

    def read(t: int, c: int, z: int) -> NDArray[Any]:
        with lock:
            return _read(file, names[t, c, z])

    first = read(0, 0, 0)
    check_dtype(path, first.dtype)
    check_samples(path, 1 if first.ndim == 2 else first.shape[2])
    times, count, depths = (max(place[n] for place in names) + 1 for n in range(3))
    told = _Settings(file.mainfile)
    return Position(
        name="0",
        times=times,
        depths=depths,
        height=first.shape[0],
        width=first.shape[1],
        samples=1 if first.ndim == 2 else first.shape[2],
        dtype=first.dtype,
        channels=[Channel(told.dye(c + 1)) for c in range(count)],
        read=read,
        voxel_um=told.voxel(depths),
        facts=told.facts(times),
    )


def _read(file: Any, name: str) -> NDArray[Any]:  # noqa: ANN401
    import tifffile  # noqa: PLC0415  slow to import

    with file.open_file(name) as opened, tifffile.TiffFile(opened) as tiff:
        pixels = tiff.pages.first.asarray(maxworkers=1)
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


class _Settings:
    """What the main file tells.

    Args:
        sections: of it, by name.
    """

    def __init__(self, sections: Mapping[str, Mapping[str, Any]]) -> None:
        self._sections = sections

    def _axis(self, letter: str) -> Mapping[str, Any]:
        found = (self._section(f"Axis {n} Parameters Common") for n in range(9))
        none: Mapping[str, Any] = {}
        return next((axis for axis in found if axis.get("AxisCode") == letter), none)

    def _section(self, name: str) -> Mapping[str, Any]:
        return self._sections[name] if name in self._sections else {}  # noqa: SIM401  no whole dict

    def dye(self, number: int) -> str:
        """Return what a channel shows, or what it is called; channels count from 1."""
        told = self._section(f"Channel {number} Parameters")
        names = (str(told.get(key, "")) for key in ("DyeName", "CH Name"))
        return next((name for name in names if name not in ("", "None")), "")

    def voxel(self, depths: int) -> Voxel:
        """Return (z, y, x) in µm, None for what is not told."""
        image = self._section("Reference Image Parameter")
        y, x = (
            _length(image.get(f"{side}ConvertValue"), _unit(_MICROMETRES, image.get(f"{side}Unit")))
            for side in ("Height", "Width")
        )
        return self._step("Z", depths, _MICROMETRES), y, x

    def facts(self, times: int) -> dict[str, Any]:
        """Return the seconds between frames by their OME name, where they are told."""
        step = self._step("T", times, _SECONDS)
        return {} if step is None else {"TimeIncrement": step}

    def _step(self, letter: str, count: int, units: Mapping[str, float]) -> float | None:
        axis = self._axis(letter)
        if count < 2:
            return None
        try:
            way = float(axis["EndPosition"]) - float(axis["StartPosition"])
        except (KeyError, TypeError, ValueError):
            return None
        return _length(way / (count - 1), _unit(units, axis.get("UnitName")))


def _unit(units: Mapping[str, float], name: object) -> float | None:
    return units.get(name) if isinstance(name, str) else None


def _length(value: object, unit: float | None) -> float | None:
    """Return a length, None where it or its unit is not told, or is none."""
    if unit is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    length = abs(float(value)) * unit
    return length if 0 < length < 1e9 else None
