"""Open whatever holds axes, and tell it from a photograph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from panfocus.errors import InputError, UsageError
from panfocus.io import tiff_axes
from panfocus.io.stores import is_store
from panfocus.io.volumes.plane_files import may_hold_planes
from panfocus.io.volumes.plug_ins import OLYMPUS, PLUG_INS
from panfocus.resources.paths import as_path, is_file, is_folder, is_there
from panfocus.schema import said

if TYPE_CHECKING:
    from panfocus.io.volumes.vendors import Mosaic
    from panfocus.io.volumes.volume import Volume

OME_TIFF = (".ome.tif", ".ome.tiff", ".ome.tf2", ".ome.tf8", ".ome.btf")
ZARR = (".zarr",)
_TIFF = (".tif", ".tiff", ".tf8", ".btf")


def is_zarr(path: Path) -> bool:
    """Whether a name is that of a Zarr."""
    return path.name.lower().endswith(ZARR)


def is_ome_tiff(path: Path) -> bool:
    """Whether a name is that of an OME-TIFF."""
    return path.name.lower().endswith(OME_TIFF)


def is_vendors(path: Path) -> bool:
    """Whether a name is that of a file of a microscope's maker."""
    return path.suffix.lower() in PLUG_INS


def is_volume(path: Path) -> bool:
    """Whether a file or folder has axes: by its name, or by what its first page says.

    A TIFF whose pages are simply the frames of one stack is a photograph's, whatever wrote it,
    unless it is called ``.ome.tif``.
    """
    if is_zarr(path) or is_ome_tiff(path):
        return True
    if is_folder(path):
        return is_folder_of_planes(path)
    if is_vendors(path):
        return True
    return path.suffix.lower() in _TIFF and is_file(path) and tiff_axes.says_axes(path)


def is_measured(path: Path) -> bool:
    """Whether a file is one stack along Z with lengths or numbers that no photograph has.

    It can be fused as photographs are, but a scientific result keeps more of it.
    """
    return path.suffix.lower() in _TIFF and is_file(path) and tiff_axes.is_measured(path)


def is_science(
    inputs: Sequence[str | Path], output: Path, *, is_photographic: bool = False
) -> bool:
    """Whether one file with axes is to be fused into one: by its content or by the names.

    Args:
        inputs: as the user named them.
        output: where the result shall go.
        is_photographic: whether something is asked for that only photographs have; a stack that
            is merely measured is then taken for them.
    """
    if len(inputs) != 1:
        return False
    path = as_path(inputs[0])
    if is_zarr(path) or is_zarr(output):
        return True
    if output.suffix.lower() not in (".tif", ".tiff"):  # a picture, of what is left of a volume
        return _has_axes(path) or (is_ome_tiff(path) and not is_photographic)
    if not is_photographic and is_measured(path):
        return True
    return is_volume(path) or (is_ome_tiff(output) and path.suffix.lower() in _TIFF)


def _has_axes(path: Path) -> bool:
    """Whether a file or folder holds more than one stack of frames, whatever it is called."""
    if is_folder(path):
        return is_folder_of_planes(path)
    is_tiff = path.suffix.lower() in _TIFF and is_file(path)
    return is_vendors(path) or (is_tiff and tiff_axes.says_axes(path))


