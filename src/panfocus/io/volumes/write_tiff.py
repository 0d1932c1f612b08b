"""Fused planes into one OME-TIFF, or a hyperstack of ImageJ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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
        self._places = iter(_offsets(pictures))

    def add(self, plane: NDArray[Any]) -> None:
        """Put the plane where it belongs."""
        with self._raw.open("r+b") as file:
            file.seek(next(self._places))
            file.write(np.ascontiguousarray(plane).data)

    def finish(self) -> list[str]:
        """Write the TIFF, deflated, and drop the raw file."""
        big = self._raw.stat().st_size * 4 // 3 > _BIG
        as_imagej = self._as_imagej and not big
        start = 0
        with tifffile.TiffWriter(
            self._path, imagej=as_imagej, ome=not as_imagej, bigtiff=big
        ) as writer:
            for picture in self._pictures:
                planes = self._mapped(self._raw, picture, picture.plane, start)
                start += planes.nbytes
                self._write(writer, picture, planes, as_imagej=as_imagej)
        self._raw.unlink()
        return []

    def _write(
        self,
        writer: tifffile.TiffWriter,
        picture: Picture,
        planes: NDArray[Any],
        *,
        as_imagej: bool,
    ) -> None:
        """Write a picture, and its smaller copies where it has any."""
        height, width = picture.plane[:2]
        levels = 0 if as_imagej else levels_of(height, width, self._pyramid)
        about = _in_imagej(picture) if as_imagej else _in_ome(picture)
        how: dict[str, Any] = {
            "photometric": "rgb" if picture.samples > 2 else "minisblack",
            "planarconfig": "contig" if picture.samples > 1 else None,
            "compression": "zlib",
            # ImageJ shows deflated differences as if they were the pixels, in silence
            "predictor": False,
            "tile": (_TILE, _TILE) if levels else None,
        }
        _write_to(writer, planes, subifds=levels or None, software=self._mark, **how, **about)
        for level in range(1, levels + 1):
            planes = self._halved(picture, planes, level)
            resolution = tuple(side / 2**level for side in _resolution(picture.position))
            told: dict[str, Any] = {
                "resolution": resolution,
                "resolutionunit": "CENTIMETER",
                "metadata": None,
            }
            _write_to(writer, planes, subfiletype=1, **how, **told)
        for level in range(1, levels + 1):
            self._level(level).unlink()

    def _level(self, level: int) -> Path:
        return self._raw.with_name(f"{self._raw.name}{level}")

    def _halved(self, picture: Picture, planes: NDArray[Any], level: int) -> NDArray[Any]:
        """Put smaller copies of all planes into a file of their own, and return them."""
        plane = shape_of(picture.plane, level)
        with self._level(level).open("wb") as file:
            for one in planes.reshape(-1, *planes.shape[-len(plane) :]):
                file.write(halved(one, is_numbered=picture.is_numbered).data)
        return self._mapped(self._level(level), picture, plane, 0)

    @staticmethod
    def _mapped(raw: Path, picture: Picture, plane: tuple[int, ...], start: int) -> NDArray[Any]:
        """Return the planes of a raw file as an array that is read where it is looked at."""
        depths = (picture.depths,) if picture.depths > 1 else ()
        shape = (picture.times, *depths, len(picture.channels), *plane)
        return np.memmap(raw, picture.dtype, "r", start, shape)


def _write_to(writer: Any, planes: NDArray[Any], **how: Any) -> None:  # noqa: ANN401
    """Write pages; tifffile's types know no options that are put together."""
    writer.write(planes, **how)


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


def _in_ome(picture: Picture) -> dict[str, Any]:
    """Return what OME-XML and the resolution tags say."""
    return {
        "metadata": _facts(picture),
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
