"""What a program in Python calls: `fuse`, and the `Fusion` that it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from panfocus.errors import UsageError
from panfocus.pipeline.chosen import Chosen
from panfocus.pipeline.frame_outputs import FrameOutputs
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.map_files import map_paths
from panfocus.pipeline.options import MapKind
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.run import run_fusion
from panfocus.pipeline.sources import Source
from panfocus.resources.paths import as_path
from panfocus.systems import PictureSystem, System


@dataclass(frozen=True, repr=False)
class Fusion(FusedPicture):
    """The result of `fuse`.

    Attributes:
        image: ``(H, W[, C])``, sharp everywhere; dtype and channels of the frames, unless
            another bit depth was asked for.
        index: ``(H, W)`` uint16, which frame won; None when not asked for or not to be had.
        depth: ``(H, W)`` float32, frame number with fractions (the peak of the evidence, or the
            weighted mean), or micrometres with a z-step; or None.
        confidence: ``(H, W)`` float32 in [0, 1], how clear the decision is; or None.
        report: settings, versions, system, shares, warnings, timings.
        metadata: of the reference frame, for saving.
        sources: files of the frames, which `save` does not replace; none for arrays.
        registration: where the frames lie and how bright they are; None when nothing was asked.
        plan: of the frames, without those that were culled; None for arrays.
        strokes: that were put onto the picture and its maps.
    """

    @classmethod
    def of(cls, fused: FusedPicture) -> Fusion:
        """Return what was fused, with its way into files."""
        return cls(**vars(fused))

    def save(
        self,
        path: str | Path,
        *,
        maps: Sequence[MapKind] | Mapping[MapKind, str | Path] = (),
        height_map: str | Path | None = None,
        mesh: str | Path | None = None,
        pixel_um: float | None = None,
        transforms: str | Path | None = None,
        report: str | Path | None = None,
        layers: str | Path | None = None,
        animation: str | Path | None = None,
        stereo: str | Path | None = None,
        rocking: str | Path | None = None,
        animation_size: int = 720,
        parallax: float = 3.0,
        scale_bar: str | None = None,
        quality: int = 95,
        overwrite: bool = False,
    ) -> list[str]:
        """Write the picture with its metadata, and what else is wanted, each file atomically.

        Args:
            path: its extension decides the format; ``.ome.tif`` describes itself in OME-XML.
            maps: of "depth", "index" and "confidence", those to write: as ``<path>_<kind>.tif``,
                or to the files of a mapping (``.tif`` or ``.png``).
            height_map: a picture of the depth in colours.
            mesh: ``.ply``, ``.obj`` or ``.glb``.
            pixel_um: width of a pixel in micrometres, for the mesh and an ``.ome.tif``; None for
                what a TIFF stack says of itself.
            transforms: JSON of where the frames lie, where they were registered.
            report: JSON of settings, frames, warnings and timings.
            layers: ``.psd``, ``.psb`` or ``.tif``: the picture above the aligned frames, with
                masks.
            animation: ``.gif`` or ``.webp`` through the aligned stack and back.
            stereo: a picture of both eyes' views, side by side.
            rocking: ``.gif`` or ``.webp`` of views from side to side.
            animation_size: of both animations, pixels at the longer side.
            parallax: between the eyes, and from side to side, per cent of the width.
            scale_bar: "100um", "0.5mm" or "auto": a copy ``<path>_scalebar`` has such a bar in it.
            quality: for JPEG and WebP, 1 to 100.
            overwrite: whether existing files may be replaced.

        Returns:
            Notes for the user, such as metadata that the format cannot hold.

        Raises:
            OutputError: exists, cannot be written, is one of the frames, or the format cannot
                hold the picture.
            UsageError: two files are one, no such kind of map, the fusion has no maps, or it is
                one of arrays and its frames are asked for.

        Examples:
            >>> fusion = panfocus.fuse("shots/")  # doctest: +SKIP
            >>> fusion.save("fused.tif", maps=["depth"], report="fused.json")  # doctest: +SKIP
        """
        picture, of_frames = _place(path), (layers, animation, stereo, rocking)
        frames = (_place_of(file) for file in of_frames)
        wanted = Outputs(
            picture,
            map_paths(picture, maps),
            *(_place_of(file) for file in (height_map, mesh)),
            pixel_um=pixel_um,
            transforms=_place_of(transforms),
            report=_place_of(report),
            quality=quality,
            overwrite=overwrite,
            scale_bar=scale_bar,
            of_frames=FrameOutputs(*frames, animation_size=animation_size, parallax=parallax),
        )
        return wanted.write(self)[1]


def _place(path: str | Path) -> Path:
    return as_path(path, UsageError)


def _place_of(path: str | Path | None) -> Path | None:
    return None if path is None else _place(path)


def fuse(
    frames: Source | Plan,
    *,
    system: str | Path | System | PictureSystem | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **options: Unpack[Chosen],
) -> Fusion:
    """Fuse frames focused at different depths into one picture that is sharp everywhere.

    Args:
        frames: file names, globs, a folder or a multi-page TIFF; an array ``(N, H, W[, C])``;
            any iterable of arrays ``(H, W[, C])``, of which two are held at a time; or a `Plan`.
            Numbers are uint8, uint16, or float32 in [0, 1]; 2 or 4 channels end in opacity.
        system: what decides: a name of `list_systems`, the folder of an exported system, or an
            object of your own with a card and ``decide``; None for the default.
        progress: called with (share done in [0, 1], stage, message).
        cancel: asked before every frame; True stops with `Cancelled`.
        **options: fields of `Options`, checked there; a plan brings its own.

    Returns:
        The picture with its index, depth and confidence maps and a report.

    Raises:
        UsageError: an option or its value is unknown.
        InputError: a frame is unreadable or does not fit the others.
        SystemError_: the system is unknown or damaged.
        Cancelled: `cancel` said so.

    Examples:
        >>> import numpy as np
        >>> sharp = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (16, 16))
        >>> flat, left = np.full_like(sharp, 100), np.arange(32) < 16
        >>> frames = [np.where(left, sharp, flat), np.where(left, flat, sharp)]
        >>> fusion = fuse(frames, system="guided", mode="select")
        >>> fusion
        <Fusion: 32 x 32 uint8 from 2 frames by guided; maps: index, depth, confidence>
        >>> bool((fusion.image[:, :12] == sharp[:, :12]).all())
        True
    """
    fused = run_fusion(frames, system=system, progress=progress, cancel=cancel, **options)
    return Fusion.of(fused)
