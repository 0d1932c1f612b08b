"""FusedPicture planes into one OME-TIFF, or a hyperstack of ImageJ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import tifffile
from numpy.typing import NDArray

from panfocus.io.mark import mark
from panfocus.io.volumes.pyramid import Pyramid, halved, levels_of, shape_of
from panfocus.io.volumes.volume import Position, hex_of_colour
from panfocus.io.volumes.write import Picture

_BIG = 2**32 - 2**25
#: Pixels along a tile of a picture that has smaller copies.
_TILE = 512
#: Kinds of number that ImageJ has, and those that it has in colour.
_IMAGEJ = ("uint8", "uint16", "float32")
_IMAGEJ_COLOUR = ("uint8",)


class TiffSink:
    """Planes go into one raw file; the TIFF is written from it when all are there.

    A TIFF's description comes first and its planes in order, of all kinds of output at once; the
    raw file is a Z-th of the stack.
    """

    def __init__(
        self,
        path: Path,
        pictures: Sequence[Picture],
        *,
        as_imagej: bool = False,
        is_map: bool = False,
        pyramid: Pyramid = "auto",
    ) -> None:
        """Set up.

        Args:
            path: of the TIFF.
            pictures: what comes, in order.
            as_imagej: write a hyperstack of ImageJ, which reads no OME-XML, if it can hold that.
            is_map: whether it holds maps and no pictures, which its mark tells.
            pyramid: whether smaller copies of each plane lie beside it, as its SubIFDs, in tiles.
        """
        self._mark = mark(is_map=is_map)
        self._path = path
        self._pictures = pictures
        self._pyramid: Pyramid = pyramid
        self._as_imagej = as_imagej and len(pictures) == 1 and fits_imagej(pictures[0])
        self._raw = path.with_name(path.name + ".raw")
        self._raw.touch()
        self._uuid = ""
        self._places = iter(_offsets(pictures))

    def add(self, plane: NDArray[Any]) -> None:
        """Put the plane where it belongs."""
        with self._raw.open("r+b") as file:
            file.seek(next(self._places))
            file.write(np.ascontiguousarray(plane).data)

    def finish(self) -> list[str]:
        """Write the TIFF, deflated, and drop the raw file."""
        size = self._raw.stat().st_size
        as_imagej = self._as_imagej and size <= _BIG
        if not as_imagej and any(map(self._levels, self._pictures)):
            size = size * 4 // 3  # a quarter, a sixteenth ... of each plane besides
        start = 0
        self._uuid = "" if as_imagej else _uuid_of(self._raw)
        with tifffile.TiffWriter(
            self._path, imagej=as_imagej, ome=not as_imagej, bigtiff=size > _BIG
        ) as writer:
            for picture in self._pictures:
                raw = _Raw(self._raw, picture, start=start)
                start += raw.nbytes
                self._write(writer, raw, as_imagej=as_imagej)
        self._raw.unlink()
        return []

    def _levels(self, picture: Picture) -> int:
        return levels_of(picture.plane[0], picture.plane[1], self._pyramid)

    def _write(self, writer: tifffile.TiffWriter, raw: _Raw, *, as_imagej: bool) -> None:
        """Write a picture, and its smaller copies where it has any."""
        picture = raw.picture
        levels = 0 if as_imagej else self._levels(picture)
        about = _in_imagej(picture) if as_imagej else _in_ome(picture, self._uuid)
        is_tiled = levels > 0
        raw.write(writer, is_tiled=is_tiled, subifds=levels or None, software=self._mark, **about)
        for level in range(1, levels + 1):
            smaller = raw.halved(self._raw.with_name(f"{self._raw.name}{level}"))
            if level > 1:
                raw.path.unlink()
            raw = smaller
            resolution = tuple(side / 2**level for side in _resolution(picture.position))
            told: dict[str, Any] = {"resolution": resolution, "resolutionunit": "CENTIMETER"}
            raw.write(writer, is_tiled=True, subfiletype=1, metadata=None, **told)
        if levels:
            raw.path.unlink()


@dataclass(frozen=True)
class _Raw:
    """Planes of a picture one after the other in a file without a header, or smaller copies."""

    path: Path
    picture: Picture
    level: int = 0
    start: int = 0

    @property
    def plane(self) -> tuple[int, ...]:
        return shape_of(self.picture.plane, self.level)

    @property
    def nbytes(self) -> int:
        return self.picture.count * self._size

    @property
    def _size(self) -> int:
        return int(np.prod(self.plane)) * self.picture.dtype.itemsize

    def planes(self) -> Iterator[NDArray[Any]]:
        """Yield the planes, of which one is held."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            for _ in range(self.picture.count):
                yield np.frombuffer(file.read(self._size), self.picture.dtype).reshape(self.plane)

    def halved(self, path: Path) -> _Raw:
        """Write smaller copies of all planes into a file, and return them."""
        with path.open("wb") as file:
            for one in self.planes():
                file.write(halved(one, is_numbered=self.picture.is_numbered).data)
        return _Raw(path, self.picture, self.level + 1)

    def write(self, writer: Any, *, is_tiled: bool, **how: Any) -> None:  # noqa: ANN401  tifffile's
        """Write the planes as pages of a TIFF."""
        picture = self.picture
        depths = (picture.depths,) if picture.depths > 1 else ()
        writer.write(
            _tiles(self.planes()) if is_tiled else self.planes(),
            shape=(picture.times, *depths, len(picture.channels), *self.plane),
            dtype=picture.dtype,
            photometric="rgb" if picture.samples > 2 else "minisblack",
            planarconfig="contig" if picture.samples > 1 else None,
            compression="zlib",
            # ImageJ shows deflated differences as if they were the pixels, in silence
            predictor=False,
            tile=(_TILE, _TILE) if is_tiled else None,
            **how,
        )


