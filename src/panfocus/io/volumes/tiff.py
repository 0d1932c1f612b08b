"""TIFF with axes: OME-TIFF, ImageJ hyperstacks, and plain ones, one plane at a time."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from panfocus.errors import InputError, PanfocusError
from panfocus.io.frames import DAMAGE
from panfocus.io.ifd import DirectoryError, Tag, lost_values, read_header
from panfocus.io.tiff_axes import promised_pages
from panfocus.io.volumes.axes import named, of_pages
from panfocus.io.volumes.imagej import describe
from panfocus.io.volumes.ome import OmeError, claims_ome, refuse
from panfocus.io.volumes.ome_facts import describe as describe_ome
from panfocus.io.volumes.ome_pages import check_ome
from panfocus.io.volumes.planes import Planes
from panfocus.io.volumes.volume import (
    Channel,
    Position,
    Volume,
    check_dtype,
    check_samples,
    damaged,
)
from panfocus.resources.others import others_told
from panfocus.resources.wording import counted

#: Tags without which the file would pass for another one.
_ESSENTIAL = {Tag.DESCRIPTION, Tag.STRIPS, Tag.STRIP_SIZES, Tag.TILES, Tag.TILE_SIZES}


class _Said(logging.Handler):
    """Keeps what tifffile complains of, which would else go to stderr."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def open_tiff(path: Path, axes: str | None = None) -> Volume:
    """Open a TIFF and read all its directories; no pixel is read.

    Args:
        path: the file; of a set of OME-TIFFs, any of them.
        axes: letters of `--axes`, when the file does not say them, with sizes where its pages only
            follow each other.

    Raises:
        InputError: damaged, cut off, with pages of different sizes, or with OME-XML that does not
            fit them.
        UsageError: axes that do not fit.
    """
    said = _Said()
    logger = logging.getLogger("tifffile")
    logger.addHandler(said)
    file: tifffile.TiffFile | None = None
    try:
        with others_told(partial(damaged, path, ""), OSError, *DAMAGE):
            file = _open(path, axes)
            kind = "OME-TIFF" if file.is_ome else "ImageJ TIFF" if file.is_imagej else "TIFF"
            notes: list[str] = []
            series = _series(path, file)
            if not file.is_ome:
                _check_chain(path, file, said.lines)
            positions = [
                p
                for n, s in enumerate(series)
                for p in _positions(path, file, s, n, told=axes, notes=notes)
            ]
            _check_chain(path, file, said.lines)
            _check_first_page(path)
    except PanfocusError:
        if file is not None:
            file.close()
        raise
    finally:
        logger.removeHandler(said)
    # two handlers on one logger would each print; ours stays to keep stderr for the user
    logger.addHandler(logging.NullHandler())
    notes += [f"tifffile: {line.removeprefix('<')}" for line in said.lines[:3]]
    return Volume(path, kind, positions, notes, file.close)


def _check_first_page(path: Path) -> None:
    """Refuse a first page whose description or pixels are not in the file, as of one cut off.

    Raises:
        InputError: it is so.
    """
    try:
        with path.open("rb") as file:
            layout, offset = read_header(file)
            lost = lost_values(file, layout, offset) & _ESSENTIAL
    except DirectoryError as error:
        lost, got = {0}, str(error)
    else:
        got = f"the value of tag {min(lost, default=0)} lies behind the file's end"
    if lost:
        raise InputError(
            "the file is cut off or damaged",
            where=str(path),
            expected="a whole TIFF",
            got=got,
            remedy="copy or export the file again",
        )


def _open(path: Path, told: str | None) -> tifffile.TiffFile:
    """Open the file as OME-TIFF only if its XML is sound, or else with the axes that are told.

    Raises:
        InputError: its OME-XML cannot be believed, and the user does not say the axes.
    """
    file = tifffile.TiffFile(path)
    try:
        text = file.pages.first.description
        if not (file.is_ome or claims_ome(text.encode())):
            return file
        first = file.pages.first
        check_ome(text, len(file.pages), (first.imagelength, first.imagewidth))
    except OmeError as error:
        file.close()
        if told is None:
            raise refuse(path, error) from error
        return tifffile.TiffFile(path, is_ome=False)
    except BaseException:
        file.close()
        raise
    return file


