"""TIFF with axes: OME-TIFF, ImageJ hyperstacks, and plain ones, one plane at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from panfocus.errors import InputError, PanfocusError
from panfocus.science.axes import Layout, named
from panfocus.science.volume import (
    DAMAGE,
    Channel,
    Position,
    Volume,
    check_dtype,
    colour_of_hex,
    damaged,
    micrometres,
)

_CHANNEL_FACTS = (
    "Color", "EmissionWavelength", "EmissionWavelengthUnit", "ExcitationWavelength",
    "ExcitationWavelengthUnit", "Fluor", "ContrastMethod", "AcquisitionMode", "IlluminationType",
)  # fmt: skip
_PIXEL_FACTS = ("TimeIncrement", "TimeIncrementUnit", "SignificantBits")
_READ_AHEAD = 1 << 24  # compressed bytes held while decoding


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
        axes: letters of `--axes`, when the file does not say them.

    Raises:
        InputError: damaged, cut off, or with pages of different sizes.
        UsageError: axes that do not fit.
    """
    said = _Said()
    logger = logging.getLogger("tifffile")
    logger.addHandler(said)
    try:
        file = tifffile.TiffFile(path)
    except (OSError, *DAMAGE) as error:
        raise damaged(path, "", error) from error
    finally:
        logger.removeHandler(said)
    try:
        logger.addHandler(said)
        kind = "OME-TIFF" if file.is_ome else "ImageJ TIFF" if file.is_imagej else "TIFF"
        positions = [
            p for n, s in enumerate(_series(path, file)) for p in _positions(path, file, s, n, axes)
        ]
        _check_chain(path, len(file.pages), said.lines)
    except (OSError, *DAMAGE) as error:
        file.close()
        raise damaged(path, "", error) from error
    except PanfocusError:
        file.close()
        raise
    finally:
        logger.removeHandler(said)
    # two handlers on one logger would each print; ours stays to keep stderr for the user
    logger.addHandler(logging.NullHandler())
    notes = [f"tifffile: {line.removeprefix('<')}" for line in said.lines[:3]]
    return Volume(path, kind, positions, notes, file.close)


def _series(path: Path, file: tifffile.TiffFile) -> list[Any]:
    """Return the series that are pictures; previews and labels are left out."""
    found: list[Any] = [s for s in file.series if {*"YX"} <= set(s.axes)]
    if not found:
        raise InputError("The file holds no picture.", where=str(path))
    if file.is_imagej:
        _check_count(path, file, found[0])
    if not file.is_ome and len(found) > 1:
        first, odd = found[0], found[1]
        raise InputError(
            "The pages differ in size or kind.",
            where=f"{path}, page {odd.pages[0].index + 1}",
            expected=f"{first.keyframe.shape} {first.dtype}, as page 1 has",
            got=f"{odd.keyframe.shape} {odd.dtype}",
            remedy="save the stack again with all planes of one size",
        )
    return found


def _check_chain(path: Path, count: int, lines: Sequence[str]) -> None:
    """Refuse a file whose directories lead behind its end: the rest would pass for the whole.

    Args:
        path: for the message.
        count: pages found.
        lines: what tifffile complained of.
    """
    if any("invalid page offset" in line for line in lines):
        raise InputError(
            "The file is cut off.",
            where=str(path),
            expected="the next page's directory inside the file",
            got=f"{count} page(s), and the next one lies behind the file's end",
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
            "The stack is cut off.",
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
    told: str | None,
) -> list[Position]:
    stored_axes, shape = str(series.get_axes(False)), tuple(series.get_shape(False))
    letters = named(path, stored_axes, shape, told)
    outer = [n for n, letter in enumerate(letters) if letter not in "YXS"]
    layout = Layout("".join(letters[n] for n in outer), tuple(shape[n] for n in outer))
    sizes = {letter: shape[n] for n, letter in enumerate(letters)}
    dtype = np.dtype(series.dtype).newbyteorder("=")
    check_dtype(path, dtype)
    planes = _Planes(path, file, series, layout, (sizes["Y"], sizes["X"], sizes.get("S", 1)))
    about = _ome(file, number) if file.is_ome else _imagej(file)
    channels = (about.pop("channels", []) + [Channel()] * layout.size("C"))[: layout.size("C")]
    name, voxel = about.pop("name", None), about.pop("voxel", (None, None, None))
    out: list[Position] = []
    for p in range(layout.size("P")):
        plain = str(number if layout.size("P") == 1 else p)
        position = Position(
            name or plain,
            layout.size("T"),
            layout.size("Z"),
            sizes["Y"],
            sizes["X"],
            sizes.get("S", 1),
            dtype,
            channels,
            lambda t, c, z, p=p: planes.read(p=p, t=t, c=c, z=z),
            voxel,
            about,
        )
        planes.check(position, p)
        out.append(position)
    return out


