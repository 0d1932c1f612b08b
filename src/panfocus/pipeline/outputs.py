"""Every file of a fusion: what it is called, whether it can be, and writing it.

The command line, batches and `Fusion.save` ask here; nothing else knows the names of files beside
a picture, or what a format holds.
"""

from __future__ import annotations

import glob
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from panfocus import io
from panfocus.errors import UsageError
from panfocus.frozen import frozen
from panfocus.io.endings import split_ending
from panfocus.io.outputs import Output, check_apart
from panfocus.pipeline.frame_outputs import FrameOutputs
from panfocus.pipeline.map_files import check_makes_maps
from panfocus.pipeline.options import MAP_KINDS
from panfocus.pipeline.picture_output import pixel_size, scale_bars, write_picture
from panfocus.pipeline.plan import Plan, settings_files
from panfocus.pipeline.report import write_report
from panfocus.pipeline.result import FusedPicture, written_dtype
from panfocus.pipeline.surface_output import Relief, write_surfaces
from panfocus.resources.threads import opencv_threads


def inputs_of(plan: Plan) -> list[Path]:
    """Return all that is read: the frames, and what tells how to fuse them."""
    return [*(info.path for info in plan.infos), *settings_files(plan.settings)]


@frozen
class Outputs:
    """The files that are wanted of a fusion.

    Attributes:
        picture: its extension decides the format.
        maps: by kind.
        height_map: depth in colours.
        mesh: the surface, ``.ply``, ``.obj`` or ``.glb``.
        pixel_um: width of a pixel in micrometres, for the mesh.
        slab: frames of each slab, and how many it shares with the next; None for no slabs.
        transforms: where the frames lie, as JSON.
        report: how the picture came about, as JSON.
        quality: of JPEG and WebP, 1 to 100.
        overwrite: whether existing files may be replaced; what is read never is.
        of_frames: files that show the frames, too.
        scale_bar: length of a bar with its unit, or "auto", painted into a copy of the picture.
    """

    picture: Path
    maps: Mapping[str, Path] = field(default_factory=dict[str, Path])
    height_map: Path | None = None
    mesh: Path | None = None
    pixel_um: float | None = None
    slab: tuple[int, int] | None = None
    transforms: Path | None = None
    report: Path | None = None
    quality: int = 95
    overwrite: bool = False
    of_frames: FrameOutputs = field(default_factory=FrameOutputs)
    scale_bar: str | None = None

    @property
    def need_maps(self) -> bool:
        """Whether index, depth and confidence must be made."""
        surfaces = self.height_map is not None or self.mesh is not None
        return bool(self.maps) or surfaces or self.of_frames.layers is not None

    @property
    def earlier(self) -> list[Path]:
        """Names under which an earlier run may have left results among the frames."""
        files = [self.picture, *(path for _, path in self._beside(0)), *self.maps.values()]
        if self.slab is None:
            return files
        name, ending = split_ending(self.picture)
        return [*files, *self.picture.parent.glob(f"{glob.escape(name)}_slab*{ending}")]

    def pictures(self, count: int) -> list[Path]:
        """Return all but the JSON files of a stack of `count` frames."""
        return [self.picture, *self.maps.values(), *(path for _, path in self._beside(count))]

    def named(self, count: int) -> list[Output]:
        """Return every file of a stack of `count` frames, each by the option that names it."""
        maps = [(f"{kind}_map", path) for kind, path in self.maps.items()]
        return [("path", self.picture), *maps, *self._beside(count), *self._texts()]

    def _beside(self, count: int) -> list[Output]:
        out = [] if self.height_map is None else [("height_map", self.height_map)]
        out += [("scale_bar", bar.path) for bar in scale_bars(self.picture, self.scale_bar)]
        if self.mesh is not None:
            from panfocus.surface.mesh import mesh_files  # noqa: PLC0415  few fusions make one

            out += [("mesh", path) for path in mesh_files(self.mesh)]
        return [*out, *self.of_frames.named(), *(("slab", path) for path in self._slabs(count))]

    def _texts(self) -> list[Output]:
        named = [("report", self.report), ("transforms", self.transforms)]
        return [(option, path) for option, path in named if path is not None]

    def _slabs(self, count: int) -> list[Path]:
        if self.slab is None:
            return []
        from panfocus.pipeline.slabs import slab_paths, slab_ranges  # noqa: PLC0415  few make any

        return slab_paths(self.picture, len(slab_ranges(count, *self.slab)))

    def check(self, plan: Plan, *, read: Sequence[Path] | None = None) -> None:
        """Refuse what cannot be written, before any work.

        Args:
            plan: of the fusion.
            read: all that is read, where that is more than the plan tells, as of a culled one.

        Raises:
            OutputError: exists, is an input, or a format that cannot hold it.
            UsageError: two are one file; no depth to be had; or trimesh is missing.
        """
        check_apart(read or inputs_of(plan), self.named(plan.count))
        card = plan.system.card
        if self.maps:
            where = ", ".join(f"{kind}_map" for kind in self.maps)
            check_makes_maps(card, where)
        self._check_surfaces(plan)
        io.check_output(
            self.picture,
            overwrite=self.overwrite,
            dtype=written_dtype(self.picture, plan.dtype, plan.settings.bit_depth),
            channels=plan.channels,
            kind="image",
            size=(plan.height, plan.width),
        )
        for bar in scale_bars(self.picture, self.scale_bar):
            files = [info.path for info in plan.infos]
            bar.check(plan.width, pixel_size(files, self.pixel_um))
        count = len(self._slabs(plan.count))
        self.of_frames.check(plan, overwrite=self.overwrite, slabs=count)
        for _, path in (*self._beside(plan.count), *self._texts()):
            io.check_place(path, overwrite=self.overwrite)
        for path in self.maps.values():
            io.check_output(path, overwrite=self.overwrite, dtype="float32", channels=1, kind="map")

    def _check_surfaces(self, plan: Plan) -> None:
        card = plan.system.card
        if card.kind == "picture" and (self.height_map is not None or self.mesh is not None):
            raise UsageError(
                f"the system {card.name} does not decide, and so knows no depth",
                where="height_map, mesh",
                expected="a system of kind decision",
                remedy="leave them out, or take another system (`panfocus systems`)",
            )
        if self.mesh is not None:
            from panfocus.surface.mesh import check_mesh_path  # noqa: PLC0415  few fusions make one

            check_mesh_path(self.mesh)
        if self.height_map is not None:
            kind: dict[str, Any] = {"dtype": "uint8", "channels": 3, "kind": "image"}
            io.check_output(self.height_map, overwrite=self.overwrite, **kind)

    def write(
        self, fusion: FusedPicture, *, plan: Plan | None = None
    ) -> tuple[list[Path], list[str]]:
        """Write all, each file whole or not at all.

        Args:
            fusion: with maps, where any are wanted.
            plan: whose slabs are fused, where any are wanted.

        Returns:
            The files, and notes for the user: what a format cannot hold, the scale of a map.

        Raises:
            OutputError: exists, is one of the frames, or cannot be written.
            UsageError: maps or slabs are wanted, and the fusion has none.
        """
        count = plan.count if plan else 0
        check_apart(fusion.sources, self.named(count))
        self._check_made(fusion)
        written = [self.picture]
        with opencv_threads(fusion.report.settings.get("threads")):  # which the encoder takes, too
            notes = write_picture(
                self.picture,
                fusion,
                quality=self.quality,
                overwrite=self.overwrite,
                pixel_um=self.pixel_um,
            )
        pixel_um = pixel_size(fusion.sources, self.pixel_um)
        for bar in scale_bars(self.picture, self.scale_bar):
            how = {"quality": self.quality, "overwrite": self.overwrite}
            bar.write(fusion.image, fusion.metadata, pixel_um, **how)
        for kind, path in self.maps.items():
            notes += io.write_map(
                path,
                getattr(fusion, kind),
                overwrite=self.overwrite,
                pixel_um=pixel_um,
            )
            written.append(path)
        surfaces = self.height_map, self.mesh, Relief.of(fusion), fusion.image
        wide = None if pixel_um is None else pixel_um[1]
        notes += write_surfaces(*surfaces, pixel_um=wide, overwrite=self.overwrite)
        slabs = self._written_slabs(plan, fusion)
        notes += self._write_of_frames(fusion, slabs, count)
        deque(slabs, 0)  # those that are no layers
        written += [path for _, path in self._beside(count)]
        notes = list(dict.fromkeys(notes))
        fusion.report.warnings += notes
        if self.transforms is not None and fusion.transforms is not None:
            fusion.transforms.save(self.transforms, overwrite=self.overwrite)
            written.append(self.transforms)
        if self.report is not None:
            write_report(self.report, fusion.report, overwrite=self.overwrite)
        return written, notes

    def _check_made(self, fusion: FusedPicture) -> None:
        """Refuse maps that the fusion has not, before any file is written."""
        surfaces = self.height_map is not None or self.mesh is not None
        wanted = {*self.maps, *(("depth", "confidence") if surfaces else ())}
        missing = [kind for kind in MAP_KINDS if kind in wanted and getattr(fusion, kind) is None]
        if missing:
            raise UsageError(
                f"the fusion has no {' and no '.join(missing)} map",
                expected="maps=True, and a system of kind decision",
                got="a fusion without maps",
            )

    def _write_of_frames(
        self, fusion: FusedPicture, slabs: Iterator[FusedPicture], frames: int
    ) -> list[str]:
        if not self.of_frames.named():
            return []
        from panfocus.pipeline.frame_files import write_frame_files  # noqa: PLC0415  few make any

        how: dict[str, Any] = {"quality": self.quality, "overwrite": self.overwrite}
        count = len(self._slabs(frames))
        return write_frame_files(self.of_frames, fusion, slabs, count, **how)

    def _written_slabs(self, plan: Plan | None, fusion: FusedPicture) -> Iterator[FusedPicture]:
        """Fuse the slabs, all as the frames of the whole stack lie; yield each once written."""
        if self.slab is None:
            return
        if plan is None:
            raise UsageError("slabs are made of frames in files", where="slab")
        from panfocus.pipeline.slabs import fuse_slabs  # noqa: PLC0415  few fusions make any

        slabs = fuse_slabs(plan, *self.slab, registration=fusion.registration)
        for path, part in zip(self._slabs(plan.count), slabs, strict=True):
            write_picture(
                path,
                part,
                quality=self.quality,
                overwrite=self.overwrite,
                pixel_um=self.pixel_um,
            )
            yield part
