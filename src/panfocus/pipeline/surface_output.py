"""Write what is drawn of depth, of photographs and of planes: the height map and the mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from panfocus import io
from panfocus.arrays.types import Float
from panfocus.frozen import frozen
from panfocus.pipeline.result import FusedPicture


@frozen
class Relief:
    """Depth that can be drawn.

    Attributes:
        depth: ``(H, W)``, in `unit`.
        confidence: ``(H, W)``, 0 to 1.
        unit: "µm" or "frames".
        near_first: small depth is near.
    """

    depth: Float
    confidence: Float
    unit: str
    near_first: bool

    @classmethod
    def of(cls, fusion: FusedPicture) -> Relief | None:
        """Return what can be drawn of a fusion; None of one without maps."""
        if fusion.depth is None or fusion.confidence is None:
            return None
        unit = fusion.report.depth_unit or "frames"
        near_first = fusion.report.settings["order"] == "near-first"
        return cls(fusion.depth, fusion.confidence, unit, near_first)


def write_surfaces(
    height_map: Path | None,
    mesh: Path | None,
    relief: Relief | None,
    image: NDArray[Any],
    *,
    pixel_um: float | None,
    overwrite: bool = False,
) -> list[str]:
    """Write height map and mesh, where they are wanted; return notes.

    Args:
        height_map: a picture of the depth in colours.
        mesh: the surface.
        relief: what is drawn; None where nothing is wanted.
        image: painted on the mesh, ``(H, W[, C])`` uint8 or uint16.
        pixel_um: width of a pixel; None where it is not known.
        overwrite: whether existing files may be replaced.

    Raises:
        OutputError: one exists, or cannot be written.
    """
    notes: list[str] = []
    if relief is None:  # those who want some have looked
        return notes
    unit, near_first = relief.unit, relief.near_first
    if height_map is not None:
        from panfocus.surface.height_map import draw_height_map  # noqa: PLC0415  few make one

        drawn = draw_height_map(relief.depth, unit, near_first=near_first)
        notes += io.write_image(
            height_map, drawn, io.Metadata(), overwrite=overwrite, is_result=True
        )
    if mesh is not None:
        from panfocus.surface.mesh import build_surface, write_mesh  # noqa: PLC0415  few do

        surface = build_surface(
            image,
            relief.depth,
            relief.confidence,
            pixel_um=pixel_um,
            is_length=unit == "µm",
            near_first=near_first,
        )
        write_mesh(mesh, surface, overwrite=overwrite)
    return notes
