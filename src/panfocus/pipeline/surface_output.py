"""Write what is drawn of a fusion's depth: the height map and the mesh."""

from __future__ import annotations

from pathlib import Path

from panfocus import io
from panfocus.pipeline.result import FusedPicture


def write_surfaces(
    height_map: Path | None,
    mesh: Path | None,
    fusion: FusedPicture,
    *,
    pixel_um: tuple[float, float] | None,
    overwrite: bool,
) -> None:
    """Write height map and mesh, where they are wanted.

    Args:
        height_map: a picture of the depth in colours.
        mesh: the surface.
        fusion: with depth and confidence.
        pixel_um: sizes (rows, columns) of a pixel; None where they are not known.
        overwrite: whether existing files may be replaced.
    """
    if fusion.depth is None or fusion.confidence is None:
        return  # those who want some have looked
    unit = fusion.report.depth_unit or "frames"
    near_first = fusion.report.settings["order"] == "near-first"
    if height_map is not None:
        from panfocus.surface.height_map import draw_height_map  # noqa: PLC0415  few make one

        picture = draw_height_map(fusion.depth, unit, near_first=near_first)
        io.write_image(height_map, picture, io.Metadata(), overwrite=overwrite, is_result=True)
    if mesh is not None:
        from panfocus.surface.mesh import build_surface, write_mesh  # noqa: PLC0415  few do

        surface = build_surface(
            fusion.image,
            fusion.depth,
            fusion.confidence,
            pixel_um=None if pixel_um is None else pixel_um[1],
            is_length=unit == "µm",
            near_first=near_first,
        )
        write_mesh(mesh, surface, overwrite=overwrite)