def _tiles(planes: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Yield the tiles of planes, row by row; those at the edge are filled up with 0."""
    for plane in planes:
        height, width = plane.shape[:2]
        for y in range(0, height, _TILE):
            for x in range(0, width, _TILE):
                part = plane[y : y + _TILE, x : x + _TILE]
                tile = np.zeros((_TILE, _TILE, *plane.shape[2:]), plane.dtype)
                tile[: part.shape[0], : part.shape[1]] = part
                yield tile


def _offsets(pictures: Sequence[Picture]) -> Iterator[int]:
    """Yield where each plane lies in the raw file, which is in the order T, Z, C."""
    start = 0
    for picture in pictures:
        size = int(np.prod(picture.plane)) * picture.dtype.itemsize
        channels = len(picture.channels)
        for t, c, z in picture.places():
            yield start + size * ((t * picture.depths + z) * channels + c)
        start += size * picture.count


def fits_imagej(picture: Picture) -> bool:
    """Whether ImageJ has such pixels: grey of three kinds, or red, green and blue of 8 bits."""
    kinds = {1: _IMAGEJ, 3: _IMAGEJ_COLOUR}.get(picture.samples, ())
    return picture.dtype.name in kinds


def _axes(picture: Picture) -> str:
    """Return the letters of what is written; Z is told where there is more than one."""
    return ("TZCYX" if picture.depths > 1 else "TCYX") + ("S" if picture.samples > 1 else "")


def _uuid_of(path: Path) -> str:
    """Return a number for what a file holds; tifffile's own tells of the machine and the time."""
    with path.open("rb") as file:
        return str(UUID(bytes=hashlib.file_digest(file, "sha256").digest()[:16], version=5))


def _in_ome(picture: Picture, uuid: str) -> dict[str, Any]:
    """Return what OME-XML and the resolution tags say."""
    return {
        "metadata": {**_facts(picture), "UUID": uuid},
        "resolution": _resolution(picture.position),
        "resolutionunit": "CENTIMETER",
    }


def _in_imagej(picture: Picture) -> dict[str, Any]:
    """Return what ImageJ's description and the resolution tags say, lengths in µm."""
    position = picture.position
    z, y, x = position.voxel_um
    names = [channel.name for channel in picture.channels]
    colours = [channel.facts.get("Color") for channel in picture.channels]
    facts: dict[str, Any] = {"axes": _axes(picture)}
    tables = [channel.table for channel in picture.channels]
    if picture.samples == 1 and (None not in colours if len(names) > 1 else tables[0] is not None):
        luts = [_lut(c) if t is None else t for c, t in zip(colours, tables, strict=True)]
        facts |= {"mode": "composite" if len(names) > 1 else "color", "LUTs": luts}
    if any(names):
        facts["Labels"] = names * (picture.times * picture.depths)
    if "TimeIncrement" in position.facts:
        facts["finterval"] = position.facts["TimeIncrement"]
    if None in (y, x):
        return {"metadata": facts}
    facts |= {"unit": "um"} | ({"spacing": z} if z else {})
    return {"metadata": facts, "resolution": (1 / x, 1 / y) if x and y else None}


def _lut(colour: object) -> NDArray[np.uint8]:
    """Return ImageJ's table ``(3, 256)``, black to a colour of OME."""
    rgb = bytes.fromhex(hex_of_colour(colour))
    return np.array([np.linspace(0, c, 256) for c in rgb]).round().astype(np.uint8)


def _resolution(position: Position) -> tuple[float, float]:
    """Return pixels per centimetre along (x, y), for readers that know no OME."""
    _, y, x = position.voxel_um
    return (1e4 / x if x else 1.0, 1e4 / y if y else 1.0)


def _facts(picture: Picture) -> dict[str, Any]:
    position = picture.position
    facts: dict[str, Any] = {"axes": _axes(picture), "Name": position.name, **position.facts}
    if picture.dtype != position.dtype:
        facts.pop("SignificantBits", None)
    for letter, size in zip("ZYX", position.voxel_um, strict=True):
        if size is not None:
            facts |= {f"PhysicalSize{letter}": size, f"PhysicalSize{letter}Unit": "µm"}
    channels: dict[str, list[Any]] = {}
    if any(channel.name for channel in picture.channels):
        names = [c.name or f"channel {n}" for n, c in enumerate(picture.channels)]
        channels["Name"] = names
    for key in picture.channels[0].facts:
        values = [channel.facts.get(key) for channel in picture.channels]
        if None not in values:
            channels[key] = values
    if channels:
        facts["Channel"] = channels
    return facts