def check_is_photographs(inputs: Sequence[str | Path]) -> None:
    """Refuse one volume where frames are wanted, with the name of what takes it.

    Raises:
        UsageError: the only input is a Zarr, a file of a microscope's maker, or a folder whose
            names tell of several channels, times or positions.
    """
    if not isinstance(cast("object", inputs), Sequence) or isinstance(inputs, (bytes, bytearray)):
        raise UsageError(
            "these are no names of files",
            where="inputs",
            expected="a list of files, globs or folders",
            got=said(inputs),
        )
    if len(inputs) != 1:
        return
    path = as_path(inputs[0])
    is_volume = (is_zarr(path) and is_folder(path)) or (is_vendors(path) and is_file(path))
    if is_volume or is_folder_of_planes(path):
        raise UsageError(
            "this is a volume, and its planes are not simply the frames of one stack",
            where=str(path),
            expected="frames: photographs, or the pages of one stack",
            got="a folder with one plane a file" if not is_volume else path.suffix,
            remedy="fuse it by `panfocus.fuse_volume`, or on the command line with an output "
            ".ome.tif, or a picture of what `only` chooses",
        )
    if is_folder(path) and may_hold_planes(path):
        from panfocus.io.volumes.folder import channels_without_z  # noqa: PLC0415

        channels = channels_without_z(path)
        if channels is not None:
            raise UsageError(
                "these are several channels, which are not the frames of one stack",
                where=str(path),
                expected="frames of one channel, or names that tell Z, too",
                got=f"{channels}, by the names",
                remedy="name the files of one channel; or say by `pattern` which part of the names "
                "is Z, for example img_t{z}_c{c}.tif",
            )


def is_folder_of_planes(path: Path) -> bool:
    """Whether names in a folder say Z, and several channels, times or positions."""
    if not is_folder(path) or not may_hold_planes(path):
        return False
    from panfocus.io.volumes.folder import is_folder_of_planes as is_one  # noqa: PLC0415  see below

    return is_one(path)


def _check_store(folder: Path) -> None:
    """Refuse a folder that is no Zarr by its content, before zarr speaks of stores and groups."""
    if is_zarr(folder) or is_store(folder):
        return
    raise InputError(
        "this folder is no scientific stack",
        where=str(folder),
        expected="an OME-Zarr, or one plane a file, whose names tell Z and a channel, time or "
        "position",
        got="neither",
        remedy="fuse its frames as photographs, without `axes`, `only` and `guide_channel`; or say "
        "by `pattern` what its names tell, as in img_{t}_{c}_{z}.tif",
    )


def open_volume(
    path: Path,
    axes: str | None = None,
    *,
    lenient: bool = False,
    pattern: str | None = None,
    mosaic: Mosaic | None = None,
) -> Volume:
    """Open a file or folder with axes, of whatever kind; no pixel is read.

    Args:
        path: the file or folder.
        axes: letters of `--axes` for files that do not say them; None to believe the file.
        lenient: whether planes that a Zarr lacks are read all the same, with a note.
        pattern: of the names in a folder of planes; None to see by the usual words.
        mosaic: what tiles of a mosaic are, of a file of a microscope's maker.

    Raises:
        InputError: missing, damaged, cut off, or of kinds that are not taken.
        UsageError: axes that do not fit, a mosaic in what can have none; an extra is missing.
    """
    path = as_path(path)
    if not is_there(path):
        raise InputError(
            "an input does not exist", where=str(path), remedy="check the spelling and the folder"
        )
    is_bioio = is_vendors(path) and path.suffix.lower() not in OLYMPUS
    if mosaic is not None and not (is_bioio and axes is None):
        raise UsageError(
            "only files of microscopes' makers tell of mosaics",
            where="mosaic",
            expected=", ".join(each for each in PLUG_INS if each not in OLYMPUS),
            got=str(path),
            remedy="leave it out; positions of an OME-TIFF or OME-Zarr are fused each by itself",
        )
    if pattern is not None or (not is_zarr(path) and is_folder_of_planes(path)):
        from panfocus.io.volumes.folder import open_folder  # noqa: PLC0415  few come as one

        return open_folder(path, pattern)
    if path.suffix.lower() in OLYMPUS and axes is None:
        from panfocus.io.volumes.olympus import open_olympus  # noqa: PLC0415  needs the extra

        return open_olympus(path)
    if is_vendors(path) and axes is None:
        from panfocus.io.volumes.vendors import open_vendors  # noqa: PLC0415  needs the extra

        return open_vendors(path, mosaic)
    if is_folder(path):
        _check_store(path)
        from panfocus.io.volumes.ngff import open_zarr  # noqa: PLC0415  needs the extra

        return open_zarr(path, axes, lenient=lenient)
    from panfocus.io.volumes.tiff import open_tiff  # noqa: PLC0415  imports tifffile

    return open_tiff(path, axes)
