"""An array with axes as a volume: of NumPy, Dask or xarray, read plane by plane."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from numbers import Real
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import UsageError
from panfocus.io.volumes.axes import Layout, named
from panfocus.io.volumes.volume import (
    Channel,
    Position,
    Volume,
    Voxel,
    check_counts,
    check_dtype,
    check_samples,
)
from panfocus.schema import said

#: How messages call an array.
ARRAY = Path("array")
_WORDS = {
    "z": "Z", "depth": "Z", "y": "Y", "x": "X", "c": "C", "channel": "C", "t": "T", "time": "T",
    "p": "P", "position": "P", "s": "S", "sample": "S", "rgb": "S", "rgba": "S",
}  # fmt: skip


def volume_of_array(
    array: Any,  # noqa: ANN401  whatever has a shape, a dtype and slices
    axes: str | None = None,
    *,
    channel_names: Sequence[str] | None = None,
    voxel_um: Voxel = (None, None, None),
) -> Volume:
    """Return an array as a volume; no number of it is read.

    Args:
        array: with ``shape``, ``dtype`` and slicing: of NumPy, Dask, Zarr or xarray.
        axes: a letter for each axis, of P (position) T C Z Y X S (colours of a pixel); None for
            the names of an xarray's dimensions.
        channel_names: one per C; None for those of an xarray, or none.
        voxel_um: distances of planes, rows and columns in µm.

    Raises:
        UsageError: no array, axes or distances that do not fit, or other than so many channels'
            names.
        InputError: a kind of number that is not taken.

    Example:
        >>> volume = volume_of_array(np.zeros((2, 5, 8, 9), np.uint8), "CZYX")
        >>> len(volume.positions[0].channels), volume.positions[0].depths
        (2, 5)
    """
    shape, stored = _facts(array)
    _check_voxel(voxel_um)
    letters = _letters_of(array, axes, shape)
    sizes = dict(zip(letters, shape, strict=True))
    if 0 in shape:
        raise UsageError(
            "the array is empty",
            where="source",
            expected="at least one pixel along every axis",
            got=f"shape {shape}",
        )
    dtype = _taken(stored)
    outer = [letter for letter in "PTCZ" if letter in sizes]
    layout = Layout("".join(outer), tuple(sizes[letter] for letter in outer))
    samples = sizes.get("S", 1)
    check_samples(ARRAY, samples)
    check_counts(ARRAY, layout.size("T") * layout.size("P"), layout.size("C"), layout.size("Z"))
    names = _names(array, channel_names, layout.size("C"))
    positions = [
        Position(
            str(p),
            layout.size("T"),
            layout.size("Z"),
            sizes["Y"],
            sizes["X"],
            samples,
            dtype,
            [Channel(name) for name in names],
            lambda t, c, z, p=p: _plane(array, letters, dtype, P=p, T=t, C=c, Z=z),
            voxel_um,
        )
        for p in range(layout.size("P"))
    ]
    return Volume(ARRAY, "array", positions)


def _letters_of(array: Any, axes: str | None, shape: tuple[int, ...]) -> str:  # noqa: ANN401  as above
    """Return the letters of all axes, as told or as an xarray calls them."""
    dims: Any = getattr(array, "dims", None)
    told = axes if axes is not None or dims is None else _letters(dims)
    return named(ARRAY, "Q" * len(shape), shape, _checked(told, shape))


def _plane(array: Any, letters: str, dtype: np.dtype[Any], **at: int) -> NDArray[Any]:  # noqa: ANN401  as above
    """Return a plane, ``(Y, X)`` or ``(Y, X, S)``, of those numbers that are taken."""
    plane: Any = array[tuple(at.get(letter, slice(None)) for letter in letters)]
    kept = [letter for letter in letters if letter in "YXS"]
    pixels = np.asarray(plane).transpose([kept.index(k) for k in "YXS" if k in kept])
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    with np.errstate(over="ignore"):  # what is endless then is told of
        return np.ascontiguousarray(pixels, dtype)


def _facts(array: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:  # noqa: ANN401  as above
    try:
        return tuple(int(size) for size in array.shape), np.dtype(array.dtype)
    except (AttributeError, TypeError, ValueError):
        raise UsageError(
            "this is no volume",
            where="source",
            expected="a path, or an array with a shape, a dtype and slices",
            got="nothing" if array is None else type(array).__name__,
            remedy="make an array of it: `np.asarray(source)`",
        ) from None


def _check_voxel(voxel_um: object) -> None:
    """Check distances of a caller, whose types nobody may have checked."""
    told: list[object] = [voxel_um]
    is_one = isinstance(voxel_um, str) or getattr(voxel_um, "shape", None) == ()
    if isinstance(voxel_um, Iterable) and not is_one:
        told = list(islice(cast("Iterable[object]", voxel_um), 4))
    fits = len(told) == 3 and all(
        one is None or (isinstance(one, Real) and 0 < float(one) < math.inf) for one in told
    )
    if not fits:
        raise UsageError(
            "these are no distances of planes, rows and columns",
            where="voxel_um",
            expected="three numbers above 0, in µm, each None where it is not known",
            got=", ".join(map(_said, told)) or "nothing",
        )


def _letters(dims: Sequence[object]) -> str:
    letters = [_WORDS.get(str(dim).lower(), "") for dim in dims]
    if not all(letters):
        raise UsageError(
            "the names of the array's dimensions do not tell its axes",
            where="axes",
            expected="a letter for each, as in TCZYX",
            got=", ".join(map(str, dims)),
        )
    return "".join(letters)


def _said(one: object) -> str:
    return str(one) if isinstance(one, (int, float)) else said(one)


def _checked(axes: str | None, shape: Sequence[int]) -> str:
    letters = axes.upper() if isinstance(cast("object", axes), str) and axes else ""
    if len(letters) != len(shape) or not {"Y", "X", "Z"} <= set(letters):
        raise UsageError(
            "the axes do not fit the array",
            where="axes",
            expected=f"{len(shape)} letters of PTCZYXS, with Z, Y and X among them",
            got=axes if letters else said(axes),
        )
    return letters


def _taken(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that planes are read as: doubles become single precision."""
    if dtype.name in ("float64", "float16"):
        return np.dtype(np.float32)
    check_dtype(ARRAY, dtype.newbyteorder("="))
    return dtype.newbyteorder("=")


def _names(array: Any, told: Sequence[str] | None, count: int) -> list[str]:  # noqa: ANN401
    if told is None:
        coords: Any = getattr(array, "coords", {})
        dims: list[Any] = [d for d in getattr(array, "dims", ()) if d in coords]
        along = [coords[dim] for dim in dims if _WORDS.get(str(dim).lower()) == "C"]
        labels: list[object] = np.asarray(along[0]).tolist() if along else []
        found = [label for label in labels if isinstance(label, str)]
        return found if len(found) == count else [""] * count
    is_list = isinstance(cast("object", told), Sequence) and not isinstance(told, str)
    if not is_list or len(told) != count:
        raise UsageError(
            "each channel has one name",
            where="channel_names",
            expected=f"{count} names",
            got=said(told),
        )
    return [str(name) for name in told]
