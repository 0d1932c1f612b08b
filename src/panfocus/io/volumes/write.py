"""Fused planes on their way out: held on disk plane by plane, then one TIFF or OME-Zarr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from panfocus.io.mark import mark
from panfocus.io.volumes.volume import Channel, Position, hex_of_colour

_BIG = 2**32 - 2**25
_CHUNK = 1024
#: Kinds of number that ImageJ has, and those that it has in colour.
_IMAGEJ = ("uint8", "uint16", "float32")
_IMAGEJ_COLOUR = ("uint8",)


@dataclass(frozen=True)
class Picture:
    """What one position's planes of one kind make up.

    Attributes:
        position: what they were fused from; names, sizes and facts are kept.
        times: size of T.
        channels: one per C.
        dtype: of the numbers.
        samples: colours of a pixel.
    """

    position: Position
    times: int
    channels: Sequence[Channel]
    dtype: np.dtype[Any]
    samples: int = 1

    @property
    def plane(self) -> tuple[int, ...]:
        """``(Y, X)`` or ``(Y, X, S)``."""
        tail = (self.samples,) if self.samples > 1 else ()
        return (self.position.height, self.position.width, *tail)


class Sink(Protocol):
    """Takes planes in the order of positions, T and C."""

    def add(self, plane: NDArray[Any]) -> None:
        """Take the next plane.

        Raises:
            OSError: the disk is full.
        """
        ...

    def finish(self) -> None:
        """Make the file, or folder, whole."""
        ...


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
    ) -> None:
        """Set up.

        Args:
            path: of the TIFF.
            pictures: what comes, in order.
            as_imagej: write a hyperstack of ImageJ, which reads no OME-XML, if it can hold that.
            is_map: whether it holds maps and no pictures, which its mark tells.
        """
        self._mark = mark(is_map=is_map)
        self._path = path
        self._pictures = pictures
        self._as_imagej = as_imagej and len(pictures) == 1 and fits_imagej(pictures[0])
        self._raw = path.with_name(path.name + ".raw")
        self._raw.touch()

    def add(self, plane: NDArray[Any]) -> None:
        """Append the plane."""
        with self._raw.open("ab") as file:
            file.write(np.ascontiguousarray(plane).data)

    def finish(self) -> None:
        """Write the TIFF, deflated, and drop the raw file."""
        big = self._raw.stat().st_size > _BIG
        as_imagej = self._as_imagej and not big
        with (
            self._raw.open("rb") as raw,
            tifffile.TiffWriter(
                self._path, imagej=as_imagej, ome=not as_imagej, bigtiff=big
            ) as writer,
        ):
            for picture in self._pictures:
                channels = len(picture.channels)
                writer.write(
                    _planes(raw, picture),
                    shape=(picture.times, channels, *picture.plane),
                    dtype=picture.dtype,
                    photometric="rgb" if picture.samples > 2 else "minisblack",
                    planarconfig="contig" if picture.samples > 1 else None,
                    compression="zlib",
                    # ImageJ shows deflated differences as if they were the pixels, in silence
                    predictor=False,
                    software=self._mark,
                    **(_in_imagej(picture) if as_imagej else _in_ome(picture)),
                )
        self._raw.unlink()


def fits_imagej(picture: Picture) -> bool:
    """Whether ImageJ has such pixels: grey of three kinds, or red, green and blue of 8 bits."""
    kinds = {1: _IMAGEJ, 3: _IMAGEJ_COLOUR}.get(picture.samples, ())
    return picture.dtype.name in kinds


def _planes(raw: Any, picture: Picture) -> Iterator[NDArray[Any]]:  # noqa: ANN401
    size = int(np.prod(picture.plane)) * picture.dtype.itemsize
    for _ in range(picture.times * len(picture.channels)):
        yield np.frombuffer(raw.read(size), picture.dtype).reshape(picture.plane)


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
    facts: dict[str, Any] = {"axes": "TCYXS" if picture.samples > 1 else "TCYX"}
    tables = [channel.table for channel in picture.channels]
    if picture.samples == 1 and (None not in colours if len(names) > 1 else tables[0] is not None):
        luts = [_lut(c) if t is None else t for c, t in zip(colours, tables, strict=True)]
        facts |= {"mode": "composite" if len(names) > 1 else "color", "LUTs": luts}
    if any(names):
        facts["Labels"] = names * picture.times
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
    axes = "TCYXS" if picture.samples > 1 else "TCYX"
    facts: dict[str, Any] = {"axes": axes, "Name": position.name, **position.facts}
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


class ZarrSink:
    """Planes go straight into an OME-Zarr 0.4, which Fiji and napari read."""

    def __init__(self, path: Path, pictures: Sequence[Picture], *, is_map: bool = False) -> None:
        from panfocus.io.volumes.ngff import zarr_module  # noqa: PLC0415  needs the extra

        zarr = zarr_module()
        root = zarr.open_group(str(path), mode="w-", zarr_format=2)
        self._root, self._is_map = root, is_map
        self._pictures = pictures
        self._groups = [
            root if len(pictures) == 1 else root.create_group(str(n)) for n in range(len(pictures))
        ]
        self._arrays = [self._array(g, p) for g, p in zip(self._groups, pictures, strict=True)]
        # lowest and highest value of each channel, for viewers to begin with
        self._ranges = [
            np.tile([np.inf, -np.inf], (len(p.channels) * p.samples, 1)) for p in pictures
        ]
        if len(pictures) > 1:
            root.attrs["bioformats2raw.layout"] = 3
        self._next = self._order()

    @staticmethod
    def _array(group: Any, picture: Picture) -> Any:  # noqa: ANN401  zarr's types are not complete
        count = len(picture.channels) * picture.samples
        height, width = picture.plane[:2]
        return group.create_array(
            "0",
            shape=(picture.times, count, 1, height, width),
            chunks=(1, 1, 1, min(height, _CHUNK), min(width, _CHUNK)),
            dtype=picture.dtype,
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )

    def _order(self) -> Iterator[tuple[int, int, int]]:
        for n, picture in enumerate(self._pictures):
            for t in range(picture.times):
                for c in range(len(picture.channels)):
                    yield n, t, c

    def add(self, plane: NDArray[Any]) -> None:
        """Write the plane's chunks; colours of a pixel become channels."""
        number, t, c = next(self._next)
        samples = self._pictures[number].samples
        planes = [plane] if samples == 1 else list(np.moveaxis(plane, -1, 0))
        for k, single in enumerate(planes, c * samples):
            self._arrays[number][t, k, 0] = single
            low, high = self._ranges[number][k]
            self._ranges[number][k] = min(low, single.min()), max(high, single.max())

    def finish(self) -> None:
        """Write what is known of the pictures, and by what they were made."""
        name, _, version = mark().partition(" ")
        kind = {"kind": "map"} if self._is_map else {}
        self._root.attrs["_creator"] = {"name": name, "version": version, **kind}
        for group, picture, ranges in zip(self._groups, self._pictures, self._ranges, strict=True):
            group.attrs.update(_ngff(picture, ranges))


