"""Pictures and meshes of each stack of a volume: what a file of planes cannot hold.

A height map has colours and a scale, a mesh is a body, a scale bar is painted: one file for each
stack, named after its position, T and C where there are several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from panfocus import io
from panfocus.errors import UsageError
from panfocus.io.endings import split_ending
from panfocus.io.outputs import Output
from panfocus.io.volumes.display import in_colours
from panfocus.io.volumes.volume import Channel, Position, Voxel
from panfocus.io.volumes.write_picture import is_picture
from panfocus.pipeline.picture_output import ScaleBarOutput
from panfocus.pipeline.surface_output import Relief, write_surfaces
from panfocus.pipeline.volumes.choice import Group


@dataclass(frozen=True)
class Shown:
    """What is drawn of one stack.

    Attributes:
        planes: fused, one per channel, in the numbers of the source.
        channels: what they are.
        voxel_um: distances of planes, rows and columns; None where not known.
        relief: its depth; None without maps.
    """

    planes: Sequence[NDArray[Any]]
    channels: Sequence[Channel]
    voxel_um: Voxel
    relief: Relief | None


@dataclass(frozen=True)
class SurfaceOutputs:
    """Files that are wanted of every stack.

    Attributes:
        height_map: depth in colours with a scale.
        mesh: the surface, ``.ply``, ``.obj`` or ``.glb``, its picture on it.
        pixel_um: width of a pixel; None for the volume's own.
        scale_bar: length of a bar with its unit, or "auto", painted into a picture of each stack.
        image: of the volume, which pictures with a scale bar are named after.
    """

    height_map: Path | None = None
    mesh: Path | None = None
    pixel_um: float | None = None
    scale_bar: str | None = None
    image: Path = Path("fused.png")

    @property
    def need_depth(self) -> bool:
        """Whether depth and confidence must be made."""
        return self.height_map is not None or self.mesh is not None

    @property
    def are_wanted(self) -> bool:
        """Whether anything is."""
        return self.need_depth or self.scale_bar is not None

    def named(self, tails: Sequence[str]) -> list[Output]:
        """Return every file by the option that names it, of stacks with these ends of names."""
        out: list[Output] = []
        for tail in tails:
            out += [("scale_bar", bar.path) for bar in self._bars(tail)]
            if self.height_map is not None:
                out.append(("height_map", with_tail(self.height_map, tail)))
            if self.mesh is not None:
                from panfocus.surface.mesh import mesh_files  # noqa: PLC0415  few make one

                out += [("mesh", path) for path in mesh_files(with_tail(self.mesh, tail))]
        return out

    def _bars(self, tail: str) -> list[ScaleBarOutput]:
        """Return the picture with a scale bar of a stack, where one is wanted."""
        if self.scale_bar is None:
            return []
        stem, ending = split_ending(self.image)
        suffix = ending if is_picture(self.image) else ".png"
        path = self.image.with_name(f"{stem}_scalebar{tail}{suffix}")
        return [ScaleBarOutput(path, self.scale_bar)]

    def _size(self, voxel_um: Voxel) -> tuple[float, float] | None:
        """Return the sizes (rows, columns) of a pixel in µm; None where they are not known."""
        if self.pixel_um is not None:
            return self.pixel_um, self.pixel_um
        _, y, x = voxel_um
        return None if y is None or x is None else (y, x)

    def check(
        self, tails: Sequence[str], positions: Sequence[Position], *, overwrite: bool
    ) -> None:
        """Refuse what cannot be written, before any work.

        Raises:
            OutputError: exists, or a format that cannot hold it.
            UsageError: trimesh is missing, or a scale bar's length cannot be told.
        """
        for position in positions:
            for bar in self._bars(""):
                bar.check(position.width, self._size(position.voxel_um))
        if self.mesh is not None:
            from panfocus.surface.mesh import check_mesh_path  # noqa: PLC0415  few make one

            check_mesh_path(self.mesh)
        if self.height_map is not None:
            io.output_format(self.height_map)
        for _, path in self.named(tails):
            io.check_place(path, overwrite=overwrite)

    def write(self, shown: Shown, tail: str, stage: Callable[[Path], Path]) -> list[str]:
        """Write what is wanted of one stack; return notes.

        Args:
            shown: what is drawn.
            tail: end of the names.
            stage: tells where a file is written before it is put in its place.
        """
        for bar in self._bars(tail):
            shown_as = in_colours(shown.planes, shown.channels)
            staged = replace(bar, path=stage(bar.path))
            staged.write(shown_as, io.Metadata(), self._size(shown.voxel_um))
        if not self.need_depth:
            return []
        if shown.relief is None:
            raise UsageError(
                "the fusion has no maps", where="height_map, mesh", remedy="fuse with maps=True"
            )
        return write_surfaces(
            None if self.height_map is None else stage(with_tail(self.height_map, tail)),
            None if self.mesh is None else _staged(with_tail(self.mesh, tail), stage),
            shown.relief,
            in_colours(shown.planes, shown.channels),
            pixel_um=self.pixel_um if self.pixel_um is not None else shown.voxel_um[2],
        )


def _staged(mesh: Path, stage: Callable[[Path], Path]) -> Path:
    """Return where a mesh is written; it is put in its place last, when all else of it is there."""
    from panfocus.surface.mesh import mesh_files  # noqa: PLC0415  few fusions make one

    return [stage(file) for file in reversed(mesh_files(mesh))][-1]


def with_tail(path: Path, tail: str) -> Path:
    """Return a name with an end before its extension; ``.``, which has none, as it is."""
    if not path.name:  # refused by whoever looks for its format
        return path
    return path.with_name(f"{path.stem}{tail}{path.suffix}")


def tails_of(groups: Sequence[Group]) -> list[str]:
    """Return the ends of names by which stacks are told apart: ``_p1_t03_c0``.

    Axes along which there is one alone are not named.
    """
    told = [(g.selection.number, g.time, g.channels[0]) for g in groups]
    several = [len({place[n] for place in told}) > 1 for n in range(3)]
    digits = [len(str(max(place[n] for place in told))) for n in range(3)]
    return [
        "".join(f"_{letter}{place[n]:0{digits[n]}}" for n, letter in enumerate("ptc") if several[n])
        for place in told
    ]