class _Planes:
    """The planes of a series, as pages or as one block of bytes (ImageJ beyond 4 GB)."""

    def __init__(
        self,
        path: Path,
        file: tifffile.TiffFile,
        series: Any,  # noqa: ANN401  a series without complete types
        layout: Layout,
        plane: tuple[int, int, int],
    ) -> None:
        self._path = path
        self._file = file
        self._series = series
        self._layout = layout
        self._plane = plane
        self._pages: list[Any] = list(series.pages)
        self._count = int(np.prod(layout.sizes, dtype=np.int64))
        self._is_block = len(self._pages) != self._count
        if self._is_block and series.dataoffset is None:
            raise ValueError(f"{len(self._pages)} pages for {self._count} planes")

    def check(self, position: Position, p: int) -> None:
        """Refuse planes that are missing, cut off, or of another size, before any is read.

        Decoders fill a missing part with zeros, in silence.
        """
        for t in range(position.times):
            for c in range(len(position.channels)):
                for z in range(position.depths):
                    trouble = self._trouble(self._layout.number(p=p, t=t, c=c, z=z))
                    if trouble is not None:
                        raise InputError(
                            trouble[0],
                            where=f"{self._path}, {position.where(t, c, z)}",
                            expected=f"a plane of {position.width} x {position.height}",
                            got=trouble[1],
                            remedy="copy or export the file again",
                        )

    def _trouble(self, number: int) -> tuple[str, str] | None:
        if self._is_block:
            end = self._series.dataoffset + (number + 1) * self._plane_bytes
            size = self._file.filehandle.size
            if end > size:
                return "A plane is cut off.", f"the file ends {end - size} bytes too early"
            return None
        page = self._pages[number]
        if page is None:
            return (
                "A plane is missing.",
                "nothing: its page, or the file that holds it, is not there",
            )
        expected = self._series.keyframe.shape
        if tuple(page.shape) != tuple(expected):
            return "The planes differ in size.", f"{page.shape} in place of {expected}"
        if not _is_whole(page):
            return "A plane is cut off.", "a part of its pixels lies behind the file's end"
        return None

    @property
    def _plane_bytes(self) -> int:
        return int(np.prod(self._plane)) * np.dtype(self._series.dtype).itemsize

    def read(self, **at: int) -> NDArray[Any]:
        """Return a plane, ``(Y, X)`` or ``(Y, X, S)``, native byte order."""
        number = self._layout.number(**at)
        pixels = self._block(number) if self._is_block else self._page(number)
        return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))

    def _page(self, number: int) -> NDArray[Any]:
        page = self._pages[number]
        handle = page.parent.filehandle
        if not Path(handle.path).exists():  # the open file would go on to be read, but is not safe
            raise FileNotFoundError(2, os.strerror(2), handle.path)
        handle.open()
        pixels: NDArray[Any] = page.asarray(maxworkers=1, buffersize=_READ_AHEAD)
        if pixels.ndim == 3 and page.axes.startswith("S"):
            pixels = np.moveaxis(pixels, 0, -1)
        return pixels

    def _block(self, number: int) -> NDArray[Any]:
        dtype = np.dtype(self._series.dtype).newbyteorder(self._file.byteorder)
        height, width, samples = self._plane
        with self._path.open("rb") as file:
            file.seek(self._series.dataoffset + number * self._plane_bytes)
            data = file.read(self._plane_bytes)
        if len(data) != self._plane_bytes:
            raise ValueError("the file is cut off")
        shape = (height, width, samples) if samples > 1 else (height, width)
        return np.frombuffer(data, dtype).reshape(shape)


def _is_whole(page: Any) -> bool:  # noqa: ANN401  a page without complete types
    size = page.parent.filehandle.size
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    inside = (offset > 0 and count > 0 and offset + count <= size for offset, count in parts)
    return bool(parts) and all(inside)


def _ome(file: tifffile.TiffFile, number: int) -> dict[str, Any]:
    """Return what the OME-XML says of an Image."""
    root = ElementTree.fromstring(file.ome_metadata or "<OME/>")
    images = [e for e in root.iter() if _tag(e) == "Image"]
    if number >= len(images):
        return {}
    image = images[number]
    pixels = next((e for e in image if _tag(e) == "Pixels"), None)
    if pixels is None:
        return {}
    voxel = tuple(
        micrometres(pixels.get(f"PhysicalSize{a}"), pixels.get(f"PhysicalSize{a}Unit", "µm"))
        for a in "ZYX"
    )
    channels = [
        Channel(e.get("Name", ""), {k: e.attrib[k] for k in _CHANNEL_FACTS if k in e.attrib})
        for e in pixels
        if _tag(e) == "Channel"
    ]
    about: dict[str, Any] = {"channels": channels, "voxel": voxel, "name": image.get("Name")}
    about |= {k: pixels.attrib[k] for k in _PIXEL_FACTS if k in pixels.attrib}
    for element in image:
        if _tag(element) in ("AcquisitionDate", "Description") and element.text:
            about[_tag(element)] = element.text
    return about


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _imagej(file: tifffile.TiffFile) -> dict[str, Any]:
    """Return what ImageJ's description, and the resolution tags, say."""
    said: Mapping[str, Any] = file.imagej_metadata or {}
    unit = said.get("unit")
    about: dict[str, Any] = {}
    if said.get("mode") in ("composite", "color"):
        brightest = (table[:, -1].tobytes().hex() for table in said.get("LUTs", ()))
        about["channels"] = [Channel("", {"Color": colour_of_hex(c)}) for c in brightest]
    if unit is None:
        return about
    sizes: list[float | None] = [micrometres(said.get("spacing"), unit)]
    tags = file.pages.first.tags
    for name in ("YResolution", "XResolution"):
        tag: Any = tags.get(name)
        above, below = tag.value if tag is not None else (0, 0)
        sizes.append(micrometres(below / above, unit) if above and below else None)
    about["voxel"] = tuple(sizes)
    if said.get("finterval"):
        about |= {"TimeIncrement": said["finterval"], "TimeIncrementUnit": "s"}
    return about
