"""Fuse a volume along Z by one call, into arrays; `panfocus.pipeline.volumes.run` writes files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from panfocus.errors import UsageError
from panfocus.io.volumes.array import volume_of_array
from panfocus.io.volumes.vendors import Mosaic
from panfocus.io.volumes.volume import Voxel
from panfocus.pipeline.chosen import Chosen
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.volumes.check import check, check_slab
from panfocus.pipeline.volumes.choice import Choice, Only, Selection, Wanted, volume_settings
from panfocus.pipeline.volumes.result import FusedPosition, VolumeFusion
from panfocus.pipeline.volumes.run import FusedStack, fused_stacks
from panfocus.pipeline.volumes.summary import Summary
from panfocus.resources.paths import as_path
from panfocus.schema import said
from panfocus.systems import PictureSystem, System, load_system
from panfocus.systems.checks import adopt


class _Gathered:
    """What was fused of one position, plane by plane."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._times = {t: n for n, t in enumerate(selection.times)}
        self._images: list[list[NDArray[Any]]] = [[] for _ in selection.times]
        self._slabs: list[list[NDArray[Any]]] = [[] for _ in selection.times]
        self._fusions: list[list[FusedPicture]] = [[] for _ in selection.times]

    def add(self, one: FusedStack) -> None:
        """Take the next fusion."""
        t = self._times[one.group.time]
        self._images[t] += one.stack.split(one.fusion.image)
        parts = [one.stack.split(slab.image) for slab in one.slabs]
        # one entry per channel, each of all slabs
        self._slabs[t] += [np.stack(planes) for planes in zip(*parts, strict=True)]
        self._fusions[t].append(replace(one.fusion, image=one.fusion.image[:0]))  # maps alone

    def whole(self) -> FusedPosition:
        """Return all of it."""
        position = self._selection.position
        report = self._fusions[0][0].report
        return FusedPosition(
            position.name,
            np.stack([np.stack(channels) for channels in self._images]),
            *(self._map(kind) for kind in ("index", "depth", "confidence")),
            channels=tuple(position.channels[c].name for c in self._selection.channels),
            voxel_um=position.voxel_um,
            depth_unit=report.depth_unit,
            slabs=np.stack([np.stack(c) for c in self._slabs]) if self._slabs[0] else None,
        )

    def _map(self, kind: str) -> Any:  # noqa: ANN401  of any dtype
        maps = [[getattr(fusion, kind) for fusion in channels] for channels in self._fusions]
        if any(one is None for channels in maps for one in channels):
            return None
        return np.stack([np.stack(channels) for channels in maps])


def fuse_volume(
    source: Any,  # noqa: ANN401  a path, or whatever has a shape, a dtype and slices
    *,
    axes: str | None = None,
    guide_channel: str | int | None = None,
    only: Wanted | None = None,
    slab: tuple[int, int] | None = None,
    pattern: str | None = None,
    mosaic: Mosaic | None = None,
    channel_names: Sequence[str] | None = None,
    voxel_um: Voxel = (None, None, None),
    system: str | Path | System | PictureSystem | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **options: Unpack[Chosen],
) -> VolumeFusion:
    """Fuse every position, time and channel of a volume along Z.

    Two planes of one stack are held at a time, whatever the volume's size, beside the result.

    Args:
        source: an OME-TIFF, a TIFF hyperstack, an OME-Zarr, a folder with one plane a file; or an
            array of NumPy, Dask, Zarr or xarray. ``uint8``, ``uint16``, ``int8``, ``int16`` and
            ``float32``; the dtype is kept, doubles of arrays become single precision.
        axes: a letter for each axis, of P (position) T C Z Y X S (colours of a pixel): of an
            array, or of a file that does not say them; of a TIFF whose pages lie in one row with
            sizes, as ``"C2Z5YX"``.
        guide_channel: number or name of the channel that decides for all; None: each for itself.
        only: what of the volume is fused, as ``"T=0,C=DAPI"`` or ``{"T": 0, "C": ["DAPI"]}``:
            numbers from 0, names, and ranges such as ``Z=5-20``, of P (position), T, C and Z; None
            for all. Index and depth count planes from the volume's first one all the same.
        slab: planes of each slab, and how many it shares with the next; each slab is fused by
            itself, too; None for no slabs.
        pattern: of the names in a folder of planes, as ``img_{t}_{c}_{z}.tif``; None to see by
            the usual words.
        mosaic: tiles of a mosaic in a file of a microscope's maker: "whole" puts them together
            where the file says they lie, as None does, "tiles" makes each a position.
        channel_names: of an array, one per C.
        voxel_um: of an array: distances of planes, rows and columns; the first makes depth a
            length.
        system: what decides, as of `fuse`.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every plane; True stops with `Cancelled`.
        **options: fields of `Options`; planes are aligned only if ``align`` is given, and
            ``bit_depth`` is of pictures that are saved.

    Returns:
        Arrays by position, which can be saved as OME-TIFF or OME-Zarr.

    Raises:
        UsageError: an option is unknown, axes do not fit, or there is nothing that was chosen.
        InputError: a plane is missing, damaged or holds NaN, or a stack has one plane.
        SystemError_: the system is unknown or damaged.
        Cancelled: `cancel` said so.

    Examples:
        >>> import numpy as np
        >>> stack = np.random.default_rng(1).integers(0, 4096, (2, 3, 48, 64), np.uint16)
        >>> fused = fuse_volume(stack, axes="CZYX", system="guided", mode="select")
        >>> fused.image.shape, fused.image.dtype
        ((1, 2, 48, 64), dtype('uint16'))
    """
    own = None if system is None or isinstance(system, (str, Path)) else adopt(system)
    asked: dict[str, Any] = {"maps": True, **options}
    if system is not None:
        asked["system"] = own.card.name if own is not None else str(system)
    settings = volume_settings(**asked)
    guide = None if guide_channel is None else str(guide_channel)
    if guide is not None and not isinstance(guide_channel, (str, int)):
        raise UsageError(
            "there is no such channel",
            where="guide_channel",
            expected="its number or its name",
            got=said(guide_channel),
        )
    chosen = None if only is None else Only.of(only)
    choice = Choice(settings, axes, guide, chosen, pattern, mosaic)
    loaded = own or load_system(settings.system, threads=settings.threads, device=settings.device)
    if isinstance(source, (str, Path)):
        volume = choice.open(as_path(source))
    else:
        volume = volume_of_array(source, axes, channel_names=channel_names, voxel_um=voxel_um)
    with closing(volume):
        check(volume, choice, loaded)
        check_slab(slab, settings)
        summary = Summary(str(volume.path), volume.kind, asdict(settings), warnings=[*volume.notes])
        gathered = {one.number: _Gathered(one) for one in choice.selected(volume)}
        for one in fused_stacks(
            volume, choice, loaded, summary, slab=slab, progress=progress, cancel=cancel
        ):
            gathered[one.group.selection.number].add(one)
    positions = tuple(one.whole() for one in gathered.values())
    return VolumeFusion(positions, summary, volume, choice, slab)
