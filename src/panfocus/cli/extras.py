"""What `panfocus fuse` writes besides picture and maps: slabs, height map, mesh."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from panfocus import io
from panfocus.errors import UsageError
from panfocus.io.outputs import Output
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import Fusion


@dataclass(frozen=True)
class Extras:
    """What was asked for; see the options of `panfocus fuse`."""

    slab: tuple[int, int] | None = None
    height_map: Path | None = None
    mesh: Path | None = None
    pixel_um: float | None = None

    @property
    def need_maps(self) -> bool:
        """Whether depth must be made."""
        return self.height_map is not None or self.mesh is not None

    def refuse(self) -> None:
        """Refuse them all, where the stack is a scientific one.

        Raises:
            UsageError: something was asked for.
        """
        if self != Extras():
            raise UsageError(
                "scientific stacks are fused without slabs, height map and mesh",
                where="--slab, --height-map, --mesh, --pixel-size",
                remedy="leave them out; --depth-map keeps the depth",
            )

    def files(self, output: Path, count: int) -> list[Output]:
        """Return all that will be written for a stack of `count` frames, by option."""
        out = [] if self.height_map is None else [("--height-map", self.height_map)]
        if self.mesh is not None:
            from panfocus.surface.mesh import mesh_files  # noqa: PLC0415  few fusions make one

            out += [("--mesh", path) for path in mesh_files(self.mesh)]
        return [*out, *(("--slab", path) for path in self._slabs(output, count))]

    def earlier(self, output: Path) -> list[Path]:
        """Return names that an earlier run may have left results under, beside the frames."""
        name = f"{glob.escape(output.stem)}_slab*{output.suffix}"
        files = [path for _, path in self.files(output, 0)]
        return [*files, *output.parent.glob(name)] if self.slab else files

    def _slabs(self, output: Path, count: int) -> list[Path]:
        if self.slab is None:
            return []
        from panfocus.pipeline.slabs import slab_paths, slab_ranges  # noqa: PLC0415  few fusions make any

        return slab_paths(output, len(slab_ranges(count, *self.slab)))

    def check(self, output: Path, plan_: Plan, *, overwrite: bool) -> None:
        """Refuse what cannot be written, before any work.

        Raises:
            OutputError: exists, or an ending that cannot be.
            UsageError: no depth to be had, or trimesh is missing.
        """
        if self.need_maps and plan_.system.card.kind == "picture":
            raise UsageError(
                f"the system {plan_.system.card.name} does not decide, and so knows no depth",
                where="--height-map, --mesh",
                expected="a system of kind decision",
                remedy="leave them out, or take another system (`panfocus systems`)",
            )
        if self.slab is not None and plan_.settings.load_transforms:
            raise UsageError(
                "slabs are aligned each by itself, not by loaded transforms",
                where="--slab, --load-transforms",
                remedy="write aligned frames first (--align-only DIR), and fuse those",
            )
        if self.mesh is not None:
            from panfocus.surface.mesh import check_mesh_path  # noqa: PLC0415  few fusions make one

            check_mesh_path(self.mesh)
        if self.height_map is not None:
            io.check_output(
                self.height_map, overwrite=overwrite, dtype="uint8", channels=3, kind="image"
            )
        for _, path in self.files(output, plan_.count):
            io.check_place(path, overwrite=overwrite)

    def write_slabs(self, output: Path, plan_: Plan, *, quality: int, overwrite: bool) -> None:
        """Fuse and write the slabs."""
        if self.slab is None:
            return
        from panfocus.pipeline.slabs import fuse_slabs  # noqa: PLC0415  few fusions make any

        paths = self._slabs(output, plan_.count)
        for path, part in zip(paths, fuse_slabs(plan_, *self.slab), strict=True):
            part.save(path, quality=quality, overwrite=overwrite)

    def write_surfaces(self, result: Fusion, plan_: Plan, *, overwrite: bool) -> None:
        """Write height map and mesh of a fusion that has maps."""
        settings = plan_.settings
        is_length = settings.z_step_um is not None
        near_first = settings.order == "near-first"
        if result.depth is None or result.confidence is None:
            return
        if self.height_map is not None:
            from panfocus.surface.height_map import draw_height_map  # noqa: PLC0415  few fusions make one

            unit = "µm" if is_length else "frames"
            picture = draw_height_map(result.depth, unit, near_first=near_first)
            io.write_image(
                self.height_map, picture, io.Metadata(), overwrite=overwrite, is_result=True
            )
        if self.mesh is not None:
            from panfocus.surface.mesh import build_surface, write_mesh  # noqa: PLC0415  few make one

            surface = build_surface(
                result.image,
                result.depth,
                result.confidence,
                pixel_um=self.pixel_um,
                is_length=is_length,
                near_first=near_first,
            )
            write_mesh(self.mesh, surface, overwrite=overwrite)
