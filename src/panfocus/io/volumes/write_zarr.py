"""Fused planes into one OME-Zarr, of version 0.4 or 0.5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from panfocus.io.mark import mark
from panfocus.io.volumes.pyramid import Pyramid, halved, levels_of, shape_of
from panfocus.io.volumes.volume import Channel, hex_of_colour
from panfocus.io.volumes.write import Picture

#: Of OME-Zarr: 0.4 lies in Zarr 2 and is read nearly everywhere, 0.5 in Zarr 3.
NgffVersion = Literal["0.4", "0.5"]
NGFF_VERSIONS: tuple[NgffVersion, ...] = get_args(NgffVersion)
_CHUNK = 1024
_AXES = "tczyx"


class ZarrSink:
    """Planes go straight into an OME-Zarr, which Fiji, napari and viewers on the web read."""

    def __init__(
        self,
        path: Path,
        pictures: Sequence[Picture],
        *,
        is_map: bool = False,
        pyramid: Pyramid = "auto",
        version: NgffVersion = "0.4",
    ) -> None:
        """Set up; arguments as of `TiffSink`, smaller copies are arrays of their own."""
        from panfocus.io.volumes.ngff import zarr_module  # noqa: PLC0415  needs the extra

        zarr = zarr_module()
        self._version: NgffVersion = version
        root = zarr.open_group(str(path), mode="w-", zarr_format=2 if version == "0.4" else 3)
        self._root, self._is_map = root, is_map
        self._pictures = pictures
        self._groups = [
            root if len(pictures) == 1 else root.create_group(str(n)) for n in range(len(pictures))
        ]
        self._levels = [levels_of(p.plane[0], p.plane[1], pyramid) for p in pictures]
        self._arrays = [
            [self._array(group, picture, level) for level in range(count + 1)]
            for group, picture, count in zip(self._groups, pictures, self._levels, strict=True)
        ]
        # lowest and highest value of each channel, for viewers to begin with
        self._ranges = [
            np.tile([np.inf, -np.inf], (len(p.channels) * p.samples, 1)) for p in pictures
        ]
        if len(pictures) > 1:
            self._tell(root, {"bioformats2raw.layout": 3})
        self._next = self._order()

    def _tell(self, group: Any, facts: dict[str, Any]) -> None:  # noqa: ANN401  of zarr
        """Put attributes where the version has them: 0.5 holds its own in one."""
        is_plain = self._version == "0.4"
        group.attrs.update(facts if is_plain else {"ome": {"version": self._version, **facts}})

    def _array(self, group: Any, picture: Picture, level: int) -> Any:  # noqa: ANN401  of zarr
        count = len(picture.channels) * picture.samples
        height, width = shape_of(picture.plane, level)[:2]
        how: dict[str, Any] = {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
        if self._version != "0.4":  # in Zarr 2 no array tells its axes
            how = {"dimension_names": tuple(_AXES)}
        return group.create_array(
            str(level),
            shape=(picture.times, count, picture.depths, height, width),
            chunks=(1, 1, 1, min(height, _CHUNK), min(width, _CHUNK)),
            dtype=picture.dtype,
            **how,
        )

    def _order(self) -> Iterator[tuple[int, int, int, int]]:
        for n, picture in enumerate(self._pictures):
            for t, c, z in picture.places():
                yield n, t, c, z

    def add(self, plane: NDArray[Any]) -> None:
        """Write the plane's chunks; colours of a pixel become channels."""
        number, t, c, z = next(self._next)
        picture = self._pictures[number]
        samples = picture.samples
        planes = [plane] if samples == 1 else list(np.moveaxis(plane, -1, 0))
        for k, single in enumerate(planes, c * samples):
            small = single
            for level, array in enumerate(self._arrays[number]):
                small = halved(small, is_numbered=picture.is_numbered) if level else single
                array[t, k, z] = small
            low, high = self._ranges[number][k]
            self._ranges[number][k] = min(low, single.min()), max(high, single.max())

    def finish(self) -> list[str]:
        """Write what is known of the pictures, and by what they were made."""
        name, _, version = mark().partition(" ")
        kind = {"kind": "map"} if self._is_map else {}
        self._root.attrs["_creator"] = {"name": name, "version": version, **kind}
        told = zip(self._groups, self._pictures, self._ranges, self._levels, strict=True)
        for group, picture, ranges, levels in told:
            facts = _ngff(picture, ranges, levels)
            if self._version == "0.4":
                facts["multiscales"][0]["version"] = self._version
            self._tell(group, facts)
        return []


def _ngff(picture: Picture, ranges: NDArray[np.float64], levels: int) -> dict[str, Any]:
    """Return the attributes that both versions have.

    Args:
        picture: what it is.
        ranges: lowest and highest value of each channel, ``(C * S, 2)``.
        levels: smaller copies.
    """
    position = picture.position
    axes: list[dict[str, str]] = [
        {"name": _AXES[0], "type": "time"},
        {"name": _AXES[1], "type": "channel"},
    ]
    for letter, size in zip(_AXES[2:], position.voxel_um, strict=True):
        unit = {} if size is None else {"unit": "micrometer"}
        axes.append({"name": letter, "type": "space", **unit})
    voxel = [size or 1.0 for size in position.voxel_um]
    datasets = [
        _dataset(level, voxel, is_numbered=picture.is_numbered) for level in range(levels + 1)
    ]
    multiscale = {"name": position.name, "axes": axes, "datasets": datasets}
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


def _dataset(level: int, voxel: Sequence[float], *, is_numbered: bool) -> dict[str, Any]:
    """Return where an array's pixels lie: the middle of each is that of those it is made of."""
    z, y, x = voxel
    factor = 2**level
    steps: list[dict[str, Any]] = [
        {"type": "scale", "scale": [1.0, 1.0, z, y * factor, x * factor]}
    ]
    if level and not is_numbered:
        shift = (factor - 1) / 2
        steps.append({"type": "translation", "translation": [0.0, 0.0, 0.0, y * shift, x * shift]})
    return {"path": str(level), "coordinateTransformations": steps}


def _window(dtype: np.dtype[Any], low: float, high: float) -> dict[str, float]:
    """Return what a viewer shows from black to white: a 12-bit picture would be dark in 16 bits."""
    if dtype.kind == "f":
        return {"start": low, "min": low, "end": high, "max": high}
    kind = np.iinfo(dtype)
    return {"start": low, "min": float(kind.min), "end": high, "max": float(kind.max)}


def _label(channel: Channel, n: int, s: int, samples: int) -> str:
    name = channel.name or f"channel {n}"
    return name if samples == 1 else f"{name} {'RGBA'[s] if samples > 2 else 'LA'[s]}"
