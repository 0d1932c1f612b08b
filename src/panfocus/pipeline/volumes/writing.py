"""Fused planes of a volume on their way into files, and what is drawn of each stack."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from panfocus.io.atomic import staging
from panfocus.io.volumes import zarr_thread
from panfocus.io.volumes.display import DisplayRange
from panfocus.io.volumes.open import is_zarr
from panfocus.io.volumes.pyramid import Pyramid
from panfocus.io.volumes.volume import Channel, Position, Volume
from panfocus.io.volumes.write import Picture, Sink
from panfocus.io.volumes.write_picture import Bits, MapSink, PictureSink
from panfocus.io.volumes.write_tiff import TiffSink
from panfocus.io.volumes.write_zarr import NgffVersion, ZarrSink
from panfocus.pipeline.slabs import slab_ranges
from panfocus.pipeline.volumes.choice import Choice, Group, Selection
from panfocus.pipeline.volumes.surfaces import Shown, SurfaceOutputs, tails_of

_DTYPES: Mapping[str, str] = {"depth": "float32", "index": "uint16", "confidence": "float32"}
Slab = tuple[int, int]


class StagedFiles:
    """Where files lie until all are whole: hidden folders beside their places.

    Attributes:
        waiting: of each place, the file that shall go there.
    """

    def __init__(self, stack: ExitStack) -> None:
        """Set up; the folders go when the stack is left."""
        self._stack = stack
        self._folders: dict[Path, Path] = {}
        self.waiting: dict[Path, Path] = {}

    def __call__(self, path: Path) -> Path:
        """Return where a file is written before it is put in its place."""
        real = Path(os.path.realpath(path))  # through a link, not in its place
        if real.parent not in self._folders:
            self._folders[real.parent] = self._stack.enter_context(staging(real.parent))
        if is_zarr(real):
            self._stack.callback(zarr_thread.wait)  # before the folder goes, or it comes back
        self.waiting[path] = self._folders[real.parent] / real.name
        return self.waiting[path]


class Writing:
    """All that takes what is fused.

    Attributes:
        sinks: by what they hold: "image", the kinds of map, and "slab".
        notes: for the user.
    """

    def __init__(
        self, stage: StagedFiles, surfaces: SurfaceOutputs, groups: Sequence[Group]
    ) -> None:
        """Set up, without sinks."""
        self.sinks: dict[str, Sink] = {}
        self.notes: list[str] = []
        self._stage = stage
        self._surfaces = surfaces
        self._tails = dict(zip(map(_place, groups), tails_of(groups), strict=True))

    def add_surfaces(self, group: Group, shown: Shown) -> None:
        """Draw what is wanted of a stack."""
        self.notes += self._surfaces.write(shown, self._tails[_place(group)], self._stage)

    def finish(self) -> None:
        """Make all files whole."""
        for sink in self.sinks.values():
            self.notes += sink.finish()


def _place(group: Group) -> tuple[int, int, int]:
    return group.selection.number, group.time, group.channels[0]


def pictures_of(
    kind: str, choice: Choice, selected: Sequence[Selection], slab: Slab | None
) -> list[Picture]:
    """Return what each chosen position's planes of one kind make up."""
    return [_picture(kind, choice, one, slab) for one in selected]


def _picture(kind: str, choice: Choice, selected: Selection, slab: Slab | None) -> Picture:
    position = selected.position
    groups = choice.groups([selected])
    order = [c for g in groups if g.time == selected.times[0] for c in g.channels]
    channels = [position.channels[c] for c in order]
    is_shared = len(groups) == len(selected.times)
    times = len(selected.times)
    if kind == "image":
        return Picture(position, times, channels, position.dtype, position.samples)
    if kind == "slab":
        assert slab is not None
        return Picture(
            _at_distances(position, slab),
            times,
            channels,
            position.dtype,
            position.samples,
            depths=len(slab_ranges(len(selected.depths), *slab)),
            is_shared=is_shared,
        )
    own = [Channel(f"{kind} {c.name}".strip()) for c in channels]
    return Picture(
        position,
        times,
        [Channel(kind)] if is_shared and len(own) > 1 else own,
        np.dtype(_DTYPES[kind]),
        is_numbered=kind == "index",
    )


def _at_distances(position: Position, slab: Slab) -> Position:
    """Return a position whose planes are as far apart as slabs are."""
    z, y, x = position.voxel_um
    return replace(position, voxel_um=(None if z is None else z * (slab[0] - slab[1]), y, x))


def sink_of(
    kind: str,
    paths: Sequence[Path],
    volume: Volume,
    pictures: Sequence[Picture],
    *,
    display: DisplayRange | None,
    pyramid: Pyramid,
    ome_zarr: NgffVersion,
    bit_depth: Bits,
    quality: int,
) -> Sink:
    """Return what writes the planes of one kind.

    Args:
        kind: "image", "slab" or a kind of map.
        paths: where; several only of pictures of slabs.
        volume: what is fused.
        pictures: what comes, one a position.
        display: which numbers pictures show as black to white; None where files hold all planes.
        pyramid: whether large planes get smaller copies.
        ome_zarr: version, of what is an OME-Zarr.
        bit_depth: of pictures.
        quality: of pictures.
    """
    is_map = kind in _DTYPES
    path = paths[0]
    if display is not None:
        how: dict[str, Any] = {"display": display, "bit_depth": bit_depth, "quality": quality}
        return MapSink(path) if is_map else PictureSink(paths, pictures[0], **how)
    if is_zarr(path):
        return ZarrSink(path, pictures, is_map=is_map, pyramid=pyramid, version=ome_zarr)
    # what came as a hyperstack of ImageJ goes back as one, unless OME is asked for by name
    stays = volume.kind == "ImageJ TIFF" and ".ome" not in path.suffixes
    return TiffSink(path, pictures, as_imagej=stays, is_map=is_map, pyramid=pyramid)
