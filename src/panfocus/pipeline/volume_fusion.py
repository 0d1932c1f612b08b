"""Fuse a volume along Z by one call, into arrays; `panfocus.pipeline.volumes` writes files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.errors import UsageError
from panfocus.io.volumes.array import Voxel, volume_of_array
from panfocus.io.volumes.volume import Volume
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.options import Chosen, MapKind
from panfocus.pipeline.result import Fusion
from panfocus.pipeline.volume_outputs import Selection, VolumeOutputs
from panfocus.pipeline.volumes import Choice, Summary, check, fused_stacks, volume_settings
from panfocus.resources.paths import as_path
from panfocus.systems import PictureSystem, System, load_system
from panfocus.systems.checks import adopt


@dataclass(frozen=True)
class FusedPosition:
    """What was fused of one field of view.

    Attributes:
        name: as the file says, or its number.
        image: ``(T, C, Y, X)`` or ``(T, C, Y, X, S)``, in the numbers of the source.
        index: ``(T, C, Y, X)`` uint16, which plane won; C is 1 where one channel decides for
            all; None without maps.
        depth: the same in float32: the plane's number with fractions, or µm.
        confidence: the same, in [0, 1].
        channels: names, empty where the source says none.
        voxel_um: distances of planes, rows and columns, None where the source does not say.
    """

    name: str
    image: NDArray[Any]
    index: NDArray[np.uint16] | None
    depth: Float | None
    confidence: Float | None
    channels: tuple[str, ...]
    voxel_um: Voxel


@dataclass(frozen=True, repr=False)
class VolumeFusion:
    """The result of `fuse_volume`.

    Attributes:
        positions: what was fused of each field of view.
        summary: facts of every fusion along Z, system, settings and warnings.
    """

    positions: tuple[FusedPosition, ...]
    summary: Summary
    _volume: Volume = field(compare=False)
    _guided: bool = field(compare=False)

    def __repr__(self) -> str:
        """Tell in one line what was made of what."""
        shapes = sorted({" x ".join(map(str, p.image.shape)) for p in self.positions})
        made = f"{len(self.positions)} position(s), TCYX {', '.join(shapes)}"
        return f"<VolumeFusion: {made} {self.positions[0].image.dtype}>"

    @property
    def image(self) -> NDArray[Any]:
        """Of the only position: ``(T, C, Y, X[, S])``.

        Raises:
            UsageError: there are several.
        """
        if len(self.positions) != 1:
            raise UsageError(
                "the volume has several positions",
                expected="`positions`, each with an image of its own",
                got=f"{len(self.positions)}",
            )
        return self.positions[0].image

    def save(
        self, path: str | Path, *, maps: Sequence[MapKind] = (), overwrite: bool = False
    ) -> list[Path]:
        """Write all positions into one file, with names, lengths and times.

        Args:
            path: ``.ome.tif``, ``.tif``, ``.ome.zarr`` or ``.zarr``.
            maps: of "depth", "index" and "confidence", those to write beside it.
            overwrite: whether existing files may be replaced.

        Returns:
            The files written.

        Raises:
            OutputError: exists, cannot be written, or is what was read.
            UsageError: the fusion has no maps.

        Examples:
            >>> fused = panfocus.fuse_volume("cells.ome.tif")  # doctest: +SKIP
            >>> fused.save("fused.ome.tif", maps=["depth"])  # doctest: +SKIP
        """
        if maps and any(p.depth is None for p in self.positions):
            raise UsageError("the fusion has no maps", where="maps", remedy="fuse with maps=True")
        outputs = VolumeOutputs.beside(as_path(path, UsageError), maps, overwrite=overwrite)
        source = self._volume.path
        outputs.check([source] if self._volume.kind != "array" else [])
        selected = [Selection.whole(position) for position in self._volume.positions]
        with outputs.open(self._volume, selected, guided=self._guided) as sinks:
            for kind, sink in sinks.items():
                for position in self.positions:
                    planes = getattr(position, kind)
                    for plane in (one for time in planes for one in time):
                        sink.add(plane)
        return list(outputs.files.values())


def fuse_volume(
    source: Any,  # noqa: ANN401  a path, or whatever has a shape, a dtype and slices
    *,
    axes: str | None = None,
    guide_channel: str | int | None = None,
    pattern: str | None = None,
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
            array, or of a file that does not say them.
        guide_channel: number or name of the channel that decides for all; None: each for itself.
        pattern: of the names in a folder of planes, as ``img_{t}_{c}_{z}.tif``; None to see by
            the usual words.
        channel_names: of an array, one per C.
        voxel_um: of an array: distances of planes, rows and columns; the first makes depth a
            length.
        system: what decides, as of `fuse`.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every plane; True stops with `Cancelled`.
        **options: fields of `Options`; planes are aligned only if ``align`` is given.

    Returns:
        Arrays by position, which can be saved as OME-TIFF or OME-Zarr.

    Raises:
        UsageError: an option is unknown, or axes do not fit.
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
    choice = Choice(settings, axes, guide, pattern=pattern)
    loaded = own or load_system(settings.system, threads=settings.threads, device=settings.device)
    if isinstance(source, (str, Path)):
        volume = choice.open(as_path(source))
    else:
        volume = volume_of_array(source, axes, channel_names=channel_names, voxel_um=voxel_um)
    with closing(volume):
        check(volume, choice, loaded)
        summary = Summary(str(volume.path), volume.kind, asdict(settings), warnings=[*volume.notes])
        found: dict[int, list[list[Fusion]]] = {}
        images: dict[int, list[list[NDArray[Any]]]] = {}
        for one in fused_stacks(volume, choice, loaded, summary, progress=progress, cancel=cancel):
            at = id(one.position)
            place = images.setdefault(at, [[] for _ in range(one.position.times)])
            place[one.time] += one.stack.split(one.fusion.image)
            kept = replace(one.fusion, image=one.fusion.image[:0])  # the maps alone
            found.setdefault(at, [[] for _ in range(one.position.times)])[one.time].append(kept)
    positions = tuple(
        FusedPosition(
            p.name,
            np.stack([np.stack(channels) for channels in images[id(p)]]),
            *(_map(found[id(p)], kind) for kind in ("index", "depth", "confidence")),
            channels=tuple(channel.name for channel in p.channels),
            voxel_um=p.voxel_um,
        )
        for p in volume.positions
    )
    return VolumeFusion(positions, summary, volume, guide is not None)


def _map(fusions: Sequence[Sequence[Fusion]], kind: str) -> Any:  # noqa: ANN401  of any dtype
    maps = [[getattr(fusion, kind) for fusion in channels] for channels in fusions]
    if any(one is None for channels in maps for one in channels):
        return None
    return np.stack([np.stack(channels) for channels in maps])
