"""OME-Zarr (OME-NGFF 0.4 and 0.5): a picture, several, or a plate of them; read by planes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus import schema
from panfocus.errors import InputError, UsageError
from panfocus.io.frames import DAMAGE
from panfocus.io.units import micrometres
from panfocus.io.volumes import zarr_thread
from panfocus.io.volumes.axes import Layout, named
from panfocus.io.volumes.chunks import Chunks
from panfocus.io.volumes.ordinary import ordinary_files
from panfocus.io.volumes.volume import (
    Channel,
    Position,
    Volume,
    check_counts,
    check_dtype,
    check_pixels,
    check_samples,
    colour_of_hex,
    damaged,
)
from panfocus.resources.others import others_told

_MOST_DIGITS = 10


def zarr_module() -> Any:  # noqa: ANN401  its types are not complete
    """Import zarr.

    Raises:
        UsageError: the extra ``science`` is not installed.
        PanfocusError: no thread is to be had, which zarr does all its work in.
    """
    try:
        zarr = import_module("zarr")
    except ModuleNotFoundError as error:
        raise UsageError(
            "OME-Zarr needs what the core does without",
            expected="the extra `science`, which brings zarr",
            got=f"no module {error.name}",
            remedy="pip install 'panfocus[science]'",
        ) from error
    zarr_thread.begin()
    return zarr


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
    with others_told(partial(_refused, path), OSError, *DAMAGE):
        root = zarr.open(ordinary_files(path), mode="r")
        if not hasattr(root, "groups"):
            return Volume(path, "Zarr", [_plain(path, root, told)], told.notes)
        pictures = _pictures(root)
        positions = [_position(path, group, name, told) for name, group in pictures]
    if not positions:
        raise InputError(
            "this is no OME-Zarr",
            where=str(path),
            expected="multiscales, a plate, or bioformats2raw.layout in its attributes",
            got=", ".join(sorted(map(str, dict(root.attrs)))) or "no attributes",
            remedy="name the folder whose name ends in .zarr, or one of its arrays with `axes`",
        )
    return Volume(path, "OME-Zarr", positions, told.notes)


def _refused(path: Path, error: Exception) -> InputError:
    if isinstance(error, schema.SchemaError):
        return InputError(
            "the attributes of an OME-Zarr cannot be believed",
            where=error.place(path),
            expected=error.expected,
            got=error.got,
            remedy="copy or export it again; or name one of its arrays, and its axes by `axes`",
        )
    if isinstance(error, UnicodeDecodeError):
        error = ValueError("attributes that are no text in UTF-8")
    return damaged(path, "", error)


def _attributes(group: Any) -> Mapping[str, object]:  # noqa: ANN401
    """Return the OME attributes, which version 0.5 puts one level deeper."""
    values = schema.record(dict(group.attrs))
    return schema.record(values["ome"], "ome") if "ome" in values else values


def _place(value: object, where: str) -> str:
    """Return the path of a group or array inside the Zarr."""
    path = schema.text(schema.item(schema.record(value, where), "path", where), f"{where}.path")
    if not path.strip("/") or any(part in (".", "..") for part in path.split("/")):
        raise schema.SchemaError(f"{where}.path", "a path inside the Zarr", schema.said(path))
    return path


def _pictures(root: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    about = _attributes(root)
    if "multiscales" in about:
        return [(str(_scales(about).get("name") or "0"), root)]
    if "plate" in about:
        plate = schema.record(about["plate"], "plate")
        wells = schema.items(schema.item(plate, "wells", "plate"), "plate.wells")
        paths = [_place(well, f"plate.wells[{n}]") for n, well in enumerate(wells)]
        names = [f"{path}/{field}" for path in paths for field in _fields(root[path], path)]
        return [(name, root[name]) for name in names]
    numbers = (name for name in root.group_keys() if name.isascii() and name.isdecimal())
    ordered = sorted((name for name in numbers if len(name) < _MOST_DIGITS), key=int)
    numbered = [(n, root[n]) for n in ordered if "multiscales" in _attributes(root[n])]
    told = [str(_scales(_attributes(group)).get("name") or "") for _, group in numbered]
    if not all(told) or len(set(told)) < len(told):  # names that tell no two apart
        return numbered
    return [(name, group) for name, (_, group) in zip(told, numbered, strict=True)]


def _fields(group: Any, where: str) -> list[str]:  # noqa: ANN401
    """Return the paths of the fields of view of a well."""
    well = schema.record(schema.item(_attributes(group), "well", where), f"{where}: well")
    images = schema.items(schema.item(well, "images", f"{where}: well"), f"{where}: well.images")
    return [_place(one, f"{where}: well.images[{n}]") for n, one in enumerate(images)]


def _scales(about: Mapping[str, object]) -> Mapping[str, object]:
    """Return the picture in all its scales, the first where there are several."""
    several = schema.items(schema.item(about, "multiscales"), "multiscales", 1)
    return schema.record(several[0], "multiscales[0]")


def _axes(scales: Mapping[str, object]) -> tuple[str, list[object]]:
    """Return the letters of the axes, and the units."""
    where = "multiscales[0].axes"
    told = scales.get("axes", [*"tczyx"])
    said = [*told] if isinstance(told, str) else schema.items(told, where, 1, 9)
    described = [{"name": a} if isinstance(a, str) else schema.record(a, where) for a in said]
    names = [schema.text(schema.item(a, "name", where), where, is_empty=False) for a in described]
    return "".join(name[0] for name in names).upper(), [a.get("unit") for a in described]


def _steps(count: int, *holders: tuple[Mapping[str, object], str]) -> NDArray[np.float64]:
    """Return the size of a step along every axis, of all scales that are told."""
    scale = np.ones(count)
    for holder, where in holders:
        key = f"{where}.coordinateTransformations"
        for one in schema.items(holder.get("coordinateTransformations", ()), key):
            step = schema.record(one, key)
            if step.get("type") == "scale":
                listed = schema.items(schema.item(step, "scale", key), key, count, count)
                scale = scale * np.array([schema.number(size, key) for size in listed])
    return scale


def _channels(about: Mapping[str, object]) -> list[Channel]:
    omero = schema.record(about.get("omero", {}), "omero")
    told = schema.items(omero.get("channels", ()), "omero.channels")
    labels = [schema.record(one, "omero.channels") for one in told]
    return [
        Channel(
            str(c.get("label", "")),
            {"Color": colour_of_hex(str(c["color"]))} if "color" in c else {},
        )
        for c in labels
    ]


def _position(path: Path, group: Any, name: str, told: _Told) -> Position:  # noqa: ANN401
    about = _attributes(group)
    scales = _scales(about)
    where = "multiscales[0].datasets[0]"
    datasets = schema.items(schema.item(scales, "datasets", "multiscales[0]"), where[:-3], 1)
    dataset = schema.record(datasets[0], where)
    array = group[_place(dataset, where)]
    if not hasattr(array, "shape"):
        raise schema.SchemaError(f"{where}.path", "the path of an array", "that of a group")
    names, units = _axes(scales)
    scale = _steps(len(names), (scales, "multiscales[0]"), (dataset, where))
    length = {a: micrometres(s, u) for a, s, u in zip(names, scale, units, strict=True)}
    if length.get("Z") is None and "Z" in names and units[names.index("Z")] is not None:
        told.notes.append(
            f"position {name}: a step of {scale[names.index('Z')]:g} {units[names.index('Z')]} is "
            "no length: depth is counted in planes"
        )
    voxel = (length.get("Z"), length.get("Y"), length.get("X"))
    if len(array.shape) != len(names):
        raise schema.SchemaError(
            "multiscales[0].axes", f"{len(array.shape)}, as the array has", f"{len(names)}"
        )
    letters = named(path, names, array.shape, told.axes)
    return _build(path, array, name, letters, told, channels=_channels(about), voxel=voxel)


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
    check_pixels(path, sizes["Y"], sizes["X"])
    check_counts(path, layout.size("T"), count, layout.size("Z"))
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
