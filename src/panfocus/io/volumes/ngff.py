"""OME-Zarr (OME-NGFF 0.4 and 0.5): a picture, several, or a plate of them; read by planes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import InputError, PanfocusError, UsageError
from panfocus.io.units import micrometres
from panfocus.io.volumes.axes import Layout, named
from panfocus.io.volumes.chunks import Chunks
from panfocus.io.volumes.volume import (
    DAMAGE,
    Channel,
    Position,
    Volume,
    check_dtype,
    check_samples,
    colour_of_hex,
    damaged,
)


def zarr_module() -> Any:  # noqa: ANN401  its types are not complete
    """Import zarr.

    Raises:
        UsageError: the extra ``science`` is not installed.
    """
    try:
        return import_module("zarr")
    except ModuleNotFoundError as error:
        raise UsageError(
            "OME-Zarr needs what the core does without",
            expected="the extra `science`, which brings zarr",
            got=f"no module {error.name}",
            remedy="pip install 'panfocus[science]'",
        ) from error


@dataclass(frozen=True)
class _Told:
    """What the user says of how to read, and a place for what is to be said to him."""

    axes: str | None
    lenient: bool
    notes: list[str]


def open_zarr(path: Path, axes: str | None = None, *, lenient: bool = False) -> Volume:
    """Open an OME-Zarr, or a plain Zarr array whose axes the user says.

    Args:
        path: the folder.
        axes: letters of `--axes`; None to believe the attributes.
        lenient: whether a plane of which no chunk is there is read, with a note.

    Raises:
        InputError: not there, or not of this kind.
        UsageError: axes that do not fit, or the extra ``science`` is missing.
    """
    zarr = zarr_module()
    told = _Told(axes, lenient, [])
    try:
        root = zarr.open(str(path), mode="r")
        if not hasattr(root, "groups"):
            return Volume(path, "Zarr", [_plain(path, root, told)], told.notes)
        pictures = _pictures(root)
        positions = [_position(path, group, name, told) for name, group in pictures]
    except PanfocusError:
        raise
    except (OSError, *DAMAGE) as error:
        raise damaged(path, "", error) from error
    if not positions:
        raise InputError(
            "this is no OME-Zarr",
            where=str(path),
            expected="multiscales, a plate, or bioformats2raw.layout in its attributes",
            got=", ".join(sorted(_attributes(root))) or "no attributes",
            remedy="name the folder whose name ends in .zarr, or one of its arrays with `axes`",
        )
    return Volume(path, "OME-Zarr", positions, told.notes)


def _attributes(group: Any) -> Mapping[str, Any]:  # noqa: ANN401
    """Return the OME attributes, which version 0.5 puts one level deeper."""
    values: dict[str, Any] = dict(group.attrs)
    return cast("Mapping[str, Any]", values["ome"]) if "ome" in values else values


def _pictures(root: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    about = _attributes(root)
    if "multiscales" in about:
        return [(str(about["multiscales"][0].get("name") or "0"), root)]
    if "plate" in about:
        paths = [str(well["path"]) for well in about["plate"]["wells"]]
        inner = [(p, f["path"]) for p in paths for f in _attributes(root[p])["well"]["images"]]
        return [(f"{well}/{name}", root[f"{well}/{name}"]) for well, name in inner]
    numbers = sorted((name for name in root.group_keys() if name.isdigit()), key=int)
    return [(name, root[name]) for name in numbers if "multiscales" in _attributes(root[name])]


def _position(path: Path, group: Any, name: str, told: _Told) -> Position:  # noqa: ANN401
    about = _attributes(group)
    scales: Mapping[str, Any] = about["multiscales"][0]
    dataset = scales["datasets"][0]
    array = group[dataset["path"]]
    said: list[Any] = list(scales.get("axes", "tczyx"))
    described = [cast("dict[str, Any]", a) if isinstance(a, dict) else {"name": a} for a in said]
    names = "".join(str(a["name"])[0] for a in described).upper()
    units = [a.get("unit") for a in described]
    scale = np.ones(len(names))
    for holder in (scales, dataset):
        for step in holder.get("coordinateTransformations", []):
            if step.get("type") == "scale":
                scale = scale * np.asarray(step["scale"], np.float64)
    length = {a: micrometres(s, u) for a, s, u in zip(names, scale, units, strict=True)}
    if length.get("Z") is None and "Z" in names and units[names.index("Z")] is not None:
        told.notes.append(
            f"position {name}: a step of {scale[names.index('Z')]:g} {units[names.index('Z')]} is "
            "no length: depth is counted in planes"
        )
    voxel = (length.get("Z"), length.get("Y"), length.get("X"))
    labels: list[Mapping[str, Any]] = about.get("omero", {}).get("channels", [])
    channels = [
        Channel(
            str(c.get("label", "")),
            {"Color": colour_of_hex(str(c["color"]))} if "color" in c else {},
        )
        for c in labels
    ]
    letters = named(path, names, array.shape, told.axes)
    return _build(path, array, name, letters, told, channels=channels, voxel=voxel)


def _plain(path: Path, array: Any, told: _Told) -> Position:  # noqa: ANN401
    if told.axes is None:
        raise InputError(
            "this array does not say what its axes are",
            where=str(path),
            got=f"sizes {' x '.join(map(str, array.shape))}",
            remedy='say it, for example `axes="TCZYX"`',
        )
    unknown = "Q" * (len(array.shape) - 2) + "YX"
    letters = named(path, unknown, array.shape, told.axes)
    return _build(path, array, path.stem, letters, told, channels=[], voxel=(None, None, None))


def _build(
    path: Path,
    array: Any,  # noqa: ANN401
    name: str,
    letters: str,
    told: _Told,
    *,
    channels: list[Channel],
    voxel: tuple[float | None, float | None, float | None],
) -> Position:
    dtype = np.dtype(array.dtype).newbyteorder("=")
    check_dtype(path, dtype)
    outer = [n for n, letter in enumerate(letters) if letter not in "YXS"]
    layout = Layout("".join(letters[n] for n in outer), tuple(array.shape[n] for n in outer))
    sizes = {letter: int(array.shape[n]) for n, letter in enumerate(letters)}
    count = layout.size("C")
    check_samples(path, sizes.get("S", 1))
    chunks = Chunks(array)
    # a plane comes in the order of the stored axes
    inner = [letter for letter in letters if letter in "YXS"]
    order = [inner.index(letter) for letter in "YXS" if letter in inner]

    def read(t: int, c: int, z: int) -> NDArray[Any]:
        index: list[Any] = [slice(None)] * len(letters)
        for n, k in zip(outer, layout.index(t=t, c=c, z=z), strict=True):
            index[n] = k
        missing = chunks.check(index, lenient=told.lenient)
        note = f"position {name}, T {t}, C {c}, Z {z}: {missing}"
        if missing and note not in told.notes:
            told.notes.append(note)
        plane = np.asarray(array[tuple(index)]).transpose(order)
        if plane.ndim == 3 and plane.shape[2] == 1:
            plane = plane[..., 0]
        return np.ascontiguousarray(plane.astype(dtype, copy=False))

    return Position(
        name,
        layout.size("T"),
        layout.size("Z"),
        sizes["Y"],
        sizes["X"],
        sizes.get("S", 1),
        dtype,
        (channels + [Channel()] * count)[:count],
        read,
        voxel,
    )