def _series(path: Path, file: tifffile.TiffFile) -> list[Any]:
    """Return the series that are pictures; previews and labels are left out."""
    stored: Any = file.series
    if callable(stored):  # tifffile since 2026.5.2 leaves axes of size 1 out unless told
        stored = stored(squeeze=False)
    found: list[Any] = [s for s in stored if {*"YX"} <= set(s.axes)]
    if not found:
        raise InputError("the file holds no picture", where=str(path))
    if file.is_imagej:
        _check_count(path, file, found[0])
    if not file.is_ome and len(found) > 1:
        first, odd = found[0], found[1]
        raise InputError(
            "the pages differ in size or kind",
            where=f"{path}, page {odd.pages[0].index + 1}",
            expected=f"{first.keyframe.shape} {first.dtype}, as page 1 has",
            got=f"{odd.keyframe.shape} {odd.dtype}",
            remedy="save the stack again with all planes of one size",
        )
    return found


def _check_chain(path: Path, file: tifffile.TiffFile, lines: Sequence[str]) -> None:
    """Refuse a file whose directories lead behind its end, or end early.

    The rest would pass for the whole.

    Args:
        path: for the message.
        file: open.
        lines: what tifffile complained of.
    """
    count, first = len(file.pages), file.pages.first
    leads = "and the next one lies behind the file's end"
    text = first.description.encode()
    promised = 0 if file.is_ome else promised_pages(text, math.prod(first.shape))
    is_block = count == 1 and file.is_imagej
    broken = promised > count and not is_block
    if broken or any("invalid page offset" in line for line in lines):
        raise InputError(
            "the file is cut off",
            where=str(path),
            expected=f"{promised} pages, as the first one tells"
            if broken
            else "the next page's directory inside the file",
            got=counted(count, "page") + (", and no more" if broken else f", {leads}"),
            remedy="copy or export the file again",
        )


def _check_count(path: Path, file: tifffile.TiffFile, series: Any) -> None:  # noqa: ANN401
    """Refuse a stack whose one block of pixels ends too early: it is taken for one plane."""
    said = int((file.imagej_metadata or {}).get("images", 1))
    shape: tuple[int, ...] = tuple(series.shape)
    plane: tuple[int, ...] = tuple(series.keyframe.shape)
    got = int(np.prod(shape) // np.prod(plane))
    if got < said:
        raise InputError(
            "the stack is cut off",
            where=str(path),
            expected=f"{said} planes, as its description says",
            got=f"{got} whole",
            remedy="copy or export the file again",
        )


def _positions(
    path: Path,
    file: tifffile.TiffFile,
    series: Any,  # noqa: ANN401  a series without complete types
    number: int,
    *,
    told: str | None,
    notes: list[str],
) -> list[Position]:
    if hasattr(series, "get_axes"):  # tifffile before 2026.5.2
        stored_axes, shape = str(series.get_axes(False)), tuple(series.get_shape(False))
    else:
        stored_axes, shape = str(series.axes), tuple(series.shape)
    stored_axes, shape, told = of_pages(path, stored_axes, shape, told)
    letters = named(path, stored_axes, shape, told)
    dtype = np.dtype(series.dtype).newbyteorder("=")
    check_dtype(path, dtype)
    planes = Planes(path, file, series, letters, shape)
    layout, (height, width, samples) = planes.layout, planes.plane
    check_samples(path, samples)
    about = describe_ome(file.ome_metadata or "<OME/>", number) if file.is_ome else describe(file)
    channels = (about.pop("channels", []) + [Channel()] * layout.size("C"))[: layout.size("C")]
    name, voxel = about.pop("name", None), about.pop("voxel", (None, None, None))
    z_um, stage = about.pop("z_um", None), about.pop("stage", None)
    notes += about.pop("notes", [])
    out: list[Position] = []
    for p in range(layout.size("P")):
        plain = str(number if layout.size("P") == 1 else p)
        position = Position(
            name or plain,
            layout.size("T"),
            layout.size("Z"),
            height,
            width,
            samples,
            dtype,
            channels,
            lambda t, c, z, p=p: planes.read(p=p, t=t, c=c, z=z),
            voxel,
            about,
            z_um if z_um is None or len(z_um) == layout.size("Z") else None,
            stage if layout.size("P") == 1 else None,
        )
        planes.check(position, p)
        out.append(position)
    return out