def _ngff(picture: Picture, ranges: NDArray[np.float64]) -> dict[str, Any]:
    """Return the attributes of version 0.4.

    Args:
        picture: what it is.
        ranges: lowest and highest value of each channel, ``(C * S, 2)``.
    """
    position = picture.position
    axes: list[dict[str, str]] = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    for letter, size in zip("zyx", position.voxel_um, strict=True):
        unit = {} if size is None else {"unit": "micrometer"}
        axes.append({"name": letter, "type": "space", **unit})
    scale = [1.0, 1.0, *(size or 1.0 for size in position.voxel_um)]
    transform = [{"type": "scale", "scale": scale}]
    dataset = {"path": "0", "coordinateTransformations": transform}
    multiscale = {"version": "0.4", "name": position.name, "axes": axes, "datasets": [dataset]}
    channels = [
        {
            "label": _label(channel, n, s, picture.samples),
            "color": hex_of_colour(channel.facts.get("Color", -1)),
            "active": True,
            "window": _window(picture.dtype, *map(float, ranges[n * picture.samples + s])),
        }
        for n, channel in enumerate(picture.channels)
        for s in range(picture.samples)
    ]
    return {"multiscales": [multiscale], "omero": {"channels": channels}}


def _window(dtype: np.dtype[Any], low: float, high: float) -> dict[str, float]:
    """Return what a viewer shows from black to white: a 12-bit picture would be dark in 16 bits."""
    if dtype.kind == "f":
        return {"start": low, "min": low, "end": high, "max": high}
    kind = np.iinfo(dtype)
    return {"start": low, "min": float(kind.min), "end": high, "max": float(kind.max)}


def _label(channel: Channel, n: int, s: int, samples: int) -> str:
    name = channel.name or f"channel {n}"
    return name if samples == 1 else f"{name} {'RGBA'[s] if samples > 2 else 'LA'[s]}"
